/* kube/control/lifecycle.c: the node monitor.
 *
 * A kubelet renews its lease every 10 s; the monitor looks every 5 s and takes a node for
 * lost when the lease it saw last is older than the grace period. Healthy nodes cost no
 * events: when a kubelet falls silent, the pass at which that will be noticed is
 * computed. Passes run only while some node is not well.
 */
#include "kube/control/lifecycle.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define COMPONENT "node-controller"
#define GC_CHECK (20 * NS_PER_S)      /* pod garbage collector */
#define GC_QUARANTINE (40 * NS_PER_S)
#define OUT_OF_SERVICE "node.kubernetes.io/out-of-service"

struct node_life *life_need(struct lifecycle *l, const char *name)
{
	struct node_life **found = table_find(&l->nodes, name);
	if (found)
		return *found;
	struct node_life *n = mem_alloc(sizeof *n);
	n->owner = l;
	n->name = mem_strdup(name);
	n->bad_since_ns = -1;
	*(struct node_life **)table_put(&l->nodes, n->name, NULL) = n;
	return n;
}

const struct kube_node *life_node(const struct lifecycle *l, const char *name)
{
	return index_node_object(&l->c->index, name);
}

int64_t life_next_pass(const struct lifecycle *l, int64_t when_ns)
{
	int64_t p = l->c->options.monitor_period > 0 ? l->c->options.monitor_period : NS_PER_S;
	int64_t since = when_ns - l->start_ns;
	return l->start_ns + (since <= 0 ? 0 : (since + p - 1) / p * p);
}

/* ---- taints ---------------------------------------------------------------------- */

bool node_has_taint(const struct kube_node *n, const char *key, const char *effect)
{
	for (uint32_t i = 0; i < n->spec.taints.count; i++)
		if (kube_is(n->spec.taints.items[i].key, key) &&
		    kube_is(n->spec.taints.items[i].effect, effect))
			return true;
	return false;
}

void node_taint_set(struct lifecycle *l, struct kube_node *copy, const char *key,
		    const char *effect, bool wanted)
{
	if (node_has_taint(copy, key, effect) == wanted)
		return;
	uint32_t n = copy->spec.taints.count, count = 0;
	struct kube_taint *items = arena_array(copy->object.arena, n + 1, sizeof *items);
	for (uint32_t i = 0; i < n; i++)
		if (wanted || !kube_is(copy->spec.taints.items[i].key, key) ||
		    !kube_is(copy->spec.taints.items[i].effect, effect))
			items[count++] = copy->spec.taints.items[i];
	if (wanted)
		items[count++] = (struct kube_taint){
			.key = kube_string(&copy->object, key),
			.effect = kube_string(&copy->object, effect),
			.time_added_ns = control_now(l->c),
		};
	copy->spec.taints.items = items;
	copy->spec.taints.count = count;
}

static const char *ready_status(const struct kube_node *n)
{
	const struct kube_condition *ready = condition_find(&n->status.conditions, "Ready");
	return ready ? text_or(ready->status, "Unknown") : "True";
}

/* NoSchedule taints follow conditions and spec.unschedulable at once. */
static void sync_taints(struct control *c, const char *namespace, const char *name)
{
	static const struct { const char *condition, *key; } pressures[] = {
		{ "MemoryPressure", "node.kubernetes.io/memory-pressure" },
		{ "DiskPressure", "node.kubernetes.io/disk-pressure" },
		{ "PIDPressure", "node.kubernetes.io/pid-pressure" },
		{ "NetworkUnavailable", "node.kubernetes.io/network-unavailable" },
	};
	struct lifecycle *l = c->lifecycle;
	const struct kube_node *n = life_node(l, name);
	(void)namespace;
	if (!n)
		return;
	struct kube_node *copy = (struct kube_node *)kube_copy(&n->object);
	const char *ready = ready_status(n);
	node_taint_set(l, copy, TAINT_NOT_READY, "NoSchedule", !strcmp(ready, "False"));
	node_taint_set(l, copy, TAINT_UNREACHABLE, "NoSchedule", !strcmp(ready, "Unknown"));
	if (!strcmp(ready, "True")) {
		node_taint_set(l, copy, TAINT_NOT_READY, "NoExecute", false);
		node_taint_set(l, copy, TAINT_UNREACHABLE, "NoExecute", false);
	}
	for (size_t i = 0; i < sizeof pressures / sizeof *pressures; i++)
		node_taint_set(l, copy, pressures[i].key, "NoSchedule",
			       kube_condition_true(&n->status.conditions, pressures[i].condition));
	node_taint_set(l, copy, "node.kubernetes.io/unschedulable", "NoSchedule",
		       n->spec.unschedulable == TRI_TRUE);
	bool same = copy->spec.taints.count == n->spec.taints.count;
	for (uint32_t i = 0; same && i < copy->spec.taints.count; i++)
		same = node_has_taint(n, copy->spec.taints.items[i].key,
				      copy->spec.taints.items[i].effect);
	if (same)
		kube_unref(&copy->object);
	else
		control_update(c, &copy->object, true);
}

