/* kubeproxy/snapshot.c: see snapshot.h. */
#include "dataplanes/kubeproxy/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/table.h"

/* ---- chunks ------------------------------------------------------------------------- */

struct chunk *chunk_new(struct service *const items[], uint32_t count)
{
	struct chunk *c = mem_alloc(sizeof *c + count * sizeof *items);
	assert(count > 0);
	c->references = 1;
	c->count = count;
	memcpy(c->items, items, count * sizeof *items);
	for (uint32_t i = 0; i < count; i++) {
		for (uint32_t k = 0; k < items[i]->port_count; k++) {
			const struct service_port *p = &items[i]->ports[k];
			c->endpoint_count += p->distinct_count;
			c->ranges |= p->range_count > 0;
			c->health |= p->health_check_node_port > 0;
		}
	}
	return c;
}

struct chunk *chunk_ref(struct chunk *c)
{
	c->references++;
	return c;
}

static void chunk_unref(struct chunk *c)
{
	if (--c->references)
		return;
	for (uint32_t i = 0; i < c->count; i++)
		service_unref(c->items[i]);
	variants_free(c->variants);
	free(c);
}

/* ---- snapshots ------------------------------------------------------------------------ */

struct snapshot *snapshot_new(void)
{
	struct snapshot *s = mem_alloc(sizeof *s);
	s->references = 1;
	return s;
}

void snapshot_add(struct snapshot *s, struct chunk *c)
{
	if ((s->chunk_count & (s->chunk_count - 1)) == 0) /* full at powers of two */
		s->chunks = mem_grow(s->chunks, s->chunk_count,
				     s->chunk_count ? s->chunk_count * 2 : 1, sizeof *s->chunks);
	s->chunks[s->chunk_count++] = c;
	s->count += c->count;
	s->endpoint_count += c->endpoint_count;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
	s->references++;
	return s;
}

void snapshot_unref(struct snapshot *s)
{
	if (!s || --s->references)
		return;
	for (uint32_t i = 0; i < s->chunk_count; i++)
		chunk_unref(s->chunks[i]);
	free(s->chunks);
	free(s);
}

/* ---- walking ----------------------------------------------------------------------------- */

static struct service *service_at(const struct snapshot *s, const struct snapshot_cursor *c)
{
	return s && c->chunk < s->chunk_count ? s->chunks[c->chunk]->items[c->item] : NULL;
}

static void advance(const struct snapshot *s, struct snapshot_cursor *c)
{
	if (++c->item == s->chunks[c->chunk]->count)
		*c = (struct snapshot_cursor){ c->chunk + 1, 0 };
}

struct service *snapshot_walk(const struct snapshot *s, struct snapshot_cursor *cursor)
{
	struct service *found = service_at(s, cursor);
	if (found)
		advance(s, cursor);
	return found;
}

static int compare(const struct service *a, const struct service *b)
{
	int order = strcmp(a->namespace, b->namespace);
	return order ? order : strcmp(a->name, b->name);
}

bool snapshot_next(const struct snapshot *was, const struct snapshot *now,
		   struct snapshot_step *step)
{
	struct service *a = service_at(was, &step->was_at), *b = service_at(now, &step->now_at);
	if (!a && !b)
		return false;
	int order = a == b ? 0 : !a ? 1 : !b ? -1 : compare(a, b);
	step->was = order <= 0 ? a : NULL;
	step->now = order >= 0 ? b : NULL;
	if (step->was)
		advance(was, &step->was_at);
	if (step->now)
		advance(now, &step->now_at);
	step->changed = !step->was || !step->now || step->was->content != step->now->content;
	return true;
}

/* Both stand at the beginning of the same chunk. */
static bool at_shared_chunk(const struct snapshot *was, const struct snapshot *now,
			    const struct snapshot_step *step)
{
	return was && now && step->was_at.chunk < was->chunk_count &&
	       step->now_at.chunk < now->chunk_count && !step->was_at.item &&
	       !step->now_at.item &&
	       was->chunks[step->was_at.chunk] == now->chunks[step->now_at.chunk];
}

