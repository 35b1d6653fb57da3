/* kube/control/control.c: life of the control plane, its writes, and who hears what. */
#include "kube/control/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/internal.h"
#include "kube/control/kubelet.h"
#include "kube/schema.h"

#define WORKERS 5 /* --concurrent-*-syncs of kube-controller-manager */

/* ---- options --------------------------------------------------------------------- */

void control_options_default(struct control_options *options)
{
	*options = (struct control_options){
		.api_write = 10 * NS_PER_MS,
		.watch = 10 * NS_PER_MS,
		.sync = 5 * NS_PER_MS,
		.bind = 10 * NS_PER_MS,
		.volumes = 100 * NS_PER_MS,
		.sandbox = 200 * NS_PER_MS,
		.container_start = 100 * NS_PER_MS,
		.relist = NS_PER_S,
		.pull = NS_PER_S,
		.load_balancer = 2 * NS_PER_S,
		.monitor_period = 5 * NS_PER_S,
		.monitor_grace = 50 * NS_PER_S,
		.lease_period = 10 * NS_PER_S,
		.toleration = 300 * NS_PER_S,
		.pod_cidr_mask = { 24, 64 },
		.lb_ip_mode = "VIP",
		.cluster_domain = "cluster.local",
		.cluster_dns = "10.96.0.10",
		.slice_endpoints = 100,
		.max_pods = 110,
	};
	net_prefix_parse("10.244.0.0/16", &options->pod_cidr[0]);
	net_prefix_parse("203.0.113.0/24", &options->lb_pool[0]);
}

int64_t control_now(const struct control *c)
{
	return c->engine ? engine_now(c->engine) : 0;
}

int64_t control_reaction(const struct control *c)
{
	return c->options.watch + c->options.sync + c->options.api_write;
}

int64_t worker_cost(const struct control *c)
{
	return c->options.sync / WORKERS;
}

int64_t control_span(struct control *c, int64_t low, int64_t high)
{
	if (high <= low)
		return low;
	if (c->options.exact_times)
		return low + (high - low) / 2;
	/* Milliseconds are fine enough and keep the draw small. */
	uint64_t steps = (uint64_t)((high - low) / NS_PER_MS) + 1;
	return low + (int64_t)choice_uniform(c->choice, "start", steps) * NS_PER_MS;
}

/* ---- writes ---------------------------------------------------------------------- */

int control_create(struct control *c, struct kube_object *o, struct err *err)
{
	return kube_store_create(c->store, o, err);
}

int control_update(struct control *c, struct kube_object *o, bool spec_changed)
{
	return kube_store_update(c->store, o, spec_changed, NULL);
}

void control_remove(struct control *c, const struct kube_object *o)
{
	kube_store_delete(c->store, o->kind, o->meta.namespace, o->meta.name, NULL);
}

int control_not_found(enum kube_kind kind, const char *name, struct err *err)
{
	const struct kind_schema *s = kube_schema(kind);
	const char *slash = strchr(s->group_version, '/');
	if (!slash)
		return err_set(err, ENOENT, "%s \"%s\" not found", s->plural, name);
	return err_set(err, ENOENT, "%s.%.*s \"%s\" not found", s->plural,
		       (int)(slash - s->group_version), s->group_version, name);
}

bool control_has_finalizer(const struct kube_object *o, const char *finalizer)
{
	for (uint32_t i = 0; i < o->meta.finalizers.count; i++)
		if (strcmp(o->meta.finalizers.items[i], finalizer) == 0)
			return true;
	return false;
}

void control_add_finalizer(struct kube_object *o, const char *finalizer)
{
	if (!control_has_finalizer(o, finalizer))
		strings_add(o, &o->meta.finalizers, finalizer);
}

void control_forget_finalizer(struct kube_object *o, const char *finalizer)
{
	struct kube_strings left = { 0 };
	for (uint32_t i = 0; i < o->meta.finalizers.count; i++)
		if (strcmp(o->meta.finalizers.items[i], finalizer) != 0)
			strings_add(o, &left, o->meta.finalizers.items[i]);
	o->meta.finalizers = left;
}

