/* world/apply.c: `kubectl apply -f` on a running cluster.
 *
 * Each object of the stream goes through the API server's door (kube/admit.h). What is
 * there already is changed as apply changes it: labels and annotations are joined, the
 * rest of the object is the manifest's, and what the server gave (addresses, node ports,
 * status) stays.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kube/admit.h"
#include "kube/manifest.h"
#include "kube/schema.h"
#include "world/live.h"

struct applying {
	struct world *w;
	struct strbuf *said;
	const char *file;
};

static const char *namespace_of(const struct kube_object *o)
{
	return kube_schema(o->kind)->namespaced ? o->meta.namespace ? o->meta.namespace : "default"
						: "";
}

static void join_map(struct kube_object *o, struct kube_map *to, const struct kube_map *from)
{
	for (uint32_t i = 0; i < from->count; i++)
		if (!kube_map_get(to, from->items[i].key))
			kube_map_set(o, to, from->items[i].key, from->items[i].value);
}

static void say(struct applying *a, const struct kube_object *o, const char *what)
{
	if (!a->said)
		return;
	kube_print_name(o, a->said);
	strbuf_printf(a->said, " %s\n", what);
}

static int refused(struct applying *a, struct kube_answer *answer, int code, struct err *err)
{
	struct strbuf text = { 0 };
	kube_answer_text(answer, NULL, true, &text);
	while (text.length && text.data[text.length - 1] == '\n')
		text.data[--text.length] = '\0';
	err_set(err, code, "%s: %s", a->file, strbuf_text(&text));
	strbuf_free(&text);
	return code;
}

/* The configuration of all kube-proxies is one object; a new one takes its place. */
int configuration_replace(struct world *w, struct kube_object *o, struct err *err)
{
	const struct kube_object *old;
	uint32_t cursor = 0;
	while ((old = kube_store_next_created(w->store, o->kind, &cursor)) != NULL) {
		kube_store_delete(w->store, o->kind, old->meta.namespace, old->meta.name, NULL);
		cursor = 0;
	}
	return kube_store_create(w->store, o, err);
}

static int apply_one(struct applying *a, struct kube_object *o, struct err *err)
{
	struct world *w = a->w;
	struct kube_answer answer = { 0 };
	int code;
	const struct kube_object *old =
		o->meta.name ? kube_store_get(w->store, o->kind, namespace_of(o), o->meta.name) : NULL;
	struct kube_object *named = kube_ref(o);
	if (!old) {
		code = kube_admit_create(w->admit, o, &answer);
		if (!code)
			say(a, named, "created");
	} else {
		join_map(o, &o->meta.labels, &old->meta.labels);
		join_map(o, &o->meta.annotations, &old->meta.annotations);
		o->meta.resource_version = 0;
		code = kube_admit_update(w->admit, o, &answer);
		if (!code)
			say(a, named, answer.unchanged ? "unchanged" : "configured");
	}
	if (code)
		code = refused(a, &answer, code, err);
	kube_answer_free(&answer);
	kube_unref(named);
	return code;
}

static int apply_status(void *ctx, struct kube_object *o, struct err *err)
{
	struct applying *a = ctx;
	struct kube_answer answer = { 0 };
	struct kube_object *named = kube_ref(o);
	int code = kube_admit_update_status(a->w->admit, o, &answer);
	if (code)
		code = refused(a, &answer, code, err);
	else
		say(a, named, "replaced");
	kube_answer_free(&answer);
	kube_unref(named);
	return code;
}

static int apply_object(void *ctx, struct kube_object *o, struct err *err)
{
	struct applying *a = ctx;
	if (o->kind == KIND_KUBE_PROXY_CONFIGURATION || o->kind == KIND_CLUSTER_CONFIGURATION)
		return configuration_replace(a->w, o, err);
	return apply_one(a, o, err);
}

static int read_all(struct applying *a, const char *text, size_t length,
		    int (*each)(void *ctx, struct kube_object *o, struct err *err), struct err *err)
{
	struct manifest_options options = { .warnings = a->w->options.warnings,
					    .namespace = "default" };
	if (!a->w->admit)
		return err_set(err, EINVAL, "apply needs a running cluster, not a snapshot");
	return manifest_read(text, length, a->file, &options, each, a, err);
}

int world_apply(struct world *w, const char *text, size_t length, const char *file,
		struct strbuf *said, struct err *err)
{
	struct applying a = { .w = w, .said = said, .file = file };
	return read_all(&a, text, length, apply_object, err);
}

int world_apply_status(struct world *w, const char *text, size_t length, const char *file,
		       struct strbuf *said, struct err *err)
{
	struct applying a = { .w = w, .said = said, .file = file };
	return read_all(&a, text, length, apply_status, err);
}
