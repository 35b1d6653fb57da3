/* kube/control/replicaset.c: ReplicaSet and ReplicationController.
 *
 * A pod is replaced as soon as its deletion time is seen; what counts is active pods
 * only. On the way down the order of the victims is the controller's ranking.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/internal.h"
#include "kube/schema.h"

#define BURST 500u /* creates or deletes in one sync */

static const char *component(const struct kube_object *o)
{
	return o->kind == KIND_REPLICA_SET ? "replicaset-controller" : "replication-controller";
}

/* ---- victims --------------------------------------------------------------------- */

struct victim {
	const struct kube_pod *pod;
	int64_t now_ns, cost;
	uint32_t related; /* pods of the same owner on its node */
	int32_t restarts;
};

static int phase_rank(const struct kube_pod *p)
{
	if (kube_is(p->status.phase, "Running"))
		return 2;
	return kube_is(p->status.phase, "Unknown") ? 1 : 0;
}

static int order(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* Ages count in powers of two, so that a little older is not different. */
static int log_age(int64_t since_ns, int64_t now_ns)
{
	int64_t age = now_ns - since_ns;
	return age > 0 ? (int)log2((double)age) : -1;
}

static int64_t whole_seconds(int64_t ns)
{
	return ns / NS_PER_S * NS_PER_S; /* as the API keeps times */
}

static int by_uid(const struct victim *a, const struct victim *b)
{
	return strcmp(text_or(a->pod->object.meta.uid, ""), text_or(b->pod->object.meta.uid, ""));
}

static int by_age(const struct victim *a, const struct victim *b, int64_t since_a, int64_t since_b)
{
	int d = log_age(since_a, a->now_ns) - log_age(since_b, a->now_ns);
	return d ? d : by_uid(a, b);
}

static int by_rank(const void *x, const void *y)
{
	const struct victim *a = x, *b = y;
	int d = order(a->pod->spec.node_name != NULL, b->pod->spec.node_name != NULL);
	if (!d)
		d = order(phase_rank(a->pod), phase_rank(b->pod));
	if (!d)
		d = order(pod_ready(a->pod), pod_ready(b->pod));
	if (!d)
		d = order(a->cost, b->cost);
	if (!d)
		d = order(b->related, a->related);
	if (d)
		return d;
	if (pod_ready(a->pod)) {
		int64_t since_a = whole_seconds(pod_ready_since(a->pod));
		int64_t since_b = whole_seconds(pod_ready_since(b->pod));
		if (since_a != since_b)
			return by_age(a, b, since_a, since_b);
	}
	d = order(b->restarts, a->restarts);
	if (d)
		return d;
	int64_t made_a = whole_seconds(a->pod->object.meta.creation_ns);
	int64_t made_b = whole_seconds(b->pod->object.meta.creation_ns);
	return made_a == made_b ? by_uid(a, b) : by_age(a, b, made_a, made_b);
}

static int32_t most_restarts(const struct kube_pod *p)
{
	int32_t most = 0;
	for (uint32_t i = 0; i < p->status.containers.count; i++)
		if (p->status.containers.items[i].restart_count > most)
			most = p->status.containers.items[i].restart_count;
	return most;
}

/* Counts pods of all ReplicaSets of the same Deployment, by node. */
static void count_related(struct control *c, const struct kube_object *o, struct table *by_node)
{
	struct object_list sets = { 0 }, pods = { 0 };
	const struct kube_owner *owner = controller_of(o);
	if (owner)
		index_owned(&c->index, owner->uid, o->kind, &sets);
	else
		object_list_add(&sets, o);
	for (uint32_t i = 0; i < sets.count; i++)
		index_owned(&c->index, sets.items[i]->meta.uid, KIND_POD, &pods);
	for (uint32_t i = 0; i < pods.count; i++) {
		const struct kube_pod *p = (const struct kube_pod *)pods.items[i];
		if (pod_active(p) && p->spec.node_name)
			++*(uint32_t *)table_put(by_node, p->spec.node_name, NULL);
	}
	object_list_free(&sets);
	object_list_free(&pods);
}

static void delete_surplus(struct control *c, const struct kube_object *o,
			   const struct object_list *active, uint32_t surplus)
{
	struct victim *victims = mem_array(active->count, sizeof *victims);
	struct table by_node;
	table_init(&by_node, TABLE_STRING_KEYS, sizeof(uint32_t));
	count_related(c, o, &by_node);
	for (uint32_t i = 0; i < active->count; i++) {
		const struct kube_pod *p = (const struct kube_pod *)active->items[i];
		const char *cost = kube_map_get(&p->object.meta.annotations,
						"controller.kubernetes.io/pod-deletion-cost");
		const uint32_t *related =
			p->spec.node_name ? table_find(&by_node, p->spec.node_name) : NULL;
		victims[i] = (struct victim){
			.pod = p, .now_ns = control_now(c), .restarts = most_restarts(p),
			.cost = cost ? strtol(cost, NULL, 10) : 0,
			.related = related ? *related : 0,
		};
	}
	qsort(victims, active->count, sizeof *victims, by_rank);
	for (uint32_t i = 0; i < surplus && i < BURST; i++) {
		control_event(c, o, false, "SuccessfulDelete", component(o), "Deleted pod: %s",
			      victims[i].pod->object.meta.name);
		control_delete_object(c, &victims[i].pod->object, -1);
	}
	table_free(&by_node);
	free(victims);
}

/* ---- pods of a set --------------------------------------------------------------- */

static void release(struct control *c, const struct kube_object *pod, const char *uid)
{
	struct kube_object *copy = kube_copy(pod);
	uint32_t n = 0;
	for (uint32_t i = 0; i < copy->meta.owners.count; i++)
		if (!kube_is(copy->meta.owners.items[i].uid, uid))
			copy->meta.owners.items[n++] = copy->meta.owners.items[i];
	copy->meta.owners.count = n;
	control_update(c, copy, false);
}

static void adopt(struct control *c, const struct kube_object *pod, const struct kube_object *owner)
{
	struct kube_object *copy = kube_copy(pod);
	owner_add(copy, owner, true);
	control_update(c, copy, false);
}

/* Lets go pods whose labels no longer match and takes in matching ones without owner. Only
 * when the set has changed, or labels or owners of some pod have. */
static void claim_pods(struct control *c, const struct kube_object *o,
		       const struct kube_selector *selector)
{
	struct object_list pods = { 0 };
	if (!claims_stale(c, o))
		return;
	index_owned(&c->index, o->meta.uid, KIND_POD, &pods);
	for (uint32_t i = 0; i < pods.count; i++)
		if (!kube_selector_matches(selector, &pods.items[i]->meta.labels) &&
		    !pods.items[i]->meta.deletion_ns)
			release(c, pods.items[i], o->meta.uid);
	object_list_free(&pods);
	index_select_full(&c->index, o->meta.namespace, selector, &pods);
	for (uint32_t i = 0; i < pods.count; i++)
		if (!controller_of(pods.items[i]) &&
		    pod_active((const struct kube_pod *)pods.items[i]))
			adopt(c, pods.items[i], o);
	object_list_free(&pods);
}

static void create_pods(struct control *c, const struct kube_replica_set *set, uint32_t count)
{
	char prefix[260];
	snprintf(prefix, sizeof prefix, "%.253s-", set->object.meta.name);
	for (uint32_t i = 0; i < count && i < BURST; i++) {
		struct kube_pod *p = pod_from_template(c, &set->spec.template, &set->object,
						       &set->object);
		struct err err;
		p->object.meta.name = name_generate(c, &p->object, prefix);
		p->object.meta.generate_name = kube_string(&p->object, prefix);
		char name[80];
		snprintf(name, sizeof name, "%s", p->object.meta.name);
		if (control_create(c, &p->object, &err) == 0)
			control_event(c, &set->object, false, "SuccessfulCreate",
				      component(&set->object), "Created pod: %s", name);
		else
			control_event(c, &set->object, true, "FailedCreate",
				      component(&set->object), "Error creating: %s", err.text);
	}
}

static void write_status(struct control *c, const struct kube_replica_set *set,
			 const struct object_list *active)
{
	int32_t labeled = 0, ready = 0, available = 0;
	int64_t again = INT64_MAX;
	for (uint32_t i = 0; i < active->count; i++) {
		const struct kube_pod *p = (const struct kube_pod *)active->items[i];
		int64_t wait;
		labeled +=
		    kube_map_selects(&set->spec.template.meta.labels, &p->object.meta.labels);
		ready += pod_ready(p);
		available += pod_available(c, p, set->spec.min_ready_s.value, &wait);
		if (wait && wait < again)
			again = wait;
	}
	if (again != INT64_MAX) /* a second later than the pod becomes available */
		queue_add(&c->queues[set->object.kind], set->object.meta.namespace,
			  set->object.meta.name, again);
	if (set->status.replicas == (int32_t)active->count && set->status.ready == ready &&
	    set->status.fully_labeled == labeled && set->status.available == available &&
	    set->status.observed_generation == set->object.meta.generation)
		return;
	struct kube_replica_set *copy = (struct kube_replica_set *)object_touch(&set->object);
	copy->status.replicas = (int32_t)active->count;
	copy->status.fully_labeled = labeled;
	copy->status.ready = ready;
	copy->status.available = available;
	copy->status.observed_generation = set->object.meta.generation;
	control_update(c, &copy->object, false);
}

static void set_sync(struct control *c, enum kube_kind kind, const char *namespace,
		     const char *name)
{
	const struct kube_object *o = kube_store_get(c->store, kind, namespace, name);
	if (!o)
		return;
	kube_ref(o);
	const struct kube_replica_set *set = (const struct kube_replica_set *)o;
	if (!o->meta.deletion_ns)
		claim_pods(c, o, &set->spec.selector);
	struct object_list owned = { 0 }, active = { 0 };
	index_owned(&c->index, o->meta.uid, KIND_POD, &owned);
	for (uint32_t i = 0; i < owned.count; i++)
		if (pod_active((const struct kube_pod *)owned.items[i]))
			object_list_add(&active, kube_ref(owned.items[i]));
	uint32_t want = (uint32_t)(set->spec.replicas.set ? set->spec.replicas.value : 1);
	if (!o->meta.deletion_ns && active.count < want)
		create_pods(c, set, want - active.count);
	else if (!o->meta.deletion_ns && active.count > want)
		delete_surplus(c, o, &active, active.count - want);
	write_status(c, set, &active);
	for (uint32_t i = 0; i < active.count; i++)
		kube_unref((struct kube_object *)active.items[i]);
	object_list_free(&owned);
	object_list_free(&active);
	kube_unref((struct kube_object *)o);
}

void replica_set_sync(struct control *c, const char *namespace, const char *name)
{
	set_sync(c, KIND_REPLICA_SET, namespace, name);
}

void replication_sync(struct control *c, const char *namespace, const char *name)
{
	set_sync(c, KIND_REPLICATION_CONTROLLER, namespace, name);
}

/* ---- triggers -------------------------------------------------------------------- */

/* Whether the change can matter to a set that only counts: ready, gone, going. */
static bool counts_change(const struct kube_pod *old, const struct kube_pod *now)
{
	return !old || !now || pod_active(old) != pod_active(now) ||
	       pod_ready(old) != pod_ready(now) ||
	       !maps_equal(&old->object.meta.labels, &now->object.meta.labels) ||
	       !controller_of(&old->object) != !controller_of(&now->object);
}

static void enqueue_owner(struct control *c, const struct kube_pod *p, bool removed)
{
	const struct kube_owner *owner = controller_of(&p->object);
	const struct kind_schema *schema = owner ? kube_schema_by_name(owner->kind) : NULL;
	if (!schema || !c->queues[schema->kind].sync)
		return;
	const char *namespace = p->object.meta.namespace;
	queue_add(&c->queues[schema->kind], namespace, owner->name, control_reaction(c));
	if (schema->kind != KIND_REPLICA_SET || !removed)
		return;
	/* A Deployment that re-creates waits for the last old pod to be gone. */
	struct record *set = index_record(&c->index, KIND_REPLICA_SET, namespace, owner->name);
	const struct kube_owner *up = set ? controller_of(set->now) : NULL;
	if (up && kube_is(up->kind, "Deployment"))
		queue_add(&c->queues[KIND_DEPLOYMENT], namespace, up->name, control_reaction(c));
}

/* A pod without controller may be adopted by a set that selects it. */
static void offer_orphan(struct control *c, const struct kube_pod *p)
{
	static const enum kube_kind kinds[] = { KIND_REPLICA_SET, KIND_REPLICATION_CONTROLLER };
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		const struct kube_object *o;
		for (uint32_t i = 0;
		     (o = kube_store_next(c->store, kinds[k], p->object.meta.namespace, &i));) {
			const struct kube_replica_set *set = (const struct kube_replica_set *)o;
			if (kube_selector_matches(&set->spec.selector, &p->object.meta.labels))
				queue_add(&c->queues[kinds[k]], o->meta.namespace, o->meta.name,
					  control_reaction(c));
		}
	}
}

void workloads_pod_changed(struct control *c, const struct kube_pod *old,
			   const struct kube_pod *now)
{
	const struct kube_owner *owner = controller_of(now ? &now->object : &old->object);
	bool counted = owner && (kube_is(owner->kind, "ReplicaSet") ||
				 kube_is(owner->kind, "ReplicationController"));
	bool relabeled = old && now &&
			 !maps_equal(&old->object.meta.labels, &now->object.meta.labels);
	if (relabeled || (!owner && now && !old))
		c->claims_version++;
	if (now && (!counted || counts_change(old, now)))
		enqueue_owner(c, now, false);
	if (old && !now)
		enqueue_owner(c, old, true);
	else if (old && now && controller_of(&old->object) && !owner) {
		c->claims_version++;
		enqueue_owner(c, old, false);
	}
	if (now && (!old || relabeled) && !controller_of(&now->object))
		offer_orphan(c, now);
}
