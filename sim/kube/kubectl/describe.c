/* kube/kubectl/describe.c: kubectl describe, and what its describers share.
 *
 * Source: kubectl/pkg/describe/describe.go.
 */
#include "kube/kubectl/describe.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define ANNOTATION_WIDTH 140u
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

void describe_put(struct describe *d, int level, const char *fmt, ...)
{
	va_list ap;
	strbuf_fill(&d->text, ' ', 2 * level);
	va_start(ap, fmt);
	strbuf_vprintf(&d->text, fmt, ap);
	va_end(ap);
}

void describe_flush(struct describe *d)
{
	tabs_print(strbuf_text(&d->text), 0, 2, NULL, d->c->out);
	strbuf_clear(&d->text);
}

void describe_put_pairs(struct describe *d, const char *indent, const char *title,
			const struct kube_map *m, bool skip_hash)
{
	bool any = false;
	describe_put(d, 0, "%s%s:\t", indent, title);
	for (uint32_t i = 0; i < m->count; i++) {
		if (skip_hash && kube_is(m->items[i].key, "pod-template-hash"))
			continue;
		if (any)
			describe_put(d, 0, "%s\t", indent);
		any = true;
		describe_put(d, 0, "%s=%s\n", m->items[i].key, text_or(m->items[i].value, ""));
	}
	if (!any)
		describe_put(d, 0, "<none>\n");
}

/* A value of several lines, or a long one, goes below its key; lines are cut. */
static void long_annotation(struct describe *d, const char *key, const char *value)
{
	describe_put(d, 0, "%s:\n", key);
	for (;;) {
		size_t n = strcspn(value, "\n");
		if (n > ANNOTATION_WIDTH - 2)
			describe_put(d, 0, "\t  %.*s...\n", (int)(ANNOTATION_WIDTH - 2), value);
		else
			describe_put(d, 0, "\t  %.*s\n", (int)n, value);
		if (!value[n] || !value[n + 1])
			return;
		value += n + 1;
	}
}

void describe_put_annotations(struct describe *d, const char *indent, const struct kube_map *m)
{
	bool any = false;
	describe_put(d, 0, "%sAnnotations:\t", indent);
	for (uint32_t i = 0; i < m->count; i++) {
		const char *key = m->items[i].key, *value = text_or(m->items[i].value, "");
		if (strcmp(key, LAST_APPLIED) == 0)
			continue;
		if (any)
			describe_put(d, 0, "%s\t", indent);
		any = true;
		if (strlen(key) + strlen(value) + 2 > ANNOTATION_WIDTH || strchr(value, '\n'))
			long_annotation(d, key, value);
		else
			describe_put(d, 0, "%s: %s\n", key, value);
	}
	if (!any)
		describe_put(d, 0, "<none>\n");
}

void describe_put_name(struct describe *d, const struct kube_object *o)
{
	describe_put(d, 0, "Name:\t%s\n", o->meta.name);
	describe_put(d, 0, "Namespace:\t%s\n", text_or(o->meta.namespace, ""));
}

void describe_put_controller(struct describe *d, const struct kube_object *o)
{
	const struct kube_owner *owner = controller_of(o);
	if (owner)
		describe_put(d, 0, "Controlled By:\t%s/%s\n", owner->kind, owner->name);
}

/* ---- events ---------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const struct kube_event *p = *(const struct kube_event *const *)a;
	const struct kube_event *q = *(const struct kube_event *const *)b;
	if (p->last_ns != q->last_ns)
		return p->last_ns < q->last_ns ? -1 : 1;
	return p->object.meta.resource_version < q->object.meta.resource_version ? -1 : 1;
}

void describe_put_events(struct describe *d, const struct kube_object *o)
{
	const char *show = call_flag(d->c, "show-events");
	const char *namespace = text_or(o->meta.namespace, "default");
	struct object_list l = { 0 };
	const struct kube_object *e;
	if (show && strcmp(show, "false") == 0)
		return;
	for (uint32_t i = 0; (e = kube_store_next(d->c->k->store, KIND_EVENT, namespace, &i));) {
		const struct kube_object_ref *r = &((const struct kube_event *)e)->involved;
		if (kube_is(r->kind, kube_schema(o->kind)->name) &&
		    kube_is(r->name, o->meta.name) &&
		    (!r->uid || !o->meta.uid || kube_is(r->uid, o->meta.uid)))
			object_list_add(&l, e);
	}
	if (!l.count) {
		describe_put(d, 0, "Events:\t<none>\n");
		return;
	}
	qsort(l.items, l.count, sizeof *l.items, by_time);
	describe_flush(d);
	describe_put(d, 0, "Events:\n");
	describe_put(d, 1, "Type\tReason\tAge\tFrom\tMessage\n");
	describe_put(d, 1, "----\t------\t----\t----\t-------\n");
	for (uint32_t i = 0; i < l.count; i++) {
		const struct kube_event *v = (const struct kube_event *)l.items[i];
		describe_put(d, 1, "%s\t%s\t%s", v->type, v->reason, age_of(d->c, v->last_ns));
		if (v->count > 1)
			describe_put(d, 0, " (x%d over %s)", v->count, age_of(d->c, v->first_ns));
		describe_put(d, 0, "\t%s\t%s\n", text_or(v->component, ""), v->message);
	}
	object_list_free(&l);
}

void describe_any(struct describe *d, const struct kube_object *o)
{
	const struct kind_schema *s = kube_schema(o->kind);
	describe_put(d, 0, "Name:\t%s\n", o->meta.name);
	if (s->namespaced)
		describe_put(d, 0, "Namespace:\t%s\n", text_or(o->meta.namespace, ""));
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "API Version:\t%s\n", s->group_version);
	describe_put(d, 0, "Kind:\t%s\n", s->name);
	describe_put_events(d, o);
}

/* ---- the verb -------------------------------------------------------------------- */

