/* kube/control/slices_pack.c: wanted endpoints into slices, moving as few as can be. */
#include <stdlib.h>
#include <string.h>

#include "kube/control/slices.h"

struct planned *planned_new(struct slice_sync *s, struct port_group *g,
			    const struct kube_endpoint_slice *existing)
{
	if (g->slice_count == g->slice_capacity) {
		uint32_t capacity = g->slice_capacity ? 2 * g->slice_capacity : 4;
		struct planned **slices = arena_array(s->arena, capacity, sizeof *slices);
		if (g->slice_count)
			memcpy(slices, g->slices, g->slice_count * sizeof *slices);
		g->slices = slices;
		g->slice_capacity = capacity;
	}
	struct planned *p = arena_alloc(s->arena, sizeof *p);
	p->existing = existing;
	p->group = g;
	p->changed = !existing;
	g->slices[g->slice_count++] = p;
	return p;
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_target(const struct kube_endpoint *e, const struct wanted *w)
{
	return e->addresses.count == 1 && strcmp(e->addresses.items[0], w->ip) == 0 &&
	       same_text(e->target.name, w->pod->object.meta.name) &&
	       same_text(e->hostname, w->hostname);
}

static bool same_endpoint(const struct kube_endpoint *e, const struct wanted *w)
{
	return (e->conditions.ready == TRI_TRUE) == w->ready &&
	       (e->conditions.serving == TRI_TRUE) == w->serving &&
	       (e->conditions.terminating == TRI_TRUE) == w->terminating &&
	       same_text(e->node_name, w->node) && same_text(e->zone, w->zone) &&
	       same_text(e->target.uid, w->pod->object.meta.uid);
}

static int by_pod_name(const void *key, const void *element)
{
	const struct wanted *w = *(const struct wanted *const *)element;
	return strcmp(key, w->pod->object.meta.name);
}

/* The wanted lists are in order of pod name. */
static struct wanted *wanted_find(const struct port_group *g, const struct kube_endpoint *e)
{
	if (!g->wanted.count || !e->target.name)
		return NULL;
	struct wanted **found = bsearch(e->target.name, g->wanted.items, g->wanted.count,
					sizeof *g->wanted.items, by_pod_name);
	return found && !(*found)->placed && same_target(e, *found) ? *found : NULL;
}

/* Keeps what is still wanted, in place and order. */
static void keep_existing(struct slice_sync *s, struct planned *p)
{
	for (uint32_t i = 0; i < p->existing->endpoints.count; i++) {
		const struct kube_endpoint *e = &p->existing->endpoints.items[i];
		struct wanted *w = wanted_find(p->group, e);
		if (!w) {
			p->changed = true;
			continue;
		}
		p->changed = p->changed || !same_endpoint(e, w);
		w->placed = true;
		wanted_add(s, &p->endpoints, w);
	}
	p->removed = p->endpoints.count == 0;
}

static void fill(struct slice_sync *s, struct planned *p, uint32_t *from)
{
	struct wanted_list *l = &p->group->wanted;
	while (*from < l->count && p->endpoints.count < s->c->options.slice_endpoints) {
		struct wanted *w = l->items[(*from)++];
		if (w->placed)
			continue;
		w->placed = true;
		wanted_add(s, &p->endpoints, w);
		p->changed = true;
	}
}

static uint32_t left_over(const struct port_group *g)
{
	uint32_t left = 0;
	for (uint32_t i = 0; i < g->wanted.count; i++)
		left += !g->wanted.items[i]->placed;
	return left;
}

/* The fullest changed slice that still has room. */
static struct planned *fullest_changed(const struct port_group *g, uint32_t limit)
{
	struct planned *best = NULL;
	for (uint32_t i = 0; i < g->slice_count; i++) {
		struct planned *p = g->slices[i];
		if (p->changed && !p->removed && p->endpoints.count < limit &&
		    (!best || p->endpoints.count > best->endpoints.count))
			best = p;
	}
	return best;
}

/* The unchanged slice that would be closest to full when it takes them all. */
static struct planned *closest_fit(const struct port_group *g, uint32_t more, uint32_t limit)
{
	struct planned *best = NULL;
	for (uint32_t i = 0; i < g->slice_count; i++) {
		struct planned *p = g->slices[i];
		if (!p->changed && !p->removed && p->endpoints.count + more <= limit &&
		    (!best || p->endpoints.count > best->endpoints.count))
			best = p;
	}
	return best;
}

static void pack_group(struct slice_sync *s, struct port_group *g)
{
	uint32_t limit = s->c->options.slice_endpoints, from = 0;
	for (uint32_t i = 0; i < g->slice_count; i++)
		keep_existing(s, g->slices[i]);
	uint32_t left = left_over(g);
	while (left) {
		struct planned *p = fullest_changed(g, limit);
		if (!p && left < limit)
			p = closest_fit(g, left, limit);
		if (!p)
			p = planned_new(s, g, NULL);
		uint32_t before = p->endpoints.count;
		fill(s, p, &from);
		left -= p->endpoints.count - before;
	}
}

/* A Service without endpoints keeps one slice without ports and endpoints. */
static void keep_placeholder(struct slice_sync *s)
{
	struct planned *empty = NULL;
	for (uint32_t i = 0; i < s->group_count; i++) {
		struct port_group *g = s->groups[i];
		for (uint32_t j = 0; j < g->slice_count; j++) {
			if (!g->slices[j]->removed)
				return;
			if (!empty || (!g->port_count && empty->group->port_count))
				empty = g->slices[j];
		}
	}
	struct port_group *none = group_need(s, NULL, 0);
	if (!empty) {
		planned_new(s, none, NULL);
		return;
	}
	/* A slice that would go away becomes the placeholder under its name. */
	empty->removed = false;
	empty->changed = empty->group != none || empty->existing->endpoints.count > 0;
	empty->group = none;
}

/* New slices take the names of slices that would be deleted. */
static void reuse_names(struct slice_sync *s)
{
	for (uint32_t i = 0; i < s->group_count; i++)
		for (uint32_t j = 0; j < s->groups[i]->slice_count; j++) {
			struct planned *fresh = s->groups[i]->slices[j];
			if (fresh->existing || fresh->removed)
				continue;
			for (uint32_t k = 0; k < s->group_count && !fresh->existing; k++)
				for (uint32_t l = 0; l < s->groups[k]->slice_count; l++) {
					struct planned *old = s->groups[k]->slices[l];
					if (!old->removed || !old->existing)
						continue;
					fresh->existing = old->existing;
					old->existing = NULL;
					break;
				}
		}
}

void slices_pack(struct slice_sync *s)
{
	for (uint32_t i = 0; i < s->existing.count; i++) {
		const struct kube_endpoint_slice *e = (const void *)s->existing.items[i];
		if (!kube_is(e->address_type, s->address_type))
			continue;
		planned_new(s, group_need(s, e->ports.items, e->ports.count), e);
	}
	for (uint32_t i = 0; i < s->group_count; i++)
		pack_group(s, s->groups[i]);
	keep_placeholder(s);
	reuse_names(s);
}
