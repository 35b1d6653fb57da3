/* kube/control/verbs.c: what a client asks of workloads and nodes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/verbs.h"
#include "kube/schema.h"

static const struct kube_object *find(struct control *c, enum kube_kind kind,
				      const char *namespace, const char *name, struct err *err)
{
	const struct kube_object *o = kube_store_get(
		c->store, kind, kube_schema(kind)->namespaced ? namespace : NULL, name);
	if (!o)
		control_not_found(kind, name, err);
	return o;
}

static struct opt_int *replicas_of(struct kube_object *o)
{
	switch (o->kind) {
	case KIND_DEPLOYMENT:
		return &((struct kube_deployment *)o)->spec.replicas;
	case KIND_REPLICA_SET:
	case KIND_REPLICATION_CONTROLLER:
		return &((struct kube_replica_set *)o)->spec.replicas;
	case KIND_STATEFUL_SET:
		return &((struct kube_stateful_set *)o)->spec.replicas;
	default:
		return NULL;
	}
}

struct kube_template *template_of(struct kube_object *o)
{
	switch (o->kind) {
	case KIND_DEPLOYMENT:
		return &((struct kube_deployment *)o)->spec.template;
	case KIND_REPLICA_SET:
	case KIND_REPLICATION_CONTROLLER:
		return &((struct kube_replica_set *)o)->spec.template;
	case KIND_STATEFUL_SET:
		return &((struct kube_stateful_set *)o)->spec.template;
	case KIND_DAEMON_SET:
		return &((struct kube_daemon_set *)o)->spec.template;
	case KIND_JOB:
		return &((struct kube_job *)o)->spec.template;
	default:
		return NULL;
	}
}

int control_scale(struct control *c, enum kube_kind kind, const char *namespace,
		  const char *name, int64_t replicas, struct err *err)
{
	const struct kube_object *o = find(c, kind, namespace, name, err);
	if (!o)
		return ENOENT;
	if (replicas < 0 || replicas > INT32_MAX)
		return err_set(err, EINVAL, "replicas %lld, expected 0 or more",
			       (long long)replicas);
	struct kube_object *copy = kube_copy(o);
	struct opt_int *to = replicas_of(copy);
	if (!to) {
		kube_unref(copy);
		return err_set(err, EINVAL, "the server could not find the requested resource");
	}
	if (to->set && to->value == replicas) {
		kube_unref(copy);
		return 0;
	}
	*to = (struct opt_int){ true, replicas };
	return control_update(c, copy, true);
}

int control_rollout_restart(struct control *c, enum kube_kind kind, const char *namespace,
			    const char *name, struct err *err)
{
	const struct kube_object *o = find(c, kind, namespace, name, err);
	char text[KUBE_TIME_TEXT];
	if (!o)
		return ENOENT;
	if (kind != KIND_DEPLOYMENT && kind != KIND_STATEFUL_SET && kind != KIND_DAEMON_SET)
		return err_set(err, EINVAL, "%s \"%s\" restarting is not supported",
			       kube_schema(kind)->plural, name);
	if (kind == KIND_DEPLOYMENT && ((const struct kube_deployment *)o)->spec.paused == TRI_TRUE)
		return err_set(err, EINVAL,
			       "can't restart paused deployment (run rollout resume first)");
	struct kube_object *copy = kube_copy(o);
	struct kube_map *m = &template_of(copy)->meta.annotations;
	kube_time_text(control_now(c), text);
	if (kube_is(kube_map_get(m, "kubectl.kubernetes.io/restartedAt"), text)) {
		kube_unref(copy);
		return err_set(
		    err, EINVAL,
		    "failed to create patch for %s: if restart has already been triggered "
		    "within the past second, please wait before attempting to trigger "
		    "another",
		    name);
	}
	kube_map_set(copy, m, "kubectl.kubernetes.io/restartedAt", text);
	return control_update(c, copy, true);
}

int control_rollout_pause(struct control *c, const char *namespace, const char *name, bool pause,
			  struct err *err)
{
	const struct kube_object *o = find(c, KIND_DEPLOYMENT, namespace, name, err);
	if (!o)
		return ENOENT;
	bool paused = ((const struct kube_deployment *)o)->spec.paused == TRI_TRUE;
	if (paused == pause)
		return err_set(err, EINVAL, "deployments.apps \"%s\" is %s", name,
			       pause ? "already paused" : "not paused");
	struct kube_deployment *copy = (struct kube_deployment *)kube_copy(o);
	copy->spec.paused = pause ? TRI_TRUE : TRI_UNSET;
	return control_update(c, &copy->object, true);
}

int control_cordon(struct control *c, const char *node, bool unschedulable, struct err *err)
{
	const struct kube_object *o = find(c, KIND_NODE, NULL, node, err);
	if (!o)
		return ENOENT;
	if ((((const struct kube_node *)o)->spec.unschedulable == TRI_TRUE) == unschedulable)
		return 0;
	struct kube_node *copy = (struct kube_node *)kube_copy(o);
	copy->spec.unschedulable = unschedulable ? TRI_TRUE : TRI_UNSET;
	return control_update(c, &copy->object, true);
}

int control_delete(struct control *c, enum kube_kind kind, const char *namespace,
		   const char *name, int64_t grace_s, struct err *err)
{
	const struct kube_object *o = find(c, kind, namespace, name, err);
	if (!o)
		return ENOENT;
	control_delete_object(c, o, grace_s);
	return 0;
}

/* ---- drain ----------------------------------------------------------------------- */

