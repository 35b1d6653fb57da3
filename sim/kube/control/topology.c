/* kube/control/topology.c: hints on endpoints.
 *
 * trafficDistribution hints every ready endpoint to its own zone (and node). The
 * topology-mode annotation asks for more: each zone gets endpoints in proportion to the
 * CPUs of its ready nodes, within an overload of 20 % of its share; when that can't be,
 * all hints go and an event says why (endpointslice topologycache, KEP-2433). Hints that
 * still fit are kept, so that a small change moves few clients.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kube/control/slices.h"

#define OVERLOAD 0.20
#define MODE_ANNOTATION "service.kubernetes.io/topology-mode"
#define MODE_ANNOTATION_OLD "service.kubernetes.io/topology-aware-hints"

static bool wants_auto(const struct kube_service *s)
{
	const struct kube_map *m = &s->object.meta.annotations;
	const char *mode = kube_map_get(m, MODE_ANNOTATION_OLD);
	if (!mode)
		mode = kube_map_get(m, MODE_ANNOTATION);
	return kube_is(mode, "Auto") || kube_is(mode, "auto");
}

/* ---- CPUs by zone ---------------------------------------------------------------- */

void zone_shares_forget(struct control *c)
{
	for (uint32_t i = 0; i < c->zones.count; i++)
		free(c->zones.items[i].name);
	free(c->zones.items);
	c->zones = (struct zone_shares){ 0 };
}

static struct zone_share *zone_need(struct zone_shares *z, const char *name)
{
	for (uint32_t i = 0; i < z->count; i++)
		if (strcmp(z->items[i].name, name) == 0)
			return &z->items[i];
	z->items = mem_grow(z->items, z->count, z->count + 1, sizeof *z->items);
	z->items[z->count].name = mem_strdup(name);
	return &z->items[z->count++];
}

static int by_zone(const void *a, const void *b)
{
	return strcmp(((const struct zone_share *)a)->name, ((const struct zone_share *)b)->name);
}

static bool counts(const struct kube_node *n)
{
	const struct kube_map *m = &n->object.meta.labels;
	return !kube_map_get(m, "node-role.kubernetes.io/control-plane") &&
	       !kube_map_get(m, "node-role.kubernetes.io/master") &&
	       kube_condition_true(&n->status.conditions, "Ready");
}

static const struct zone_shares *zone_shares(struct control *c)
{
	struct zone_shares *z = &c->zones;
	if (z->known)
		return z;
	zone_shares_forget(c);
	z->known = z->complete = true;
	double total = 0;
	for (uint32_t i = 0; i < c->index.node_count; i++) {
		const struct node_record *r = c->index.nodes[i];
		const struct kube_node *n = (const struct kube_node *)r->record.now;
		if (!n || !counts(n))
			continue;
		const char *zone = kube_map_get(&n->object.meta.labels, LABEL_ZONE);
		if (!zone || !*zone || r->cpu_room == INT64_MAX) {
			z->complete = false;
			continue;
		}
		zone_need(z, zone)->share += (double)r->cpu_room;
		total += (double)r->cpu_room;
	}
	if (z->count)
		qsort(z->items, z->count, sizeof *z->items, by_zone);
	for (uint32_t i = 0; i < z->count; i++)
		z->items[i].share /= total;
	return z;
}

void topology_node_changed(struct control *c, const struct kube_node *old,
			   const struct kube_node *now)
{
	if (old && now && counts(old) == counts(now) &&
	    maps_equal(&old->object.meta.labels, &now->object.meta.labels) &&
	    maps_equal(&old->status.allocatable, &now->status.allocatable))
		return;
	zone_shares_forget(c);
	queue_add(&c->topology, "", "nodes", control_reaction(c));
}

void topology_sync(struct control *c, const char *namespace, const char *name)
{
	(void)namespace;
	(void)name;
	void *value;
	for (uint32_t i = 0; table_next(&c->index.records[KIND_SERVICE], &i, NULL, &value);) {
		const struct kube_object *o = (*(struct record **)value)->now;
		if (wants_auto((const struct kube_service *)o))
			queue_add(&c->slices, o->meta.namespace, o->meta.name, 0);
	}
}