/* Graceful for a pod that a kubelet has; waits for finalizers; else gone at once. */
bool control_delete_object(struct control *c, const struct kube_object *o, int64_t grace_s)
{
	bool waits = o->meta.finalizers.count > 0;
	if (o->kind == KIND_POD) {
		const struct kube_pod *p = (const struct kube_pod *)o;
		if (grace_s < 0)
			grace_s = p->spec.termination_grace_s.set
				      ? p->spec.termination_grace_s.value
				      : 30;
		bool finished = kube_is(p->status.phase, "Succeeded") ||
				kube_is(p->status.phase, "Failed");
		if (!p->spec.node_name || finished)
			grace_s = 0;
		waits = waits || grace_s > 0;
	} else if (o->kind == KIND_NAMESPACE) {
		waits = true;
		grace_s = 0;
	} else {
		grace_s = 0;
	}
	if (!waits) {
		control_remove(c, o);
		return true;
	}
	int64_t due = control_now(c) + grace_s * NS_PER_S;
	if (o->meta.deletion_ns && o->meta.deletion_ns <= due)
		return true; /* it goes sooner already */
	struct kube_object *copy = kube_copy(o);
	copy->meta.deletion_ns = due ? due : 1;
	copy->meta.deletion_grace_s = (struct opt_int){ true, grace_s };
	if (copy->kind == KIND_NAMESPACE)
		((struct kube_namespace *)copy)->status.phase = "Terminating";
	control_update(c, copy, true);
	return true;
}

/* An object that is being deleted goes when its last finalizer has gone. */
static void finish_deletion(struct control *c, const struct kube_object *o)
{
	if (!o->meta.deletion_ns || o->meta.finalizers.count)
		return;
	if (o->kind == KIND_POD || o->kind == KIND_NAMESPACE)
		return; /* the kubelet and the namespace controller end these */
	char key[600];
	snprintf(key, sizeof key, "%d|%s|%s", o->kind, text_or(o->meta.namespace, ""),
		 o->meta.name);
	queue_add(&c->garbage, "finalized", key, 0);
}

/* ---- who hears what -------------------------------------------------------------- */

static bool has_queue(enum kube_kind kind)
{
	switch (kind) {
	case KIND_DEPLOYMENT:
	case KIND_REPLICA_SET:
	case KIND_REPLICATION_CONTROLLER:
	case KIND_STATEFUL_SET:
	case KIND_DAEMON_SET:
	case KIND_JOB:
	case KIND_PERSISTENT_VOLUME_CLAIM:
	case KIND_NAMESPACE:
		return true;
	default:
		return false;
	}
}

static void enqueue(struct control *c, enum kube_kind kind, const char *namespace,
		    const char *name)
{
	queue_add(&c->queues[kind], namespace, name, control_reaction(c));
}

/* Objects whose controller must look again because a dependent changed. */
static void owner_changed(struct control *c, const struct kube_object *o)
{
	static const enum kube_kind owners[] = { KIND_DEPLOYMENT, KIND_STATEFUL_SET,
						 KIND_DAEMON_SET };
	const struct kube_owner *owner = o ? controller_of(o) : NULL;
	for (size_t i = 0; owner && i < sizeof owners / sizeof *owners; i++)
		if (kube_is(owner->kind, kube_schema(owners[i])->name))
			enqueue(c, owners[i], o->meta.namespace, owner->name);
}

static void pod_changed(struct control *c, const struct kube_pod *old, const struct kube_pod *now)
{
	slices_pod_changed(c, old, now);
	workloads_pod_changed(c, old, now);
	scheduler_pod_changed(c->scheduler, old, now);
	lifecycle_pod_changed(c->lifecycle, old, now);
	if (now)
		kubelets_pod_changed(c->kubelets, now);
}

static void node_changed(struct control *c, const struct kube_node *old,
			 const struct kube_node *now)
{
	lifecycle_node_changed(c->lifecycle, old, now);
	kubelets_node_changed(c->kubelets, old, now);
	topology_node_changed(c, old, now);
	daemon_sets_node_changed(c, old, now);
	scheduler_wake(c->scheduler);
}