/* ---- lost nodes ------------------------------------------------------------------ */

static void pass(void *ctx);

static void need_pass(struct lifecycle *l)
{
	struct engine *e = l->c->engine;
	if (!engine_pending(e, l->pass))
		l->pass = engine_at(e, life_next_pass(l, engine_now(e) + 1), pass, l);
}

static void pass(void *ctx)
{
	struct lifecycle *l = ctx;
	l->pass = (struct event_id){ 0 };
	zones_pass(l);
	if (l->bad_count || l->all_bad)
		need_pass(l);
}

static void pods_not_ready(struct lifecycle *l, const char *node)
{
	struct control *c = l->c;
	struct node_record *n = index_node(&c->index, node);
	struct object_list pods = { 0 };
	struct pod_record *r;
	TAILQ_FOREACH(r, &n->pods, on_node)
		object_list_add(&pods, r->record.now);
	for (uint32_t i = 0; i < pods.count; i++) {
		const struct kube_pod *p = (const struct kube_pod *)pods.items[i];
		const struct kube_condition *ready = condition_find(&p->status.conditions, "Ready");
		if (!ready || !kube_is(ready->status, "True"))
			continue;
		struct kube_pod *copy = pod_touch(p);
		condition_set(&copy->object, &copy->status.conditions, "Ready", "False",
			      ready->reason, ready->message, control_now(c));
		control_event(c, &p->object, true, "NodeNotReady", COMPONENT, "Node is not ready");
		control_update(c, &copy->object, false);
	}
	object_list_free(&pods);
}

/* The grace period is over: the monitor writes Unknown in the kubelet's place. */
static void overdue(void *ctx)
{
	static const char *const types[] = { "MemoryPressure", "DiskPressure", "PIDPressure",
					     "Ready" };
	struct node_life *n = ctx;
	struct lifecycle *l = n->owner;
	const struct kube_node *node = life_node(l, n->name);
	if (!node || !n->silent)
		return;
	struct kube_node *copy = (struct kube_node *)kube_copy(&node->object);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		condition_set(&copy->object, &copy->status.conditions, types[i], "Unknown",
			      "NodeStatusUnknown", "Kubelet stopped posting node status.",
			      control_now(l->c));
	control_event(l->c, &node->object, false, "NodeNotReady", COMPONENT,
		      "Node %s status is now: NodeNotReady", n->name);
	control_update(l->c, &copy->object, false);
	pods_not_ready(l, n->name);
}

static void recovered(void *ctx)
{
	struct node_life *n = ctx;
	struct lifecycle *l = n->owner;
	const struct kube_node *node = life_node(l, n->name);
	static const char *const rows[][4] = {
		{ "MemoryPressure", "False", "KubeletHasSufficientMemory",
		  "kubelet has sufficient memory available" },
		{ "DiskPressure", "False", "KubeletHasNoDiskPressure",
		  "kubelet has no disk pressure" },
		{ "PIDPressure", "False", "KubeletHasSufficientPID",
		  "kubelet has sufficient PID available" },
		{ "Ready", "True", "KubeletReady", "kubelet is posting ready status" },
	};
	if (!node || n->silent || kube_is(ready_status(node), "True"))
		return;
	struct kube_node *copy = (struct kube_node *)kube_copy(&node->object);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		condition_set(&copy->object, &copy->status.conditions, rows[i][0], rows[i][1],
			      rows[i][2], rows[i][3], control_now(l->c));
	control_event(l->c, &node->object, false, "NodeReady", "kubelet",
		      "Node %s status is now: NodeReady", n->name);
	control_update(l->c, &copy->object, false);
}

void lifecycle_lease(struct lifecycle *l, const char *node, bool renewing)
{
	struct engine *e = l->c->engine;
	struct node_life *n = life_need(l, node);
	if (n->silent == !renewing)
		return;
	n->silent = !renewing;
	engine_cancel(e, &n->overdue);
	if (renewing) {
		n->recovered = engine_after(e, control_reaction(l->c), recovered, n);
		return;
	}
	int64_t period = l->c->options.lease_period > 0 ? l->c->options.lease_period : NS_PER_S;
	int64_t phase = (int64_t)(hash_bytes(node, strlen(node), 3) % (uint64_t)period);
	int64_t now = engine_now(e);
	int64_t renewed = now < phase ? 0 : phase + (now - phase) / period * period;
	int64_t seen = life_next_pass(l, renewed);
	n->overdue =
	    engine_at(e, life_next_pass(l, seen + l->c->options.monitor_grace + 1), overdue, n);
}

