/* kube/kubectl/describe_workload.c: the kinds that make pods. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/describe.h"

static long long wanted(const struct opt_int *v)
{
	return v->set ? (long long)v->value : 1;
}

/* Pods that the object controls, by phase. */
static void put_pods(struct describe *d, const struct kube_object *o)
{
	uint32_t running = 0, waiting = 0, succeeded = 0, failed = 0;
	const struct kube_object *e;
	for (uint32_t i = 0;
	     (e = kube_store_next(d->c->k->store, KIND_POD, o->meta.namespace, &i));) {
		const struct kube_owner *owner = controller_of(e);
		const struct kube_pod *p = (const struct kube_pod *)e;
		if (!owner || !kube_is(owner->uid, o->meta.uid))
			continue;
		running += kube_is(p->status.phase, "Running");
		waiting += kube_is(p->status.phase, "Pending");
		succeeded += kube_is(p->status.phase, "Succeeded");
		failed += kube_is(p->status.phase, "Failed");
	}
	describe_put(d, 0, "Pods Status:\t%u Running / %u Waiting / %u Succeeded / %u Failed\n",
		     running, waiting, succeeded, failed);
}

static void put_conditions(struct describe *d, const struct kube_conditions *l)
{
	if (!l->count)
		return;
	describe_put(d, 0, "Conditions:\n");
	describe_put(d, 1, "Type\tStatus\tReason\n");
	describe_put(d, 1, "----\t------\t------\n");
	for (uint32_t i = 0; i < l->count; i++)
		describe_put(d, 1, "%s \t%s\t%s\n", l->items[i].type, l->items[i].status,
			     text_or(l->items[i].reason, ""));
}

/* ---- deployment ------------------------------------------------------------------ */

static const char *limit(struct call *c, const struct int_or_string *v)
{
	if (v->kind == 's')
		return v->string;
	return v->kind ? arena_printf(c->arena, "%d", v->number) : "25%";
}

static bool newest(const struct kube_object *d, const struct kube_object *set)
{
	static const char key[] = "deployment.kubernetes.io/revision";
	const char *a = kube_map_get(&d->meta.annotations, key);
	return a && kube_is(kube_map_get(&set->meta.annotations, key), a);
}

static const char *set_list(struct call *c, const struct kube_object *o, bool current)
{
	struct strbuf b = { 0 };
	const struct kube_object *e;
	for (uint32_t i = 0;
	     (e = kube_store_next(c->k->store, KIND_REPLICA_SET, o->meta.namespace, &i));) {
		const struct kube_replica_set *s = (const struct kube_replica_set *)e;
		const struct kube_owner *owner = controller_of(e);
		if (!owner || !kube_is(owner->uid, o->meta.uid) || newest(o, e) != current)
			continue;
		strbuf_printf(&b, "%s%s (%d/%lld replicas created)", b.length ? ", " : "",
			      e->meta.name, s->status.replicas, wanted(&s->spec.replicas));
	}
	const char *text = b.length ? arena_strdup(c->arena, strbuf_text(&b)) : "<none>";
	strbuf_free(&b);
	return text;
}

void describe_deployment(struct describe *d, const struct kube_object *o)
{
	const struct kube_deployment *p = (const struct kube_deployment *)o;
	describe_put_name(d, o);
	describe_put(d, 0, "CreationTimestamp:\t%s\n", long_date(d->c, o->meta.creation_ns));
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "Selector:\t%s\n", selector_text(d->c, &p->spec.selector, ""));
	describe_put(
	    d, 0,
	    "Replicas:\t%lld desired | %d updated | %d total | %d available | %d unavailable\n",
	    wanted(&p->spec.replicas), p->status.updated, p->status.replicas, p->status.available,
	    p->status.unavailable);
	describe_put(d, 0, "StrategyType:\t%s\n", text_or(p->spec.strategy, "RollingUpdate"));
	describe_put(d, 0, "MinReadySeconds:\t%lld\n", (long long)p->spec.min_ready_s.value);
	if (!kube_is(p->spec.strategy, "Recreate"))
		describe_put(d, 0, "RollingUpdateStrategy:\t%s max unavailable, %s max surge\n",
			     limit(d->c, &p->spec.max_unavailable),
			     limit(d->c, &p->spec.max_surge));
	describe_put_template(d, &p->spec.template);
	put_conditions(d, &p->status.conditions);
	describe_put(d, 0, "OldReplicaSets:\t%s\n", set_list(d->c, o, false));
	describe_put(d, 0, "NewReplicaSet:\t%s\n", set_list(d->c, o, true));
	describe_put_events(d, o);
}

void describe_replica_set(struct describe *d, const struct kube_object *o)
{
	const struct kube_replica_set *s = (const struct kube_replica_set *)o;
	describe_put_name(d, o);
	describe_put(d, 0, "Selector:\t%s\n", selector_text(d->c, &s->spec.selector, "<none>"));
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put_controller(d, o);
	describe_put(d, 0, "Replicas:\t%d current / %lld desired\n", s->status.replicas,
		     wanted(&s->spec.replicas));
	put_pods(d, o);
	describe_put_template(d, &s->spec.template);
	put_conditions(d, &s->status.conditions);
	describe_put_events(d, o);
}

