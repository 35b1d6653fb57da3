/* kube/control/lifecycle_zone.c: NoExecute taints, at the pace that a zone's state allows.
 *
 * One node in 10 s; in a zone where more than two nodes and at least 55 % are bad, one in
 * 100 s, or none when the zone has up to 50 nodes; a zone that is bad as a whole goes on
 * at the normal pace, but when all zones are, the controller takes itself for the one
 * that is cut off and evicts nobody.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/control/lifecycle.h"

#define PACE (10 * NS_PER_S)
#define SLOW_PACE (100 * NS_PER_S)
#define LARGE_ZONE 50u

static const char *zone_of(const struct kube_node *n)
{
	return text_or(kube_map_get(&n->object.meta.labels, "topology.kubernetes.io/zone"), "");
}

static struct zone_life *zone_need(struct lifecycle *l, const char *name)
{
	struct zone_life **found = table_find(&l->zones, name);
	if (found)
		return *found;
	struct zone_life *z = mem_alloc(sizeof *z);
	z->name = mem_strdup(name);
	*(struct zone_life **)table_put(&l->zones, z->name, NULL) = z;
	return z;
}

void zones_free(struct lifecycle *l)
{
	void *value;
	for (uint32_t i = 0; table_next(&l->zones, &i, NULL, &value);) {
		free((*(struct zone_life **)value)->name);
		free(*(void **)value);
	}
}

static bool bad(const struct kube_node *n)
{
	const struct kube_condition *ready = condition_find(&n->status.conditions, "Ready");
	return ready && !kube_is(ready->status, "True");
}

/* Counts nodes by zone; whether some zone still has a node that is well. */
static bool count_zones(struct lifecycle *l)
{
	bool well = false;
	void *value;
	for (uint32_t i = 0; table_next(&l->zones, &i, NULL, &value);) {
		struct zone_life *z = *(struct zone_life **)value;
		z->ready = z->bad = 0;
	}
	for (uint32_t i = 0; i < l->c->index.node_count; i++) {
		const struct kube_node *n =
			(const struct kube_node *)l->c->index.nodes[i]->record.now;
		if (!n)
			continue;
		struct zone_life *z = zone_need(l, zone_of(n));
		if (bad(n)) {
			z->bad++;
		} else {
			z->ready++;
			well = true;
		}
	}
	return well;
}

/* Time between two nodes of the zone; 0: none may go. */
static int64_t pace(const struct zone_life *z)
{
	uint32_t all = z->bad + z->ready;
	if (!z->ready || z->bad <= 2 || z->bad * 100 < all * 55)
		return PACE;
	return all > LARGE_ZONE ? SLOW_PACE : 0;
}

static void taint(struct lifecycle *l, const struct kube_node *n)
{
	const struct kube_condition *ready = condition_find(&n->status.conditions, "Ready");
	bool unknown = kube_is(ready->status, "Unknown");
	struct kube_node *copy = (struct kube_node *)kube_copy(&n->object);
	node_taint_set(l, copy, TAINT_UNREACHABLE, "NoExecute", unknown);
	node_taint_set(l, copy, TAINT_NOT_READY, "NoExecute", !unknown);
	control_update(l->c, &copy->object, true);
}

static void untaint_all(struct lifecycle *l)
{
	for (uint32_t i = 0; i < l->c->index.node_count; i++) {
		const struct kube_node *n =
			(const struct kube_node *)l->c->index.nodes[i]->record.now;
		if (!n || (!node_has_taint(n, TAINT_UNREACHABLE, "NoExecute") &&
			   !node_has_taint(n, TAINT_NOT_READY, "NoExecute")))
			continue;
		struct kube_node *copy = (struct kube_node *)kube_copy(&n->object);
		node_taint_set(l, copy, TAINT_UNREACHABLE, "NoExecute", false);
		node_taint_set(l, copy, TAINT_NOT_READY, "NoExecute", false);
		control_update(l->c, &copy->object, true);
	}
}

static bool tainted(const struct kube_node *n)
{
	const struct kube_condition *ready = condition_find(&n->status.conditions, "Ready");
	return node_has_taint(
	    n, kube_is(ready->status, "Unknown") ? TAINT_UNREACHABLE : TAINT_NOT_READY,
	    "NoExecute");
}

void zones_pass(struct lifecycle *l)
{
	int64_t now = control_now(l->c);
	bool well = count_zones(l);
	if (!well && l->c->index.node_count) {
		if (!l->all_bad)
			untaint_all(l);
		l->all_bad = l->bad_count > 0;
		return;
	}
	l->all_bad = false;
	for (uint32_t i = 0; i < l->c->index.node_count; i++) {
		const struct kube_node *n =
			(const struct kube_node *)l->c->index.nodes[i]->record.now;
		if (!n || !bad(n) || tainted(n))
			continue;
		struct node_life *life = life_need(l, n->object.meta.name);
		struct zone_life *z = zone_need(l, zone_of(n));
		int64_t wait = pace(z);
		/* A node that this very pass found bad is queued for the next one. */
		if (!wait || now < z->next_ns || life->bad_since_ns >= now)
			continue;
		z->next_ns = now + wait;
		taint(l, n);
	}
}
