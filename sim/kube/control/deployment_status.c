/* kube/control/deployment_status.c: scaling in mid-rollout, history, conditions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/deployment.h"

/* ---- scaling that is no rollout -------------------------------------------------- */

static int64_t annotated(const struct kube_object *o, const char *key, int64_t otherwise)
{
	const char *text = kube_map_get(&o->meta.annotations, key);
	return text ? strtoll(text, NULL, 10) : otherwise;
}

bool rollout_needs_scaling(const struct rollout *r)
{
	for (uint32_t i = 0; i < r->count; i++) {
		const struct set_view *v = &r->sets[i];
		if (v->replicas && annotated(&v->set->object, DESIRED_REPLICAS, r->replicas) !=
					   r->replicas)
			return true;
	}
	return false;
}

static int compare_sizes(const struct set_view *a, const struct set_view *b)
{
	if (a->replicas != b->replicas)
		return a->replicas > b->replicas ? -1 : 1;
	int64_t made_a = a->set->object.meta.creation_ns, made_b = b->set->object.meta.creation_ns;
	return (made_a > made_b) - (made_a < made_b);
}

static int bigger_newer(const void *a, const void *b)
{
	const struct set_view *p = *(const struct set_view *const *)a;
	const struct set_view *q = *(const struct set_view *const *)b;
	if (p->replicas == q->replicas)
		return -compare_sizes(p, q);
	return compare_sizes(p, q);
}

static int bigger_older(const void *a, const void *b)
{
	return compare_sizes(*(const struct set_view *const *)a,
			     *(const struct set_view *const *)b);
}

/* What a set of this size gets of a change, so that its part of the whole stays. */
static int64_t proportion(const struct rollout *r, const struct set_view *v, int64_t change,
			  int64_t done)
{
	int64_t limit = r->replicas + r->surge;
	int64_t old = annotated(&v->set->object, MAX_REPLICAS, v->set->status.replicas);
	if (!v->replicas || change == done)
		return 0;
	if (old <= 0)
		old = r->d->status.replicas > 0 ? r->d->status.replicas : 1;
	int64_t fraction = (2 * v->replicas * limit + old) / (2 * old) - v->replicas;
	int64_t left = change - done;
	if (change > 0)
		return fraction < left ? fraction : left;
	return fraction > left ? fraction : left;
}

static void rescale_all(struct rollout *r, struct set_view **active, uint32_t n)
{
	int64_t all = 0, done = 0;
	for (uint32_t i = 0; i < n; i++)
		all += active[i]->replicas;
	int64_t change = (r->replicas > 0 ? r->replicas + r->surge : 0) - all;
	qsort(active, n, sizeof *active, change > 0 ? bigger_newer : bigger_older);
	int64_t *sizes = mem_array(n, sizeof *sizes);
	for (uint32_t i = 0; i < n; i++) {
		int64_t part = change ? proportion(r, active[i], change, done) : 0;
		sizes[i] = active[i]->replicas + part;
		done += part;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (i == 0)
			sizes[0] += change - done;
		if (sizes[i] < 0)
			sizes[i] = 0;
		if (!set_scale(r, active[i], sizes[i]) &&
		    annotated(&active[i]->set->object, DESIRED_REPLICAS, -1) != r->replicas) {
			/* The size stays, but the set must know the Deployment's. */
			struct kube_object *copy = object_touch(&active[i]->set->object);
			char text[24];
			snprintf(text, sizeof text, "%lld", (long long)r->replicas);
			kube_map_set(copy, &copy->meta.annotations, DESIRED_REPLICAS, text);
			control_update(r->c, copy, false);
		}
	}
	free(sizes);
}

void rollout_rescale(struct rollout *r)
{
	struct set_view **active = mem_array(r->count + 1, sizeof *active);
	struct set_view *latest = r->newest;
	uint32_t n = 0;
	for (uint32_t i = 0; i < r->count; i++)
		if (r->sets[i].replicas)
			active[n++] = &r->sets[i];
	if (!latest && r->count)
		latest = &r->sets[r->count - 1];
	bool saturated = r->newest && r->newest->replicas == r->replicas &&
			 r->newest->set->status.available == r->replicas &&
			 annotated(&r->newest->set->object, DESIRED_REPLICAS, -1) == r->replicas;
	if (n <= 1) {
		struct set_view *only = n ? active[0] : latest;
		if (only)
			rescale_all(r, &only, 1);
		if (only && only->replicas != r->replicas)
			set_scale(r, only, r->replicas);
	} else if (saturated) {
		for (uint32_t i = 0; i < n; i++)
			if (active[i] != r->newest)
				set_scale(r, active[i], 0);
	} else if (!kube_is(r->d->spec.strategy, "Recreate")) {
		rescale_all(r, active, n);
	}
	free(active);
}