/* ---- changes --------------------------------------------------------------------- */

static void orphaned(void *ctx)
{
	struct node_life *n = ctx;
	if (!life_node(n->owner, n->name))
		evict_by_force(n->owner, n->name, true);
}

static void node_gone(struct lifecycle *l, const struct kube_node *old)
{
	struct node_life *n = life_need(l, old->object.meta.name);
	struct engine *e = l->c->engine;
	int64_t now = engine_now(e);
	if (n->bad_since_ns >= 0)
		l->bad_count--;
	n->bad_since_ns = -1;
	control_event(l->c, &old->object, false, "RemovingNode", COMPONENT,
		      "Node %s event: Removing Node %s from Controller", n->name, n->name);
	int64_t checks = (now + GC_QUARANTINE + GC_CHECK - 1) / GC_CHECK;
	n->orphaned = engine_at(e, checks * GC_CHECK, orphaned, n);
}

void lifecycle_node_changed(struct lifecycle *l, const struct kube_node *old,
			    const struct kube_node *now)
{
	if (!now) {
		node_gone(l, old);
		return;
	}
	struct node_life *n = life_need(l, now->object.meta.name);
	if (!old)
		control_event(l->c, &now->object, false, "RegisteredNode", COMPONENT,
			      "Node %s event: Registered Node %s in Controller", n->name, n->name);
	if (old && (old->spec.unschedulable == TRI_TRUE) != (now->spec.unschedulable == TRI_TRUE))
		control_event(l->c, &now->object, false,
			      now->spec.unschedulable == TRI_TRUE ? "NodeNotSchedulable"
								  : "NodeSchedulable",
			      "kubelet", "Node %s status is now: %s", n->name,
			      now->spec.unschedulable == TRI_TRUE ? "NodeNotSchedulable"
								  : "NodeSchedulable");
	bool bad = strcmp(ready_status(now), "True") != 0;
	if (bad != (n->bad_since_ns >= 0)) {
		n->bad_since_ns = bad ? control_now(l->c) : -1;
		l->bad_count = bad ? l->bad_count + 1 : l->bad_count - 1;
		need_pass(l);
	}
	if (node_has_taint(now, OUT_OF_SERVICE, "NoExecute"))
		evict_by_force(l, n->name, false);
	queue_add(&l->taints, "", n->name, control_reaction(l->c));
	evictions_node_changed(l, now);
}

void lifecycle_pod_changed(struct lifecycle *l, const struct kube_pod *old,
			   const struct kube_pod *now)
{
	evictions_pod_changed(l, old, now);
}

uint32_t lifecycle_busy(const struct lifecycle *l)
{
	return l->taints.busy;
}

/* ---- life ------------------------------------------------------------------------ */

struct lifecycle *lifecycle_new(struct control *c)
{
	struct lifecycle *l = mem_alloc(sizeof *l);
	l->c = c;
	queue_init(&l->taints, c, c->engine, worker_cost(c), sync_taints);
	table_init(&l->nodes, TABLE_STRING_KEYS, sizeof(struct node_life *));
	table_init(&l->zones, TABLE_STRING_KEYS, sizeof(struct zone_life *));
	table_init(&l->evictions, TABLE_STRING_KEYS, sizeof(void *));
	return l;
}

void lifecycle_start(struct lifecycle *l)
{
	l->start_ns = control_now(l->c);
}

void lifecycle_stop(struct lifecycle *l)
{
	void *value;
	queue_clear(&l->taints);
	evictions_clear(l);
	if (!l->c->engine)
		return;
	engine_cancel(l->c->engine, &l->pass);
	for (uint32_t i = 0; table_next(&l->nodes, &i, NULL, &value);) {
		struct node_life *n = *(struct node_life **)value;
		engine_cancel(l->c->engine, &n->overdue);
		engine_cancel(l->c->engine, &n->recovered);
		engine_cancel(l->c->engine, &n->orphaned);
	}
}

void lifecycle_free(struct lifecycle *l)
{
	void *value;
	lifecycle_stop(l);
	for (uint32_t i = 0; table_next(&l->nodes, &i, NULL, &value);) {
		free((*(struct node_life **)value)->name);
		free(*(void **)value);
	}
	zones_free(l);
	queue_free(&l->taints);
	table_free(&l->nodes);
	table_free(&l->zones);
	table_free(&l->evictions);
	free(l);
}