/* ---- proportional hints ---------------------------------------------------------- */

struct allocation {
	const char *zone;
	int minimum, maximum, hints, give, receive;
	double desired, giving, receiving;
};

static struct allocation *allocation_of(struct allocation *a, uint32_t n, const char *zone)
{
	for (uint32_t i = 0; zone && i < n; i++)
		if (strcmp(a[i].zone, zone) == 0)
			return &a[i];
	return NULL;
}

/* Fills in shares; a reason when they can't be had. */
static const char *allocate(const struct zone_shares *z, struct allocation *a, int endpoints)
{
	if (!z->complete || !z->count)
		return "Insufficient Node information: allocatable CPU or zone not specified on "
		       "one or more nodes";
	if (z->count < 2)
		return "Nodes only ready in one zone";
	if (z->count > (uint32_t)endpoints)
		return "Insufficient number of endpoints";
	int total = 0;
	for (uint32_t i = 0; i < z->count; i++) {
		double desired = z->items[i].share * endpoints;
		a[i] = (struct allocation){ .zone = z->items[i].name };
		a[i].minimum = (int)ceil(desired * (1 / (1 + OVERLOAD)));
		a[i].desired = fmax(desired, a[i].minimum);
		total += a[i].minimum;
	}
	if (total > endpoints)
		return "Unable to allocate minimum required endpoints to each zone without "
		       "exceeding overload threshold";
	for (uint32_t i = 0; i < z->count; i++)
		a[i].maximum = a[i].minimum + endpoints - total;
	return NULL;
}

/* Takes over the hints of a slice that nothing else changes, when they still fit. */
static bool keep_hints(struct planned *p, struct allocation *a, uint32_t n, int *scratch)
{
	if (p->changed || !p->existing)
		return false;
	memset(scratch, 0, n * sizeof *scratch);
	for (uint32_t i = 0; i < p->endpoints.count; i++) {
		const struct kube_endpoint *e = &p->existing->endpoints.items[i];
		if (!p->endpoints.items[i]->ready)
			continue;
		struct allocation *to =
			e->hints.set && e->hints.zones.count
				? allocation_of(a, n, e->hints.zones.items[0]) : NULL;
		if (!to || to->hints + ++scratch[to - a] > to->maximum)
			return false;
	}
	for (uint32_t i = 0; i < n; i++)
		a[i].hints += scratch[i];
	for (uint32_t i = 0; i < p->endpoints.count; i++)
		if (p->endpoints.items[i]->ready)
			p->endpoints.items[i]->hint_zone =
				p->existing->endpoints.items[i].hints.zones.items[0];
	return true;
}

static struct allocation *most(struct allocation *a, uint32_t n, bool giving)
{
	struct allocation *best = NULL;
	for (uint32_t i = 0; i < n; i++) {
		double have = giving ? a[i].giving : a[i].receiving;
		if (have > 0 && (!best || have > (giving ? best->giving : best->receiving)))
			best = &a[i];
	}
	return best;
}

/* How many hints each zone gives away or gets. */
static void balance(struct allocation *a, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		double over = a[i].hints - a[i].desired;
		a[i].giving = over > 0 ? over : 0;
		a[i].receiving = over < 0 ? -over : 0;
	}
	for (;;) {
		struct allocation *from = most(a, n, true), *to = most(a, n, false);
		if (!from || !to || (from->giving < 1 && to->receiving < 1) ||
		    from->giving < 0.5 || to->receiving < 0.5)
			return;
		from->giving--;
		from->give++;
		to->receiving--;
		to->receive++;
	}
}

static void move_hint(struct wanted *w, struct allocation *a, uint32_t n)
{
	struct allocation *from = w->ready ? allocation_of(a, n, w->zone) : NULL;
	if (!from || !from->give)
		return;
	for (uint32_t i = 0; i < n; i++) {
		if (!a[i].receive)
			continue;
		w->hint_zone = a[i].zone;
		a[i].receive--;
		from->give--;
		return;
	}
}