/* ---- history --------------------------------------------------------------------- */

static int by_revision(const void *a, const void *b)
{
	const struct set_view *p = *(const struct set_view *const *)a;
	const struct set_view *q = *(const struct set_view *const *)b;
	int64_t x = set_revision(&p->set->object), y = set_revision(&q->set->object);
	return (x > y) - (x < y);
}

void rollout_clean_up(struct rollout *r)
{
	int64_t limit = r->d->spec.revision_history_limit.set
				? r->d->spec.revision_history_limit.value : 10;
	struct set_view **old = mem_array(r->count + 1, sizeof *old);
	uint32_t n = 0;
	for (uint32_t i = 0; i < r->count; i++)
		if (set_is_old(r, &r->sets[i]) && !r->sets[i].set->object.meta.deletion_ns)
			old[n++] = &r->sets[i];
	qsort(old, n, sizeof *old, by_revision);
	for (uint32_t i = 0; (int64_t)n - i > limit; i++) {
		const struct kube_replica_set *s = old[i]->set;
		if (!s->status.replicas && !old[i]->replicas)
			control_delete_object(r->c, &s->object, -1);
	}
	free(old);
}

/* ---- status ---------------------------------------------------------------------- */

bool rollout_complete(const struct kube_deployment *d)
{
	int32_t want = (int32_t)(d->spec.replicas.set ? d->spec.replicas.value : 1);
	return d->status.updated == want && d->status.replicas == want &&
	       d->status.available == want &&
	       d->status.observed_generation >= d->object.meta.generation;
}

/* A condition that changes moves to the end of the list, as the controller writes it. */
static void set_condition(struct rollout *r, struct kube_deployment *d, const char *type,
			  const char *status, const char *reason, const char *message)
{
	const struct kube_condition *have = condition_find(&d->status.conditions, type);
	if (have && kube_is(have->status, status) && kube_is(have->reason, reason))
		return;
	struct kube_condition moved = have ? *have : (struct kube_condition){ 0 };
	struct kube_conditions left = { 0 };
	uint32_t n = d->status.conditions.count;
	left.items = arena_array(d->object.arena, n + 1, sizeof *left.items);
	for (uint32_t i = 0; i < n; i++)
		if (&d->status.conditions.items[i] != have)
			left.items[left.count++] = d->status.conditions.items[i];
	if (have)
		left.items[left.count++] = moved;
	d->status.conditions = left;
	condition_set(&d->object, &d->status.conditions, type, status, reason, message,
		      control_now(r->c));
}

static void count_pods(const struct rollout *r, struct kube_deployment *d)
{
	int64_t all = 0;
	d->status.replicas = d->status.ready = d->status.available = 0;
	for (uint32_t i = 0; i < r->count; i++) {
		const struct kube_replica_set *s = r->sets[i].set;
		all += r->sets[i].replicas;
		d->status.replicas += s->status.replicas;
		d->status.ready += s->status.ready;
		d->status.available += s->status.available;
	}
	d->status.updated = r->newest ? r->newest->set->status.replicas : 0;
	d->status.unavailable =
	    (int32_t)(all > d->status.available ? all - d->status.available : 0);
	d->status.observed_generation = r->d->object.meta.generation;
	if (d->status.available >= r->replicas - r->unavailable)
		set_condition((struct rollout *)r, d, "Available", "True",
			      "MinimumReplicasAvailable", "Deployment has minimum availability.");
	else
		set_condition((struct rollout *)r, d, "Available", "False",
			      "MinimumReplicasUnavailable",
			      "Deployment does not have minimum availability.");
}

static bool progressing(const struct kube_deployment *old, const struct kube_deployment *now)
{
	return now->status.updated > old->status.updated ||
	       now->status.replicas - now->status.updated <
		       old->status.replicas - old->status.updated ||
	       now->status.ready > old->status.ready ||
	       now->status.available > old->status.available;
}

