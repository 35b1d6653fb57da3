/* linux/fib.c: one routing table. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/internal.h"

#define SEARCH_LIMIT 8u /* entries up to which walking them beats an index */

static bool same_prefix(const struct net_prefix *a, const struct net_prefix *b)
{
	return a->bits == b->bits && net_addr_equal(&a->addr, &b->addr);
}

static void note_length(struct fib *fib, const struct net_prefix *p)
{
	if (p->addr.family == NET_V4)
		fib->lengths4 |= UINT64_C(1) << p->bits;
	else
		fib->lengths6[p->bits / 64] |= UINT64_C(1) << p->bits % 64;
}

static void index_entry(struct fib *fib, struct fib_entry *e)
{
	struct fib_entry **at = table_put(fib->index, &e->route.dst, NULL);
	while (*at && (*at)->route.metric <= e->route.metric)
		at = &(*at)->same;
	e->same = *at;
	*at = e;
}

static void unindex_entry(struct fib *fib, struct fib_entry *e)
{
	struct fib_entry **head = table_find(fib->index, &e->route.dst), **at = head;
	while (*at != e)
		at = &(*at)->same;
	*at = e->same;
	if (!*head)
		table_remove(fib->index, &e->route.dst);
}

static void make_index(struct fib *fib)
{
	fib->index = mem_alloc(sizeof *fib->index);
	table_init(fib->index, sizeof(struct net_prefix), sizeof(struct fib_entry *));
	for (struct fib_entry *e = fib->first; e; e = e->next)
		index_entry(fib, e);
}

static struct fib_entry *first_of_prefix(const struct fib *fib, const struct net_prefix *dst)
{
	if (fib->index) {
		struct fib_entry **head = table_find(fib->index, dst);
		return head ? *head : NULL;
	}
	for (struct fib_entry *e = fib->first; e; e = e->next)
		if (same_prefix(&e->route.dst, dst))
			return e;
	return NULL;
}

static struct fib_entry *next_of_prefix(const struct fib *fib, const struct fib_entry *e)
{
	if (fib->index)
		return e->same;
	for (struct fib_entry *n = e->next; n; n = n->next)
		if (same_prefix(&n->route.dst, &e->route.dst))
			return n;
	return NULL;
}

static struct fib_entry *find(const struct fib *fib, const struct net_prefix *dst, uint16_t out_if)
{
	struct fib_entry *e = first_of_prefix(fib, dst);
	while (e && out_if && e->route.out_if != out_if)
		e = next_of_prefix(fib, e);
	return e;
}

bool fib_has(const struct fib *fib, const struct net_prefix *dst, uint16_t out_if)
{
	struct net_prefix key = net_prefix_masked(dst);
	return find(fib, &key, out_if) != NULL;
}

int fib_add(struct fib *fib, const struct route *route, bool kernel)
{
	struct net_prefix dst = net_prefix_masked(&route->dst);
	for (struct fib_entry *e = first_of_prefix(fib, &dst); e; e = next_of_prefix(fib, e))
		if (e->route.metric == route->metric &&
		    (!kernel || e->route.out_if == route->out_if))
			return EEXIST;
	struct fib_entry *e = mem_alloc(sizeof *e);
	e->route = *route;
	e->route.dst = dst;
	e->kernel = kernel;
	if (!fib->last)
		fib->last = &fib->first;
	e->back = fib->last;
	*fib->last = e;
	fib->last = &e->next;
	fib->count++;
	note_length(fib, &dst);
	if (fib->index)
		index_entry(fib, e);
	else if (fib->count > SEARCH_LIMIT)
		make_index(fib);
	return 0;
}

static void remove_entry(struct fib *fib, struct fib_entry *e)
{
	if (fib->index)
		unindex_entry(fib, e);
	*e->back = e->next;
	if (e->next)
		e->next->back = e->back;
	else
		fib->last = e->back;
	fib->count--;
	free(e);
}

bool fib_remove(struct fib *fib, const struct net_prefix *dst, uint16_t out_if)
{
	struct net_prefix key = net_prefix_masked(dst);
	struct fib_entry *e = find(fib, &key, out_if);
	if (e)
		remove_entry(fib, e);
	return e != NULL;
}

void fib_remove_iface(struct fib *fib, uint16_t out_if)
{
	for (struct fib_entry *e = fib->first, *next; e; e = next) {
		next = e->next;
		if (e->route.out_if == out_if)
			remove_entry(fib, e);
	}
}

void fib_free(struct fib *fib)
{
	while (fib->first) {
		struct fib_entry *e = fib->first;
		fib->first = e->next;
		free(e);
	}
	if (fib->index)
		table_free(fib->index);
	free(fib->index);
	*fib = (struct fib){ 0 };
}

/* Linux takes routes away when their interface goes down; here they sleep. */
static bool usable(const struct netns *ns, const struct fib_entry *e)
{
	if (e->route.kind != ROUTE_UNICAST)
		return true;
	const struct iface *out = iface_find(ns, e->route.out_if);
	return out && out->up;
}

static const struct fib_entry *lookup_small(const struct netns *ns, const struct fib *fib,
					    const struct net_addr *dst)
{
	const struct fib_entry *best = NULL;
	for (const struct fib_entry *e = fib->first; e; e = e->next) {
		const struct net_prefix *p = &e->route.dst;
		if (p->addr.family != dst->family || !net_prefix_contains(p, dst))
			continue;
		if (best && (p->bits < best->route.dst.bits ||
			     (p->bits == best->route.dst.bits &&
			      e->route.metric >= best->route.metric)))
			continue;
		if (usable(ns, e))
			best = e;
	}
	return best;
}

static const struct fib_entry *probe(const struct netns *ns, const struct fib *fib,
				     const struct net_addr *dst, unsigned bits)
{
	struct net_prefix wanted = { *dst, (uint8_t)bits };
	wanted = net_prefix_masked(&wanted);
	struct fib_entry **head = table_find(fib->index, &wanted);
	struct fib_entry *e = head ? *head : NULL;
	while (e && !usable(ns, e))
		e = e->same;
	return e;
}

const struct fib_entry *fib_lookup(const struct netns *ns, const struct fib *fib,
				   const struct net_addr *dst)
{
	if (!fib->index)
		return lookup_small(ns, fib, dst);
	const uint64_t *words = dst->family == NET_V4 ? &fib->lengths4 : fib->lengths6;
	for (int word = dst->family == NET_V4 ? 0 : 2; word >= 0; word--)
		for (uint64_t left = words[word]; left;) {
			unsigned bit = 63u - (unsigned)__builtin_clzll(left);
			const struct fib_entry *e = probe(ns, fib, dst, (unsigned)word * 64 + bit);
			if (e)
				return e;
			left &= ~(UINT64_C(1) << bit);
		}
	return NULL;
}