/* Hints of one port group; a reason when there are none. */
static const char *hint_group(struct slice_sync *s, struct port_group *g,
			      const struct zone_shares *z, int *endpoints)
{
	struct allocation *a = arena_array(s->arena, z->count ? z->count : 1, sizeof *a);
	int *scratch = arena_array(s->arena, z->count ? z->count : 1, sizeof *scratch);
	bool *kept = arena_array(s->arena, g->slice_count ? g->slice_count : 1, sizeof *kept);
	*endpoints = 0;
	for (uint32_t i = 0; i < g->wanted.count; i++)
		*endpoints += g->wanted.items[i]->ready;
	const char *why = allocate(z, a, *endpoints);
	if (why)
		return why;
	for (uint32_t i = 0; i < g->wanted.count; i++)
		if (g->wanted.items[i]->ready && !g->wanted.items[i]->zone)
			return "One or more endpoints do not have a zone specified";
	for (uint32_t i = 0; i < g->slice_count; i++)
		kept[i] = keep_hints(g->slices[i], a, z->count, scratch);
	for (uint32_t i = 0; i < g->slice_count; i++)
		for (uint32_t j = 0; !kept[i] && j < g->slices[i]->endpoints.count; j++) {
			struct wanted *w = g->slices[i]->endpoints.items[j];
			struct allocation *to = allocation_of(a, z->count, w->zone);
			w->hint_zone = w->ready ? w->zone : NULL;
			if (w->ready && to)
				to->hints++;
		}
	balance(a, z->count);
	for (uint32_t i = 0; i < g->slice_count; i++)
		for (uint32_t j = 0; !kept[i] && j < g->slices[i]->endpoints.count; j++)
			move_hint(g->slices[i]->endpoints.items[j], a, z->count);
	return NULL;
}

#define HINTS_ON "on"

static void hint_auto(struct slice_sync *s)
{
	const struct zone_shares *z = zone_shares(s->c);
	const char *why = NULL;
	int endpoints = 0;
	bool any = false;
	for (uint32_t i = 0; i < s->group_count && !why; i++) {
		if (!s->groups[i]->wanted.count)
			continue;
		any = true;
		why = hint_group(s, s->groups[i], z, &endpoints);
	}
	if (why)
		for (uint32_t i = 0; i < s->group_count; i++)
			for (uint32_t j = 0; j < s->groups[i]->wanted.count; j++)
				s->groups[i]->wanted.items[j]->hint_zone = NULL;
	if (!any)
		return;
	const char *state = why ? why : HINTS_ON;
	if (s->record->hints_reason == state)
		return;
	s->record->hints_reason = state;
	if (!why)
		control_event(s->c, &s->service->object, false, "TopologyAwareHintsEnabled",
			      "endpoint-slice-controller",
			      "Topology Aware Hints has been enabled, addressType: %s",
			      s->address_type);
	else
		control_event(s->c, &s->service->object, true, "TopologyAwareHintsDisabled",
			      "endpoint-slice-controller",
			      "%s (%d endpoints, %u zones), addressType: %s", why, endpoints,
			      z->count, s->address_type);
}

void slices_hint(struct slice_sync *s)
{
	const char *d = s->service->spec.traffic_distribution;
	if (wants_auto(s->service)) {
		hint_auto(s);
		return;
	}
	bool same_node = kube_is(d, "PreferSameNode");
	if (!same_node && !kube_is(d, "PreferClose") && !kube_is(d, "PreferSameZone"))
		return;
	for (uint32_t i = 0; i < s->group_count; i++)
		for (uint32_t j = 0; j < s->groups[i]->wanted.count; j++) {
			struct wanted *w = s->groups[i]->wanted.items[j];
			if (!w->ready)
				continue;
			w->hint_zone = w->zone && *w->zone ? w->zone : NULL;
			w->hint_node = same_node ? w->node : NULL;
		}
}
