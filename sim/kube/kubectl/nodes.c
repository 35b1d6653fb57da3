/* kube/kubectl/nodes.c: cordon, uncordon, drain, taint. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/write.h"

static const struct kube_node *node_find(struct call *c, const char *name)
{
	const char *slash = strchr(name, '/');
	const struct kube_object *o =
		kube_store_get(c->k->store, KIND_NODE, NULL, slash ? slash + 1 : name);
	if (!o)
		call_not_found(c, kube_schema(KIND_NODE), slash ? slash + 1 : name);
	return (const struct kube_node *)o;
}

static int cordon_one(struct call *c, const char *name, bool on)
{
	const struct kube_node *n = node_find(c, name);
	if (!n)
		return 1;
	const char *verb = on ? "cordoned" : "uncordoned";
	bool is = n->spec.unschedulable == TRI_TRUE;
	if (is == on) {
		strbuf_printf(c->out, "node/%s already %s\n", n->object.meta.name, verb);
		return 0;
	}
	struct kube_node *copy = (struct kube_node *)kube_copy(&n->object);
	copy->spec.unschedulable = on ? TRI_TRUE : TRI_UNSET;
	return write_back(c, &copy->object, verb, verb);
}

static int cordon_all(struct call *c, bool on)
{
	int code = 0;
	if (!c->arg_count)
		return call_error(
		    c, "USAGE: %s NODE [flags]\nSee 'kubectl %s -h' for help and examples", c->verb,
		    c->verb);
	for (uint32_t i = 0; i < c->arg_count; i++)
		code |= cordon_one(c, c->args[i], on);
	return code;
}

int cordon_run(struct call *c)
{
	return cordon_all(c, true);
}

int uncordon_run(struct call *c)
{
	return cordon_all(c, false);
}

/* ---- drain ----------------------------------------------------------------------- */

struct draining {
	struct call *c;
	const char *node;
	struct object_list pods; /* that are to go; references */
	uint32_t told;
};

static bool still_there(const struct draining *d, const struct kube_object *o)
{
	const struct kube_object *now =
		kube_store_get(d->c->k->store, KIND_POD, o->meta.namespace, o->meta.name);
	return now && kube_is(now->meta.uid, o->meta.uid);
}

/* Tells of each pod that has gone meanwhile. */
static bool drained(void *arg)
{
	struct draining *d = arg;
	bool all = true;
	for (uint32_t i = 0; i < d->pods.count; i++) {
		if (!d->pods.items[i])
			continue;
		if (still_there(d, d->pods.items[i])) {
			all = false;
			continue;
		}
		strbuf_printf(d->c->out, "pod/%s evicted\n", d->pods.items[i]->meta.name);
		kube_unref((struct kube_object *)d->pods.items[i]);
		d->pods.items[i] = NULL;
	}
	return all;
}

static void note_pods(struct draining *d)
{
	const struct kube_object *o;
	for (uint32_t i = 0; (o = kube_store_next(d->c->k->store, KIND_POD, NULL, &i));) {
		const struct kube_pod *p = (const struct kube_pod *)o;
		const struct kube_owner *owner = controller_of(o);
		if (kube_is(p->spec.node_name, d->node) && o->meta.deletion_ns &&
		    !(owner && kube_is(owner->kind, "DaemonSet")))
			object_list_add(&d->pods, kube_ref(o));
	}
}