static void dispatch(struct control *c, const struct kube_object *old,
		     const struct kube_object *now)
{
	const struct kube_object *o = now ? now : old;
	if (has_queue(o->kind))
		enqueue(c, o->kind, o->meta.namespace, o->meta.name);
	switch (o->kind) {
	case KIND_POD:
		pod_changed(c, (const struct kube_pod *)old, (const struct kube_pod *)now);
		break;
	case KIND_NODE:
		node_changed(c, (const struct kube_node *)old, (const struct kube_node *)now);
		break;
	case KIND_SERVICE:
		slices_service_changed(c, (const struct kube_service *)old,
				       (const struct kube_service *)now);
		balancer_service_changed(c, (const struct kube_service *)now);
		break;
	case KIND_ENDPOINTS:
		queue_add(&c->mirrors, o->meta.namespace, o->meta.name, control_reaction(c));
		break;
	case KIND_ENDPOINT_SLICE:
		slices_slice_changed(c, (const struct kube_endpoint_slice *)o);
		break;
	case KIND_REPLICA_SET:
	case KIND_CONTROLLER_REVISION:
		owner_changed(c, o);
		break;
	case KIND_PERSISTENT_VOLUME_CLAIM:
	case KIND_PERSISTENT_VOLUME:
	case KIND_STORAGE_CLASS:
		claims_changed(c, o);
		scheduler_wake(c->scheduler);
		break;
	default:
		break;
	}
}

static void changed(void *ctx, enum kube_change change, const struct kube_object *old,
		    const struct kube_object *now)
{
	struct control *c = ctx;
	const struct kube_object *o = now ? now : old;
	if (o->kind == KIND_EVENT)
		return;
	if (change == KUBE_DELETED) {
		if (o->kind == KIND_POD)
			kubelets_pod_removed(c->kubelets, (const struct kube_pod *)o);
		if (c->running && index_owner(&c->index, o->meta.uid))
			queue_add(&c->garbage, "owner", o->meta.uid, control_reaction(c));
		digest_forget(c, o);
		index_change(&c->index, change, o);
		now = NULL;
		old = o;
	} else {
		index_change(&c->index, change, now);
	}
	c->services_version += o->kind == KIND_SERVICE;
	if (!c->running)
		return;
	dispatch(c, old, now);
	if (now)
		finish_deletion(c, now);
}

/* ---- life ------------------------------------------------------------------------ */

