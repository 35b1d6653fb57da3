/* kube/control/rollout.c: rollouts as kubectl looks at them, and back to a revision.
 *
 * Words and order of the checks: kubectl/pkg/polymorphichelpers/rollout_status.go and
 * rollback.go.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/deployment.h"
#include "kube/control/verbs.h"
#include "kube/schema.h"

/* ---- status ---------------------------------------------------------------------- */

static void say(struct strbuf *line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct strbuf *line, const char *fmt, ...)
{
	va_list ap;
	if (!line)
		return;
	va_start(ap, fmt);
	strbuf_vprintf(line, fmt, ap);
	va_end(ap);
}

static int32_t number(const struct opt_int *v)
{
	return v->set ? (int32_t)v->value : 1;
}

static enum control_rollout deployment_status(const struct kube_deployment *d,
					      struct strbuf *line, struct err *err)
{
	const char *name = d->object.meta.name;
	const struct kube_condition *p = condition_find(&d->status.conditions, "Progressing");
	int32_t want = number(&d->spec.replicas);
	if (d->object.meta.generation > d->status.observed_generation) {
		say(line, "Waiting for deployment spec update to be observed...");
		return ROLLOUT_WAITING;
	}
	if (p && kube_is(p->reason, "ProgressDeadlineExceeded")) {
		err_set(err, ETIMEDOUT, "deployment \"%s\" exceeded its progress deadline", name);
		return ROLLOUT_FAILED;
	}
	if (d->status.updated < want)
		say(line,
		    "Waiting for deployment \"%s\" rollout to finish: %d out of %d new replicas "
		    "have been updated...",
		    name, d->status.updated, want);
	else if (d->status.replicas > d->status.updated)
		say(line, "Waiting for deployment \"%s\" rollout to finish: %d old replicas are "
			  "pending termination...", name, d->status.replicas - d->status.updated);
	else if (d->status.available < d->status.updated)
		say(line,
		    "Waiting for deployment \"%s\" rollout to finish: %d of %d updated replicas "
		    "are available...",
		    name, d->status.available, d->status.updated);
	else {
		say(line, "deployment \"%s\" successfully rolled out", name);
		return ROLLOUT_DONE;
	}
	return ROLLOUT_WAITING;
}

static enum control_rollout daemon_status(const struct kube_daemon_set *d, struct strbuf *line,
					  struct err *err)
{
	const char *name = d->object.meta.name;
	if (kube_is(d->spec.update_strategy, "OnDelete")) {
		err_set(err, EINVAL,
			"rollout status is only available for RollingUpdate strategy type");
		return ROLLOUT_FAILED;
	}
	if (d->object.meta.generation > d->status.observed_generation)
		say(line, "Waiting for daemon set spec update to be observed...");
	else if (d->status.updated < d->status.desired)
		say(line,
		    "Waiting for daemon set \"%s\" rollout to finish: %d out of %d new pods have "
		    "been updated...",
		    name, d->status.updated, d->status.desired);
	else if (d->status.available < d->status.desired)
		say(line,
		    "Waiting for daemon set \"%s\" rollout to finish: %d of %d updated pods are "
		    "available...",
		    name, d->status.available, d->status.desired);
	else {
		say(line, "daemon set \"%s\" successfully rolled out", name);
		return ROLLOUT_DONE;
	}
	return ROLLOUT_WAITING;
}

/* A set whose rollingUpdate block is there (the API's default) ends as partitioned. */
static enum control_rollout stateful_status(const struct kube_stateful_set *s,
					    struct strbuf *line, struct err *err)
{
	int32_t want = number(&s->spec.replicas);
	if (kube_is(s->spec.update_strategy, "OnDelete")) {
		err_set(err, EINVAL,
			"rollout status is only available for RollingUpdate strategy type");
		return ROLLOUT_FAILED;
	}
	if (!s->status.observed_generation ||
	    s->object.meta.generation > s->status.observed_generation) {
		say(line, "Waiting for statefulset spec update to be observed...");
		return ROLLOUT_WAITING;
	}
	if (s->status.ready < want) {
		say(line, "Waiting for %d pods to be ready...", want - s->status.ready);
		return ROLLOUT_WAITING;
	}
	if (s->spec.partition.set) {
		int32_t parts = want - (int32_t)s->spec.partition.value;
		if (s->status.updated < parts) {
			say(line,
			    "Waiting for partitioned roll out to finish: %d out of %d new pods "
			    "have been updated...",
			    s->status.updated, parts);
			return ROLLOUT_WAITING;
		}
		say(line, "partitioned roll out complete: %d new pods have been updated...",
		    s->status.updated);
		return ROLLOUT_DONE;
	}
	if (!kube_is(s->status.update_revision, s->status.current_revision)) {
		say(line, "waiting for statefulset rolling update to complete %d pods at revision "
			  "%s...", s->status.updated, s->status.update_revision);
		return ROLLOUT_WAITING;
	}
	say(line, "statefulset rolling update complete %d pods at revision %s...",
	    s->status.current, text_or(s->status.current_revision, ""));
	return ROLLOUT_DONE;
}

