/* kube/kubectl/apply.c: apply, create -f and replace. */
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/write.h"
#include "kube/patch.h"

static void warn_unannotated(struct call *c, const struct kube_object *o)
{
	strbuf_printf(
	    c->err,
	    "Warning: resource %s/%s is missing the %s annotation which is required by kubectl "
	    "apply. kubectl apply should only be used on resources created declaratively by "
	    "either kubectl create --save-config or kubectl apply. The missing annotation will "
	    "be patched automatically.\n",
	    kube_schema(o->kind)->plural, o->meta.name, LAST_APPLIED);
}

static int apply_change(struct call *c, const char *path, const struct kube_object *current,
			struct kube_object *o)
{
	struct kube_answer answer = { 0 };
	int code;
	if (call_dry_run(c) != DRY_NONE) {
		code = say_done(c, current, "configured");
		kube_unref(o);
		return code;
	}
	(void)path;
	if (kube_admit_update(c->k->admit, o, &answer)) {
		code = call_refused(c, &answer, NULL);
	} else {
		const struct kube_object *now = kube_store_get(
			c->k->store, current->kind, object_namespace(current), current->meta.name);
		call_warnings(c, &answer);
		code = say_done(c, now ? now : current,
				call_flag_on(c, "server-side") ? "serverside-applied"
				: answer.unchanged	       ? "unchanged"
							       : "configured");
	}
	kube_answer_free(&answer);
	return code;
}

static int apply_one(struct call *c, const char *path, struct kube_object *given)
{
	const struct kube_object *current = NULL;
	struct kube_object *o = NULL;
	struct err err = { "" };
	bool unannotated = false;
	if (given->meta.name)
		current = kube_store_get(c->k->store, given->kind, object_namespace(given),
					 given->meta.name);
	if (current)
		kube_ref(current);
	warn_endpoints(c, given->kind);
	int code = kube_apply(current, given, &o, &unannotated, &err);
	kube_unref(given);
	if (code) {
		code = call_error(c, "%s", err.text);
	} else if (!current) {
		const char *doing = arena_printf(c->arena, "error when creating \"%s\"", path);
		code = create_object(c, o, doing);
	} else {
		if (unannotated && !call_flag_on(c, "server-side"))
			warn_unannotated(c, current);
		if (current->meta.deletion_ns)
			strbuf_printf(c->err, "Warning: Detected changes to resource %s which is "
					      "currently being deleted.\n", current->meta.name);
		code = apply_change(c, path, current, o);
	}
	kube_unref((struct kube_object *)current);
	return code;
}

int apply_run(struct call *c)
{
	if (c->arg_count)
		return call_error(
		    c, "Unexpected args: [%s]\nSee 'kubectl apply -h' for help and examples",
		    c->args[0]);
	if (!call_flag(c, "filename") && !call_flag(c, "kustomize"))
		return call_error(c, "must specify one of -f and -k");
	return files_each(c, apply_one);
}

int create_from_file(struct call *c, const char *path, struct kube_object *given)
{
	struct kube_object *o = given;
	struct err err = { "" };
	bool unannotated;
	warn_endpoints(c, given->kind);
	if (call_flag_on(c, "save-config")) {
		int code = kube_apply(NULL, given, &o, &unannotated, &err);
		kube_unref(given);
		if (code)
			return call_error(c, "%s", err.text);
	}
	return create_object(c, o, arena_printf(c->arena, "error when creating \"%s\"", path));
}

static int replace_one(struct call *c, const char *path, struct kube_object *o)
{
	const struct kube_object *current =
	    o->meta.name ? kube_store_get(c->k->store, o->kind, object_namespace(o), o->meta.name)
			 : NULL;
	if (!current) {
		strbuf_printf(c->err,
			      "Error from server (NotFound): error when replacing \"%s\": %s "
			      "\"%s\" not found\n",
			      path, resource_word(c, kube_schema(o->kind)),
			      text_or(o->meta.name, ""));
		kube_unref(o);
		return 1;
	}
	if (call_flag_on(c, "force")) {
		struct kube_delete how = { .grace_s = { true, 0 } };
		kube_admit_delete(c->k->admit, o->kind, object_namespace(o), o->meta.name, &how,
				  NULL);
		return create_object(c, o, NULL);
	}
	return write_back(c, o, "replaced", "replaced");
}

int replace_run(struct call *c)
{
	if (!call_flag(c, "filename"))
		return call_error(c, "must specify --filename to replace");
	return files_each(c, replace_one);
}