static void queues_init(struct control *c)
{
	static const struct { enum kube_kind kind; queue_sync_fn *sync; } kinds[] = {
		{ KIND_DEPLOYMENT, deployment_sync },
		{ KIND_REPLICA_SET, replica_set_sync },
		{ KIND_REPLICATION_CONTROLLER, replication_sync },
		{ KIND_STATEFUL_SET, stateful_set_sync },
		{ KIND_DAEMON_SET, daemon_set_sync },
		{ KIND_JOB, job_sync },
		{ KIND_PERSISTENT_VOLUME_CLAIM, claim_sync },
		{ KIND_NAMESPACE, namespace_sync },
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		queue_init(&c->queues[kinds[i].kind], c, c->engine, worker_cost(c), kinds[i].sync);
	queue_init(&c->slices, c, c->engine, worker_cost(c), slices_sync);
	queue_init(&c->endpoints, c, c->engine, worker_cost(c), endpoints_sync);
	queue_init(&c->mirrors, c, c->engine, worker_cost(c), mirror_sync);
	queue_init(&c->balancer, c, c->engine, worker_cost(c), balancer_sync);
	queue_init(&c->garbage, c, c->engine, worker_cost(c), garbage_sync);
	queue_init(&c->topology, c, c->engine, worker_cost(c), topology_sync);
	queue_init(&c->provisioner, c, c->engine, worker_cost(c), provision_sync);
}

/* Calls fn with every queue. */
static void each_queue(struct control *c, void (*fn)(struct work_queue *q))
{
	struct work_queue *others[] = { &c->slices,  &c->endpoints, &c->mirrors,    &c->balancer,
					&c->garbage, &c->topology,  &c->provisioner };
	for (int kind = 0; kind < KIND_COUNT; kind++)
		if (has_queue(kind))
			fn(&c->queues[kind]);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		fn(others[i]);
}

/* Puts what is in the store into the index. */
static void index_all(struct control *c)
{
	for (int kind = KIND_NONE + 1; kind < KIND_EVENT; kind++) {
		const struct kube_object *o;
		for (uint32_t i = 0; (o = kube_store_next_created(c->store, kind, &i));)
			index_change(&c->index, KUBE_ADDED, o);
	}
}

struct control *control_new(struct kube_store *store, struct engine *engine,
			    struct choice *choice, const struct control_options *options,
			    const struct control_host *host)
{
	struct control *c = mem_alloc(sizeof *c);
	c->store = store;
	c->engine = engine;
	c->choice = choice;
	if (options)
		c->options = *options;
	else
		control_options_default(&c->options);
	if (host)
		c->host = *host;
	index_init(&c->index);
	table_init(&c->digests, TABLE_STRING_KEYS, sizeof(void *));
	table_init(&c->event_keys, TABLE_STRING_KEYS, sizeof(void *));
	queues_init(c);
	c->scheduler = scheduler_new(c);
	c->lifecycle = lifecycle_new(c);
	c->kubelets = kubelets_new(c);
	index_all(c);
	c->watch = kube_watch(store, KIND_NONE, 0, changed, c);
	return c;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	kube_unwatch(c->store, c->watch);
	kubelets_free(c->kubelets);
	scheduler_free(c->scheduler);
	lifecycle_free(c->lifecycle);
	each_queue(c, queue_free);
	void *value;
	for (uint32_t i = 0; table_next(&c->digests, &i, NULL, &value);)
		free(*(void **)value);
	table_free(&c->digests);
	events_free(c);
	zone_shares_forget(c);
	index_free(&c->index);
	free(c);
}

void control_start(struct control *c)
{
	if (c->running)
		return;
	c->running = true;
	lifecycle_start(c->lifecycle);
	kubelets_start(c->kubelets);
	static const enum kube_kind kinds[] = {
		KIND_NODE, KIND_NAMESPACE, KIND_PERSISTENT_VOLUME_CLAIM, KIND_DEPLOYMENT,
		KIND_REPLICA_SET, KIND_REPLICATION_CONTROLLER, KIND_STATEFUL_SET, KIND_DAEMON_SET,
		KIND_JOB, KIND_SERVICE, KIND_ENDPOINTS, KIND_POD,
	};
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		const struct kube_object *o;
		for (uint32_t i = 0; (o = kube_store_next_created(c->store, kinds[k], &i));)
			dispatch(c, NULL, o);
	}
}

void control_stop(struct control *c)
{
	if (!c->running)
		return;
	c->running = false;
	each_queue(c, queue_clear);
	scheduler_stop(c->scheduler);
	lifecycle_stop(c->lifecycle);
	kubelets_stop(c->kubelets);
}

bool control_running(const struct control *c)
{
	return c->running;
}

struct kube_store *control_store(const struct control *c)
{
	return c->store;
}

const struct control_options *control_settings(const struct control *c)
{
	return &c->options;
}

/* ---- questions ------------------------------------------------------------------- */

bool control_endpoints_settled(const struct control *c)
{
	return !c->slices.busy && !c->endpoints.busy && !c->mirrors.busy;
}

bool control_converged(const struct control *c)
{
	for (int kind = 0; kind < KIND_COUNT; kind++)
		if (c->queues[kind].busy)
			return false;
	return control_endpoints_settled(c) && !c->balancer.busy && !c->garbage.busy &&
	       !c->topology.busy && !c->provisioner.busy && !c->busy &&
	       !scheduler_busy(c->scheduler) && !lifecycle_busy(c->lifecycle);
}

const char *control_node_name(const struct control *c, uint32_t index)
{
	uint32_t seen = 0;
	for (uint32_t i = 0; i < c->index.node_count; i++) {
		const struct kube_object *o = c->index.nodes[i]->record.now;
		if (o && seen++ == index)
			return o->meta.name;
	}
	return NULL;
}