enum control_rollout control_rollout(const struct control *c, enum kube_kind kind,
				     const char *namespace, const char *name,
				     struct strbuf *line, struct err *err)
{
	const struct kube_object *o = kube_store_get(c->store, kind, namespace, name);
	if (!o) {
		control_not_found(kind, name, err);
		return ROLLOUT_FAILED;
	}
	switch (kind) {
	case KIND_DEPLOYMENT:
		return deployment_status((const struct kube_deployment *)o, line, err);
	case KIND_DAEMON_SET:
		return daemon_status((const struct kube_daemon_set *)o, line, err);
	case KIND_STATEFUL_SET:
		return stateful_status((const struct kube_stateful_set *)o, line, err);
	default:
		err_set(err, EINVAL, "no status viewer has been implemented for %s",
			kube_schema(kind)->name);
		return ROLLOUT_FAILED;
	}
}

/* ---- history --------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	const struct control_revision *p = a, *q = b;
	return (p->number > q->number) - (p->number < q->number);
}

uint32_t control_revisions(struct control *c, const struct kube_object *o,
			   struct control_revision **out)
{
	struct object_list l = { 0 };
	enum kube_kind kind = o->kind == KIND_DEPLOYMENT ? KIND_REPLICA_SET
							 : KIND_CONTROLLER_REVISION;
	index_owned(&c->index, text_or(o->meta.uid, ""), kind, &l);
	struct control_revision *items = mem_array(l.count, sizeof *items);
	uint32_t n = 0;
	for (uint32_t i = 0; i < l.count; i++) {
		const struct kube_object *have = l.items[i];
		if (kind == KIND_REPLICA_SET) {
			items[n].number = set_revision(have);
			items[n].template = &((const struct kube_replica_set *)have)->spec.template;
		} else {
			const struct kube_controller_revision *r = (const void *)have;
			items[n].number = r->revision;
			items[n].template = &r->template;
		}
		items[n].object = have;
		items[n].cause =
		    kube_map_get(&have->meta.annotations, "kubernetes.io/change-cause");
		n += items[n].number > 0;
	}
	qsort(items, n, sizeof *items, by_number);
	object_list_free(&l);
	*out = items;
	return n;
}

static const struct control_revision *choose(const struct control_revision *l, uint32_t n,
					     int64_t wanted)
{
	if (!wanted)
		return n > 1 ? &l[n - 2] : NULL;
	for (uint32_t i = 0; i < n; i++)
		if (l[i].number == wanted)
			return &l[i];
	return NULL;
}

/* Puts the template of a revision into a copy of the object. */
static void take_back(struct kube_object *copy, const struct control_revision *r)
{
	struct kube_template *to = template_of(copy);
	struct kube_map labels = { 0 };
	template_share(copy, to, r->object, r->template);
	for (uint32_t i = 0; i < r->template->meta.labels.count; i++) {
		const struct kube_pair *p = &r->template->meta.labels.items[i];
		if (strcmp(p->key, HASH_LABEL) != 0)
			kube_map_set(copy, &labels, p->key, p->value);
	}
	to->meta.labels = labels;
}

int control_rollout_undo(struct control *c, enum kube_kind kind, const char *namespace,
			 const char *name, int64_t revision, struct strbuf *said,
			 struct err *err)
{
	const struct kube_object *o = kube_store_get(c->store, kind, namespace, name);
	struct control_revision *l = NULL;
	if (!o)
		return control_not_found(kind, name, err);
	if (kind != KIND_DEPLOYMENT && kind != KIND_STATEFUL_SET && kind != KIND_DAEMON_SET)
		return err_set(err, EINVAL, "no rollbacker has been implemented for \"%s\"",
			       kube_schema(kind)->name);
	if (kind == KIND_DEPLOYMENT && ((const struct kube_deployment *)o)->spec.paused == TRI_TRUE)
		return err_set(
		    err, EINVAL,
		    "you cannot rollback a paused deployment; resume it first with 'kubectl "
		    "rollout resume' and try again");
	uint32_t n = control_revisions(c, o, &l);
	const struct control_revision *r = choose(l, n, revision);
	int code = 0;
	struct kube_object *copy = r ? kube_copy(o) : NULL;
	if (!r) {
		code = revision ? err_set(err, ENOENT,
					  "unable to find specified revision %lld in history",
					  (long long)revision)
				: err_set(err, ENOENT, "no rollout history found for %s \"%s\"",
					  kube_schema(kind)->plural, name);
	} else if (template_digest(c, r->object, r->template) ==
		   template_digest(c, o, template_of(copy))) {
		kube_unref(copy);
		say(said, "skipped rollback (current template already matches revision %lld)",
		    (long long)r->number);
	} else {
		take_back(copy, r);
		struct kube_object *whole = kube_copy(copy);
		kube_unref(copy);
		code = control_update(c, whole, true);
		say(said, "rolled back");
	}
	free(l);
	return code;
}