/* ---- stateful set ---------------------------------------------------------------- */

static void put_claims(struct describe *d, const struct kube_stateful_set *s)
{
	if (!s->spec.claims.count) {
		describe_put(d, 0, "Volume Claims:\t<none>\n");
		return;
	}
	describe_put(d, 0, "Volume Claims:\n");
	for (uint32_t i = 0; i < s->spec.claims.count; i++) {
		const struct kube_pvc_template *t = &s->spec.claims.items[i];
		describe_put(d, 1, "Name:\t%s\n", t->meta.name);
		describe_put(d, 1, "StorageClass:\t%s\n", text_or(t->storage_class, ""));
		describe_put_pairs(d, "  ", "Labels", &t->meta.labels, false);
		describe_put_annotations(d, "  ", &t->meta.annotations);
		describe_put(d, 1, "Capacity:\t%s\n",
			     text_or(kube_map_get(&t->requests, "storage"), "<default>"));
		describe_put(d, 1, "Access Modes:\t[%s]\n",
			     words_join(d->c, &t->access_modes, " ", ""));
	}
}

void describe_stateful_set(struct describe *d, const struct kube_object *o)
{
	const struct kube_stateful_set *s = (const struct kube_stateful_set *)o;
	describe_put_name(d, o);
	describe_put(d, 0, "CreationTimestamp:\t%s\n", long_date(d->c, o->meta.creation_ns));
	describe_put(d, 0, "Selector:\t%s\n", selector_text(d->c, &s->spec.selector, ""));
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "Replicas:\t%lld desired | %d total\n", wanted(&s->spec.replicas),
		     s->status.replicas);
	describe_put(d, 0, "Update Strategy:\t%s\n",
		     text_or(s->spec.update_strategy, "RollingUpdate"));
	if (s->spec.partition.set)
		describe_put(d, 1, "Partition:\t%lld\n", (long long)s->spec.partition.value);
	if (s->spec.max_unavailable.kind)
		describe_put(d, 1, "MaxUnavailable:\t%s\n", limit(d->c, &s->spec.max_unavailable));
	put_pods(d, o);
	describe_put_template(d, &s->spec.template);
	put_claims(d, s);
	describe_put_events(d, o);
}

/* ---- daemon set, job ------------------------------------------------------------- */

void describe_daemon_set(struct describe *d, const struct kube_object *o)
{
	const struct kube_daemon_set *s = (const struct kube_daemon_set *)o;
	describe_put_name(d, o);
	describe_put(d, 0, "Selector:\t%s\n", selector_text(d->c, &s->spec.selector, ""));
	describe_put(d, 0, "Node-Selector:\t%s\n",
		     pairs_text(d->c, &s->spec.template.spec.node_selector, "<none>"));
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "Desired Number of Nodes Scheduled: %d\n", s->status.desired);
	describe_put(d, 0, "Current Number of Nodes Scheduled: %d\n", s->status.current);
	describe_put(d, 0, "Number of Nodes Scheduled with Up-to-date Pods: %d\n",
		     s->status.updated);
	describe_put(d, 0, "Number of Nodes Scheduled with Available Pods: %d\n",
		     s->status.available);
	describe_put(d, 0, "Number of Nodes Misscheduled: %d\n", s->status.misscheduled);
	put_pods(d, o);
	describe_put_template(d, &s->spec.template);
	describe_put_events(d, o);
}

void describe_job(struct describe *d, const struct kube_object *o)
{
	const struct kube_job *j = (const struct kube_job *)o;
	describe_put_name(d, o);
	describe_put(d, 0, "Selector:\tbatch.kubernetes.io/controller-uid=%s\n",
		     text_or(o->meta.uid, ""));
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put_controller(d, o);
	describe_put(d, 0, "Parallelism:\t%lld\n", wanted(&j->spec.parallelism));
	if (j->spec.completions.set)
		describe_put(d, 0, "Completions:\t%lld\n", (long long)j->spec.completions.value);
	else
		describe_put(d, 0, "Completions:\t<unset>\n");
	describe_put(d, 0, "Completion Mode:\tNonIndexed\n");
	describe_put(d, 0, "Suspend:\tfalse\n");
	describe_put(d, 0, "Backoff Limit:\t%lld\n",
		     j->spec.backoff_limit.set ? (long long)j->spec.backoff_limit.value : 6);
	if (j->status.start_ns)
		describe_put(d, 0, "Start Time:\t%s\n", long_date(d->c, j->status.start_ns));
	if (j->status.completion_ns) {
		describe_put(d, 0, "Completed At:\t%s\n", long_date(d->c, j->status.completion_ns));
		describe_put(d, 0, "Duration:\t%s\n",
			     human_duration(d->c, j->status.completion_ns - j->status.start_ns));
	}
	describe_put(d, 0, "Pods Statuses:\t%d Active / %d Succeeded / %d Failed\n",
		     j->status.active, j->status.succeeded, j->status.failed);
	describe_put_template(d, &j->spec.template);
	describe_put_events(d, o);
}
