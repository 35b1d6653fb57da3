/* kube/kubectl/delete.c: kubectl delete. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/write.h"

struct waiting {
	struct call *c;
	const struct found *found;
};

static bool all_gone(void *arg)
{
	const struct waiting *w = arg;
	for (uint32_t i = 0; i < w->found->group_count; i++)
		for (uint32_t j = 0; j < w->found->groups[i].count; j++) {
			const struct kube_object *o = w->found->groups[i].items[j];
			const struct kube_object *now = kube_store_get(
			    w->c->k->store, o->kind, object_namespace(o), o->meta.name);
			if (now && kube_is(now->meta.uid, o->meta.uid))
				return false;
		}
	return true;
}

static struct kube_delete how_to(struct call *c)
{
	struct kube_delete how = { 0 };
	const char *grace = call_flag(c, "grace-period"), *cascade = call_flag(c, "cascade");
	if (call_flag_on(c, "now"))
		how.grace_s = (struct opt_int){ true, 1 };
	else if (grace && strtol(grace, NULL, 10) >= 0)
		how.grace_s = (struct opt_int){ true, strtol(grace, NULL, 10) };
	else if (call_flag_on(c, "force"))
		how.grace_s = (struct opt_int){ true, 0 };
	if (cascade)
		how.propagation = !strcmp(cascade, "orphan") || !strcmp(cascade, "false") ? "Orphan"
				  : !strcmp(cascade, "foreground") ? "Foreground"
								   : "Background";
	return how;
}

static void say_deleted(struct call *c, const struct kube_object *o)
{
	const char *format = call_flag(c, "output");
	if (format && strcmp(format, "name") == 0) {
		name_print(o, c->out);
		strbuf_putc(c->out, '\n');
		return;
	}
	strbuf_printf(c->out, "%s \"%s\" %sdeleted", kind_word(c, kube_schema(o->kind)),
		      o->meta.name, call_flag_on(c, "force") ? "force " : "");
	if (kube_schema(o->kind)->namespaced)
		strbuf_printf(c->out, " from %s namespace", o->meta.namespace);
	strbuf_printf(c->out, "%s\n", dry_suffix(c));
}

static int delete_one(struct call *c, const struct kube_object *o, const struct kube_delete *how)
{
	struct kube_answer answer = { 0 };
	int code = 0;
	if (call_dry_run(c) != DRY_NONE) {
		say_deleted(c, o);
		return 0;
	}
	if (c->k->control && kube_is(how->propagation, "Orphan"))
		garbage_orphan(c->k->control, o);
	if (kube_admit_delete(c->k->admit, o->kind, object_namespace(o), o->meta.name, how,
			      &answer))
		code = call_refused(c, &answer, NULL);
	else
		say_deleted(c, o);
	kube_answer_free(&answer);
	return code;
}

int delete_objects(struct call *c, const struct found *f)
{
	struct kube_delete how = how_to(c);
	struct waiting w = { c, f };
	const char *wait = call_flag(c, "wait");
	int code = 0;
	if (call_flag_on(c, "force"))
		strbuf_puts(c->err,
			    "Warning: Immediate deletion does not wait for confirmation that the "
			    "running resource has been terminated. The resource may continue to "
			    "run on the cluster indefinitely.\n");
	for (uint32_t i = 0; i < f->group_count; i++)
		for (uint32_t j = 0; j < f->groups[i].count; j++)
			code |= delete_one(c, f->groups[i].items[j], &how);
	if (code || (wait && strcmp(wait, "false") == 0) || call_flag_on(c, "force") ||
	    call_dry_run(c) != DRY_NONE)
		return code;
	int64_t deadline = call_deadline(c);
	if (!call_wait(c, all_gone, &w, deadline) && deadline != INT64_MAX)
		code = call_error(c, "timed out waiting for the condition on the deleted objects");
	return code;
}

static int named_by_files(struct call *c, struct selection *s)
{
	const char *path;
	for (uint32_t i = 0; (path = call_flag_nth(c, "filename", i)); i++) {
		const char *text = call_file(c, path);
		if (!text || files_targets(c, path, text, s))
			return 1;
	}
	return 0;
}

int delete_run(struct call *c)
{
	struct selection s = { 0 };
	struct found f = { 0 };
	bool all =
	    call_flag_on(c, "all") || call_flag(c, "selector") || call_flag(c, "field-selector");
	if (call_flag(c, "filename") ? named_by_files(c, &s) : select_parse(c, 0, &s))
		return 1;
	if (!s.count)
		return nothing_given(c);
	for (uint32_t i = 0; i < s.count; i++)
		if (!s.items[i].name && !all)
			return call_error(c,
					  "resource(s) were provided, but no name was specified");
	if (select_find(c, &s, &f)) {
		found_free(&f);
		return 1;
	}
	uint32_t count = 0;
	for (uint32_t i = 0; i < f.group_count; i++)
		count += f.groups[i].count;
	int code = count ? delete_objects(c, &f) : 0;
	if (f.missing && !call_flag_on(c, "ignore-not-found")) {
		strbuf_puts(c->err, strbuf_text(&f.said));
		code = 1;
	} else if (!count && !f.missing) {
		strbuf_puts(c->out, "No resources found\n");
	}
	found_free(&f);
	return code;
}