static const struct describer {
	enum kube_kind kind;
	void (*fn)(struct describe *d, const struct kube_object *o);
} describers[] = {
	{ KIND_POD, describe_pod },
	{ KIND_SERVICE, describe_service },
	{ KIND_ENDPOINTS, describe_endpoints },
	{ KIND_ENDPOINT_SLICE, describe_slice },
	{ KIND_INGRESS, describe_ingress },
	{ KIND_DEPLOYMENT, describe_deployment },
	{ KIND_REPLICA_SET, describe_replica_set },
	{ KIND_REPLICATION_CONTROLLER, describe_replica_set },
	{ KIND_STATEFUL_SET, describe_stateful_set },
	{ KIND_DAEMON_SET, describe_daemon_set },
	{ KIND_JOB, describe_job },
	{ KIND_NODE, describe_node },
	{ KIND_CONFIG_MAP, describe_config_map },
	{ KIND_NAMESPACE, describe_namespace },
	{ KIND_PERSISTENT_VOLUME_CLAIM, describe_claim },
	{ KIND_PERSISTENT_VOLUME, describe_volume },
};

static void describe_object(struct call *c, const struct kube_object *o)
{
	struct describe d = { .c = c };
	void (*fn)(struct describe *d, const struct kube_object *o) = describe_any;
	for (size_t i = 0; i < sizeof describers / sizeof *describers; i++)
		if (describers[i].kind == o->kind)
			fn = describers[i].fn;
	fn(&d, o);
	describe_flush(&d);
	strbuf_free(&d.text);
}

/* No object of that name: all whose names begin so. How many there were. */
static uint32_t describe_prefix(struct call *c, const struct target *t, bool *first)
{
	const struct kube_object *o;
	uint32_t n = 0;
	const char *namespace = t->schema->namespaced ? call_namespace(c) : NULL;
	for (uint32_t i = 0; (o = kube_store_next(c->k->store, t->schema->kind, namespace, &i));) {
		if (strncmp(o->meta.name, t->name, strlen(t->name)) != 0)
			continue;
		if (!*first)
			strbuf_puts(c->out, "\n\n");
		*first = false;
		describe_object(c, o);
		n++;
	}
	if (n)
		strbuf_putc(c->out, '\n');
	return n;
}

static int describe_target(struct call *c, const struct target *t, bool *first, uint32_t *count)
{
	struct selection one = { .items = (struct target *)t, .count = 1 };
	struct found f;
	int code = select_find(c, &one, &f);
	for (uint32_t i = 0; !code && i < f.group_count; i++)
		for (uint32_t j = 0; j < f.groups[i].count; j++) {
			if (!*first)
				strbuf_puts(c->out, "\n\n");
			*first = false;
			describe_object(c, f.groups[i].items[j]);
			++*count;
		}
	if (f.missing) {
		uint32_t n = describe_prefix(c, t, first);
		*count += n;
		if (!n) {
			strbuf_puts(c->err, strbuf_text(&f.said));
			code = 1;
			++*count;
		}
	}
	found_free(&f);
	return code;
}

int describe_run(struct call *c)
{
	struct selection s = { 0 };
	const char *path;
	bool first = true;
	uint32_t count = 0;
	int code = 0;
	for (uint32_t i = 0; (path = call_flag_nth(c, "filename", i)); i++) {
		const char *text = call_file(c, path);
		if (!text || files_targets(c, path, text, &s))
			return 1;
	}
	if (!s.count && select_parse(c, 0, &s))
		return 1;
	if (!s.count)
		return call_error(
		    c, "You must specify the type of resource to describe. Use \"kubectl "
		       "api-resources\" for a complete list of supported resources.");
	for (uint32_t i = 0; i < s.count; i++)
		code |= describe_target(c, &s.items[i], &first, &count);
	if (!count && (call_flag_on(c, "all-namespaces") || !s.items[0].schema->namespaced))
		strbuf_puts(c->err, "No resources found\n");
	else if (!count)
		strbuf_printf(c->err, "No resources found in %s namespace.\n", call_namespace(c));
	return code;
}