struct drain {
	struct control *c;
	const struct control_drain_options *o;
	struct strbuf *said;
	struct strbuf daemons, naked, local; /* names that need a flag */
};

static void name_add(struct strbuf *b, const struct kube_pod *p)
{
	strbuf_printf(b, "%s%s/%s", b->length ? ", " : "",
		      text_or(p->object.meta.namespace, "default"), p->object.meta.name);
}

static bool daemon_pod(const struct kube_pod *p)
{
	const struct kube_owner *owner = controller_of(&p->object);
	return owner && kube_is(owner->kind, "DaemonSet");
}

static bool mirror_pod(const struct kube_pod *p)
{
	return kube_map_get(&p->object.meta.annotations, "kubernetes.io/config.mirror") != NULL;
}

static bool evictable(const struct kube_pod *p)
{
	return !daemon_pod(p) && !mirror_pod(p);
}

/* Notes what stands in the way of evicting the pod. */
static void sort_pod(struct drain *d, const struct kube_pod *p)
{
	bool over = !pod_active(p) && !p->object.meta.deletion_ns;
	if (mirror_pod(p))
		return;
	if (daemon_pod(p)) {
		name_add(&d->daemons, p);
		return;
	}
	if (!controller_of(&p->object) && !over)
		name_add(&d->naked, p);
	for (uint32_t i = 0; i < p->spec.volumes.count && !over; i++)
		if (p->spec.volumes.items[i].empty_dir) {
			name_add(&d->local, p);
			break;
		}
}

static int refuse(struct drain *d, const char *node, struct err *err)
{
	struct strbuf why = { 0 };
	if (d->local.length && !d->o->delete_empty_dir)
		strbuf_printf(&why, "cannot delete Pods with local storage (use "
				    "--delete-emptydir-data to override): %s",
			      strbuf_text(&d->local));
	if (d->daemons.length && !d->o->ignore_daemonsets)
		strbuf_printf(&why, "%scannot delete DaemonSet-managed Pods (use "
				    "--ignore-daemonsets to ignore): %s", why.length ? ", " : "",
			      strbuf_text(&d->daemons));
	if (d->naked.length && !d->o->force)
		strbuf_printf(&why,
			      "%scannot delete Pods that declare no controller (use --force to "
			      "override): %s",
			      why.length ? ", " : "", strbuf_text(&d->naked));
	int code = 0;
	if (why.length)
		code = err_set(err, EINVAL, "unable to drain node \"%s\" due to error: %s", node,
			       strbuf_text(&why));
	strbuf_free(&why);
	return code;
}

static void evict(struct drain *d, const struct object_list *pods)
{
	for (uint32_t i = 0; i < pods->count; i++) {
		const struct kube_pod *p = (const struct kube_pod *)pods->items[i];
		if (!evictable(p))
			continue;
		if (d->said)
			strbuf_printf(d->said, "evicting pod %s/%s\n",
				      text_or(p->object.meta.namespace, "default"),
				      p->object.meta.name);
		control_delete_object(d->c, &p->object, d->o->grace_s);
	}
}

static void drain_warn(struct drain *d)
{
	struct strbuf warning = { 0 };
	if (d->daemons.length)
		strbuf_printf(&warning, "ignoring DaemonSet-managed Pods: %s",
			      strbuf_text(&d->daemons));
	if (d->naked.length)
		strbuf_printf(&warning, "%sdeleting Pods that declare no controller: %s",
			      warning.length ? "; " : "", strbuf_text(&d->naked));
	if (d->local.length)
		strbuf_printf(&warning, "%sdeleting Pods with local storage: %s",
			      warning.length ? "; " : "", strbuf_text(&d->local));
	if (warning.length && d->said)
		strbuf_printf(d->said, "Warning: %s\n", strbuf_text(&warning));
	strbuf_free(&warning);
}

int control_drain(struct control *c, const char *node, const struct control_drain_options *o,
		  struct strbuf *said, struct err *err)
{
	const struct kube_node *n = (const struct kube_node *)find(c, KIND_NODE, NULL, node, err);
	if (!n)
		return ENOENT;
	struct drain d = { .c = c, .o = o, .said = said };
	struct object_list pods = { 0 };
	struct pod_record *r;
	if (said)
		strbuf_printf(said, "node/%s %s\n", node,
			      n->spec.unschedulable == TRI_TRUE ? "already cordoned" : "cordoned");
	control_cordon(c, node, true, NULL);
	TAILQ_FOREACH(r, &index_node(&c->index, node)->pods, on_node)
		object_list_add(&pods, kube_ref(r->record.now));
	object_list_sort(&pods);
	for (uint32_t i = 0; i < pods.count; i++)
		sort_pod(&d, (const struct kube_pod *)pods.items[i]);
	int code = refuse(&d, node, err);
	if (!code) {
		drain_warn(&d);
		evict(&d, &pods);
	}
	for (uint32_t i = 0; i < pods.count; i++)
		kube_unref((struct kube_object *)pods.items[i]);
	object_list_free(&pods);
	strbuf_free(&d.daemons);
	strbuf_free(&d.naked);
	strbuf_free(&d.local);
	return code;
}

bool control_drained(const struct control *c, const char *node)
{
	struct node_record *n = index_node(&c->index, node);
	struct pod_record *r;
	if (!n)
		return true;
	TAILQ_FOREACH(r, &n->pods, on_node)
		if (evictable((const struct kube_pod *)r->record.now))
			return false;
	return true;
}
