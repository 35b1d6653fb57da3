/* linux/ipvs/sched_cache.c: locality-based schedulers, lblc and lblcr.
 *
 * Both remember which server (lblcr: which set of servers) served a destination address,
 * and leave it only when it is overloaded while another one is at half its weight. Facts
 * from ip_vs_lblc.c and ip_vs_lblcr.c; an entry is forgotten 24 hours after its last use.
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/ipvs/internal.h"

#define KEPT_NS (INT64_C(24) * 3600 * NS_PER_S)
#define SET_SHRINKS_NS (INT64_C(3600) * 24 * NS_PER_S) /* lblcr_expiration */

void lblc_free(struct ipvs_service *s)
{
	void *value;
	for (uint32_t i = 0; table_next(&s->caches, &i, NULL, &value);)
		free(((struct ipvs_cache *)value)->set);
	table_free(&s->caches);
}

void cache_changed(struct ipvs_service *s, const struct ipvs_dest *gone)
{
	void *value;
	for (uint32_t i = 0; gone && table_next(&s->caches, &i, NULL, &value);) {
		struct ipvs_cache *c = value;
		uint32_t kept = 0;
		for (uint32_t k = 0; k < c->count; k++)
			if (c->set[k] != gone)
				c->set[kept++] = c->set[k];
		c->count = kept;
	}
}

static struct ipvs_cache *cache_of(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	struct net_addr to = packet_dst(p);
	int64_t now = ipvs_now(v);
	bool added;
	struct ipvs_cache *c = table_put(&s->caches, &to, &added);
	c->addr = to;
	if (!added && now - c->last_use_ns > KEPT_NS)
		c->count = 0;
	c->last_use_ns = now;
	return c;
}

/* The newest comes first and wins where loads are equal. */
static void remember(struct ipvs *v, struct ipvs_cache *c, struct ipvs_dest *d)
{
	c->set = mem_grow(c->set, c->count, c->count + 1u, sizeof *c->set);
	memmove(c->set + 1, c->set, c->count * sizeof *c->set);
	c->set[0] = d;
	c->count++;
	c->last_change_ns = ipvs_now(v);
}

static bool overloaded(const struct ipvs_dest *d, const struct ipvs_service *s)
{
	if (d->active <= (uint32_t)d->weight)
		return false;
	for (uint32_t i = 0; i < s->dest_count; i++)
		if (s->dests[i]->active * 2 < (uint32_t)s->dests[i]->weight)
			return true;
	return false;
}

struct ipvs_dest *lblc_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	struct ipvs_cache *c = cache_of(v, s, p);
	if (c->count && c->set[0]->available && c->set[0]->weight > 0 && !overloaded(c->set[0], s))
		return c->set[0];
	struct ipvs_dest *d = ipvs_least_loaded(s->dests, s->dest_count);
	c->count = 0;
	if (d)
		remember(v, c, d);
	return d;
}

/* The busiest of a set leaves it when the set has not changed for long. */
static void shrink(struct ipvs_cache *c, int64_t now_ns)
{
	uint32_t most = UINT32_MAX;
	if (c->count < 2 || now_ns - c->last_change_ns <= SET_SHRINKS_NS)
		return;
	for (uint32_t i = 0; i < c->count; i++)
		if (c->set[i]->weight > 0 &&
		    (most == UINT32_MAX || ipvs_overhead(c->set[i]) * c->set[most]->weight >
						   ipvs_overhead(c->set[most]) * c->set[i]->weight))
			most = i;
	if (most == UINT32_MAX)
		return;
	memmove(&c->set[most], &c->set[most + 1], (--c->count - most) * sizeof *c->set);
	c->last_change_ns = now_ns;
}

struct ipvs_dest *lblcr_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	struct ipvs_cache *c = cache_of(v, s, p);
	struct ipvs_dest *d = ipvs_least_loaded(c->set, c->count);
	shrink(c, ipvs_now(v));
	if (d && !overloaded(d, s))
		return d;
	d = ipvs_least_loaded(s->dests, s->dest_count);
	for (uint32_t i = 0; d && i < c->count; i++)
		if (c->set[i] == d)
			return d;
	if (d)
		remember(v, c, d);
	return d;
}