static int drain_one(struct call *c, const char *name)
{
	const char *grace = call_flag(c, "grace-period"), *slash = strchr(name, '/');
	struct control_drain_options options = {
		.ignore_daemonsets = call_flag_on(c, "ignore-daemonsets"),
		.force = call_flag_on(c, "force"),
		.delete_empty_dir =
		    call_flag_on(c, "delete-emptydir-data") || call_flag_on(c, "delete-local-data"),
		.grace_s = grace ? strtol(grace, NULL, 10) : -1,
	};
	struct draining d = { .c = c, .node = slash ? slash + 1 : name };
	struct strbuf said = { 0 };
	struct err err = { "" };
	if (!node_find(c, name))
		return 1;
	int code = control_drain(c->k->control, d.node, &options, &said, &err);
	for (const char *p = strbuf_text(&said); *p;) { /* remarks go to stderr */
		size_t n = strcspn(p, "\n");
		bool remark = strncmp(p, "Warning:", 8) == 0 || strncmp(p, "evicting", 8) == 0;
		strbuf_printf(remark ? c->err : c->out, "%.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
	strbuf_free(&said);
	if (code)
		return call_error(c, "%s", err.text);
	note_pods(&d);
	if (!call_wait(c, drained, &d, call_deadline(c)))
		code =
		    call_error(c,
			       "unable to drain node \"%s\" due to error: drain did not complete "
			       "within the timeout",
			       d.node);
	else
		strbuf_printf(c->out, "node/%s drained\n", d.node);
	for (uint32_t i = 0; i < d.pods.count; i++)
		kube_unref((struct kube_object *)d.pods.items[i]);
	object_list_free(&d.pods);
	return code;
}

int drain_run(struct call *c)
{
	int code = 0;
	if (!c->arg_count)
		return call_error(c,
				  "USAGE: drain NODE [flags]\nSee 'kubectl drain -h' for help and "
				  "examples");
	if (!c->k->control)
		return call_error(c, "drain needs running controllers");
	for (uint32_t i = 0; i < c->arg_count && !code; i++)
		code = drain_one(c, c->args[i]);
	return code;
}

/* ---- taint ----------------------------------------------------------------------- */

struct taint_change { const char *key, *value, *effect; bool remove; };

/* "key=value:Effect", "key:Effect", "key:Effect-", "key-" */
static bool taint_parse(struct call *c, const char *text, struct taint_change *out)
{
	char *s = arena_strdup(c->arena, text);
	size_t n = strlen(s);
	*out = (struct taint_change){ 0 };
	out->remove = n && s[n - 1] == '-';
	if (out->remove)
		s[n - 1] = '\0';
	char *colon = strchr(s, ':');
	if (colon) {
		*colon = '\0';
		out->effect = colon + 1;
	}
	char *eq = strchr(s, '=');
	if (eq) {
		*eq = '\0';
		out->value = eq + 1;
	}
	out->key = s;
	if (out->effect && strcmp(out->effect, "NoSchedule") && strcmp(out->effect, "NoExecute") &&
	    strcmp(out->effect, "PreferNoSchedule"))
		return false;
	return *s && (out->remove || out->effect);
}

/* 1: said. */
static int taint_apply(struct call *c, struct kube_node *n, const struct taint_change *t)
{
	uint32_t have = n->spec.taints.count, count = 0;
	struct kube_taint *items = arena_array(n->object.arena, have + 1, sizeof *items);
	bool found = false;
	for (uint32_t i = 0; i < have; i++) {
		const struct kube_taint *x = &n->spec.taints.items[i];
		bool same =
		    kube_is(x->key, t->key) && (!t->effect || kube_is(x->effect, t->effect));
		found = found || same;
		if (!same)
			items[count++] = *x;
	}
	if (t->remove && !found)
		return call_error(c, "taint \"%s%s%s\" not found", t->key, t->effect ? ":" : "",
				  t->effect ? t->effect : "");
	if (!t->remove && found && !call_flag_on(c, "overwrite"))
		return call_error(
		    c,
		    "node %s already has %s taint(s) with same effect(s) and --overwrite is "
		    "false",
		    n->object.meta.name, t->key);
	if (!t->remove)
		items[count++] = (struct kube_taint){
			.key = kube_string(&n->object, t->key),
			.value = t->value ? kube_string(&n->object, t->value) : NULL,
			.effect = kube_string(&n->object, t->effect),
			.time_added_ns = call_now(c),
		};
	n->spec.taints.items = items;
	n->spec.taints.count = count;
	return 0;
}

int taint_run(struct call *c)
{
	bool removed = true;
	if (c->arg_count < 3)
		return call_error(c, "at least one taint update is required");
	const struct kube_node *n = node_find(c, c->args[1]);
	if (!n)
		return 1;
	struct kube_node *copy = (struct kube_node *)kube_copy(&n->object);
	for (uint32_t i = 2; i < c->arg_count; i++) {
		struct taint_change t;
		int code = 0;
		if (!taint_parse(c, c->args[i], &t))
			code =
			    call_error(c,
				       "invalid taint spec: %s, expected key[=value]:Effect with "
				       "NoSchedule, PreferNoSchedule or NoExecute",
				       c->args[i]);
		if (code || taint_apply(c, copy, &t)) {
			kube_unref(&copy->object);
			return 1;
		}
		removed = removed && t.remove;
	}
	return write_back(c, &copy->object, removed ? "untainted" : "tainted",
			  removed ? "untainted" : "tainted");
}