bool snapshot_next_change(const struct snapshot *was, const struct snapshot *now,
			  struct snapshot_step *step)
{
	do {
		while (at_shared_chunk(was, now, step)) {
			step->was_at.chunk++;
			step->now_at.chunk++;
		}
		if (!snapshot_next(was, now, step))
			return false;
	} while (!step->changed);
	return true;
}

/* ---- stretches ------------------------------------------------------------------------------ */

static bool plain(const struct service *s)
{
	for (uint32_t i = 0; i < s->port_count; i++)
		if (!s->ports[i].same_everywhere || s->ports[i].range_count)
			return false;
	return true;
}

/* Whether the service of `now` at the walk's place is in `was` as it is; moves `was` up to
 * it, not past it. */
static bool in_was(const struct snapshot *was, struct snapshot_step *at, const struct service *now)
{
	struct service *a = service_at(was, &at->was_at);
	while (a && a != now && compare(a, now) < 0) {
		advance(was, &at->was_at);
		a = service_at(was, &at->was_at);
	}
	return a && (a == now || (compare(a, now) == 0 && a->content == now->content));
}

/* Extends the run that begins at the walk's place within its chunk. */
static void extend_run(const struct snapshot *was, const struct snapshot *now, struct stretch *s)
{
	while (s->at.now_at.chunk < now->chunk_count &&
	       now->chunks[s->at.now_at.chunk] == s->chunk) {
		struct service *next = s->chunk->items[s->at.now_at.item];
		if (!plain(next) || (was && !in_was(was, &s->at, next)))
			break;
		s->count++;
		advance(now, &s->at.now_at);
	}
}

bool snapshot_next_stretch(const struct snapshot *was, const struct snapshot *now,
			   struct stretch *s)
{
	struct service *first = service_at(now, &s->at.now_at);
	if (!first)
		return false;
	s->chunk = now->chunks[s->at.now_at.chunk];
	s->start = s->at.now_at.item;
	s->count = 0;
	s->changed = was && !in_was(was, &s->at, first);
	s->run = plain(first) && !s->changed;
	if (s->run) {
		extend_run(was, now, s);
	} else {
		s->count = 1;
		advance(now, &s->at.now_at);
	}
	return true;
}

/* ---- conflicts --------------------------------------------------------------------------------- */

/* Whether nobody has it yet, or (with an owner) the same one. */
static bool claim(struct table *claims, struct arena *a, const void *owner, const char *ip,
		  const char *proto, unsigned port)
{
	bool added;
	char *key = arena_printf(a, "%s %s %u", ip, proto, port);
	const void **holder = table_put(claims, key, &added);
	if (added)
		*holder = owner;
	return added || (owner && *holder == owner);
}

static bool claim_addresses(struct table *claims, struct arena *a, const struct service_port *p,
			    const char *const *ips, uint32_t count)
{
	bool alone = true;
	for (uint32_t i = 0; i < count; i++)
		alone &= claim(claims, a, NULL, ips[i], p->proto, p->port) &&
			 claim(claims, a, p->service, ips[i], "", 0);
	return alone;
}

/* An address and port belong to one service port, and to one of its lists once; the
 * address itself belongs to one Service. */
static bool claim_port(struct table *claims, struct arena *a, const struct service_port *p)
{
	return claim(claims, a, NULL, p->cluster_ip_text, p->proto, p->port) &&
	       claim_addresses(claims, a, p, (const char *const *)p->external_ips,
			       p->external_ip_count) &&
	       claim_addresses(claims, a, p, (const char *const *)p->vips, p->vip_count) &&
	       (!p->node_port || claim(claims, a, NULL, "", p->proto, p->node_port));
}

bool snapshot_conflicts(struct snapshot *s)
{
	struct snapshot_cursor cursor = { 0 };
	struct service *service;
	struct table claims;
	struct arena *a;
	if (s->conflicts)
		return s->conflicts == 'y';
	a = arena_new();
	table_init(&claims, TABLE_STRING_KEYS, sizeof(void *));
	s->conflicts = 'n';
	while (s->conflicts == 'n' && (service = snapshot_walk(s, &cursor)) != NULL)
		for (uint32_t k = 0; k < service->port_count; k++)
			if (!claim_port(&claims, a, &service->ports[k]))
				s->conflicts = 'y';
	table_free(&claims);
	arena_free(a);
	return s->conflicts == 'y';
}