/* Looks at the deadline: late says False, else comes back a second after it. */
static void check_deadline(struct rollout *r, struct kube_deployment *d, const char *message)
{
	int64_t deadline_s =
	    d->spec.progress_deadline_s.set ? d->spec.progress_deadline_s.value : 600;
	int64_t *progress = progress_time(r->c, &d->object);
	int64_t left = *progress + deadline_s * NS_PER_S - control_now(r->c);
	if (left < 0)
		set_condition(r, d, "Progressing", "False", "ProgressDeadlineExceeded", message);
	else
		queue_add(&r->c->queues[KIND_DEPLOYMENT], d->object.meta.namespace,
			  d->object.meta.name, left + NS_PER_S);
}

static void progress_conditions(struct rollout *r, struct kube_deployment *d)
{
	const struct kube_condition *have = condition_find(&d->status.conditions, "Progressing");
	const char *set = r->newest ? r->newest->set->object.meta.name : d->object.meta.name;
	const char *what = r->newest ? "ReplicaSet" : "Deployment";
	char message[400];
	int64_t *progress = progress_time(r->c, &d->object);
	if (r->created) {
		snprintf(message, sizeof message, "Created new replica set \"%s\"", r->created);
		set_condition(r, d, "Progressing", "True", "NewReplicaSetCreated", message);
		*progress = control_now(r->c);
	} else if (!have && r->newest) {
		snprintf(message, sizeof message, "Found new replica set \"%s\"", set);
		set_condition(r, d, "Progressing", "True", "FoundNewReplicaSet", message);
		*progress = control_now(r->c);
	}
	have = condition_find(&d->status.conditions, "Progressing");
	if (d->status.replicas == d->status.updated && have &&
	    kube_is(have->reason, "NewReplicaSetAvailable"))
		return;
	if (rollout_complete(d)) {
		snprintf(message, sizeof message, "%s \"%s\" has successfully progressed.", what,
			 set);
		set_condition(r, d, "Progressing", "True", "NewReplicaSetAvailable", message);
	} else if (progressing(r->d, d)) {
		snprintf(message, sizeof message, "%s \"%s\" is progressing.", what, set);
		set_condition(r, d, "Progressing", "True", "ReplicaSetUpdated", message);
		*progress = control_now(r->c);
		check_deadline(r, d, NULL);
	} else {
		snprintf(message, sizeof message, "%s \"%s\" has timed out progressing.", what,
			 set);
		check_deadline(r, d, message);
	}
}

static void pause_conditions(struct rollout *r, struct kube_deployment *d)
{
	const struct kube_condition *have = condition_find(&d->status.conditions, "Progressing");
	bool paused = d->spec.paused == TRI_TRUE;
	if (have && kube_is(have->reason, "ProgressDeadlineExceeded"))
		return;
	if (paused)
		set_condition(r, d, "Progressing", "Unknown", "DeploymentPaused",
			      "Deployment is paused");
	else if (have && kube_is(have->reason, "DeploymentPaused"))
		set_condition(r, d, "Progressing", "Unknown", "DeploymentResumed",
			      "Deployment is resumed");
}

static bool same_conditions(const struct kube_conditions *a, const struct kube_conditions *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!kube_is(a->items[i].type, b->items[i].type) ||
		    !kube_is(a->items[i].status, b->items[i].status) ||
		    !kube_is(a->items[i].reason, b->items[i].reason))
			return false;
	return true;
}

static bool same_status(const struct kube_deployment *a, const struct kube_deployment *b)
{
	return a->status.replicas == b->status.replicas && a->status.updated == b->status.updated &&
	       a->status.ready == b->status.ready && a->status.available == b->status.available &&
	       a->status.unavailable == b->status.unavailable &&
	       a->status.observed_generation == b->status.observed_generation &&
	       same_conditions(&a->status.conditions, &b->status.conditions);
}

void rollout_write_status(struct rollout *r)
{
	const struct kube_object *o = kube_store_get(r->c->store, KIND_DEPLOYMENT,
						     r->d->object.meta.namespace,
						     r->d->object.meta.name);
	if (!o)
		return;
	struct kube_deployment *d = (struct kube_deployment *)object_touch(o);
	count_pods(r, d);
	pause_conditions(r, d);
	if (d->spec.paused != TRI_TRUE)
		progress_conditions(r, d);
	const char *revision = kube_map_get(&o->meta.annotations, REVISION);
	bool renumbered = *r->revision && !kube_is(revision, r->revision);
	if (renumbered)
		kube_map_set(&d->object, &d->object.meta.annotations, REVISION, r->revision);
	if (!renumbered && same_status((const struct kube_deployment *)o, d)) {
		kube_unref(&d->object);
		return;
	}
	control_update(r->c, &d->object, false);
}
