/* linux/ipvs/sched.c: the schedulers that count connections and weights.
 *
 * Facts from net/netfilter/ipvs/ip_vs_{rr,wrr,lc,wlc,sed,nq,fo,ovf}.c and from a 6.1
 * kernel's choices (tests/unit/linux_ipvs.c).
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/ipvs/internal.h"
#include "linux/netns.h"

bool ipvs_can_take(const struct ipvs_dest *d)
{
	return d->weight > 0 && !d->overload;
}

/* Position of `last` in the list; -1: the head. */
static int position(const struct ipvs_service *s)
{
	for (uint32_t i = 0; s->last && i < s->dest_count; i++)
		if (s->dests[i] == s->last)
			return (int)i;
	return -1;
}

static struct ipvs_dest *rr_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	(void)v, (void)p;
	int at = position(s);
	for (uint32_t step = 1; step <= s->dest_count; step++) {
		struct ipvs_dest *d = s->dests[((uint32_t)(at + (int)step)) % s->dest_count];
		if (ipvs_can_take(d))
			return s->last = d;
	}
	return NULL;
}

static int gcd(int a, int b)
{
	while (b) {
		int rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

static void wrr_changed(struct ipvs_service *s, const struct ipvs_dest *gone)
{
	int step = 0, max = 0;
	(void)gone;
	for (uint32_t i = 0; i < s->dest_count; i++) {
		if (s->dests[i]->weight > 0)
			step = gcd(s->dests[i]->weight, step);
		if (s->dests[i]->weight > max)
			max = s->dests[i]->weight;
	}
	s->last = NULL;
	s->wrr_step = step ? step : 1;
	s->wrr_max = max - (s->wrr_step - 1);
	if (s->wrr_weight > s->wrr_max || !s->wrr_weight)
		s->wrr_weight = s->wrr_max;
	else if (s->wrr_step > 1)
		s->wrr_weight = s->wrr_weight / s->wrr_step * s->wrr_step + 1;
}

/* Rounds over the list with a falling threshold: a server takes part while its weight
 * reaches it. Two full rounds at the lowest threshold without a server: none. */
static struct ipvs_dest *wrr_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	(void)v, (void)p;
	int at = position(s);
	if (s->wrr_max <= 0)
		return NULL;
	for (int lowest_rounds = 0; lowest_rounds < 2;) {
		for (int i = at + 1; i < (int)s->dest_count; i++) {
			struct ipvs_dest *d = s->dests[i];
			if (!d->overload && d->weight >= s->wrr_weight)
				return s->last = d;
		}
		at = -1;
		lowest_rounds += s->wrr_weight <= s->wrr_step;
		s->wrr_weight -= s->wrr_step;
		if (s->wrr_weight <= 0)
			s->wrr_weight = s->wrr_max;
	}
	return NULL;
}

int64_t ipvs_overhead(const struct ipvs_dest *d)
{
	return ((int64_t)d->active << 8) + d->inactive;
}

static struct ipvs_dest *lc_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	struct ipvs_dest *least = NULL;
	(void)v, (void)p;
	for (uint32_t i = 0; i < s->dest_count; i++) {
		struct ipvs_dest *d = s->dests[i];
		if (ipvs_can_take(d) && (!least || ipvs_overhead(d) < ipvs_overhead(least)))
			least = d;
	}
	return least;
}

struct ipvs_dest *ipvs_least_loaded(struct ipvs_dest *const *dests, uint32_t count)
{
	struct ipvs_dest *least = NULL;
	for (uint32_t i = 0; i < count; i++) {
		struct ipvs_dest *d = dests[i];
		if (ipvs_can_take(d) &&
		    (!least || ipvs_overhead(least) * d->weight > ipvs_overhead(d) * least->weight))
			least = d;
	}
	return least;
}

static struct ipvs_dest *wlc_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	(void)v, (void)p;
	return ipvs_least_loaded(s->dests, s->dest_count);
}

/* Shortest expected delay: as if the new connection were there already. */
static struct ipvs_dest *shortest(struct ipvs_service *s, bool idle_first)
{
	struct ipvs_dest *least = NULL;
	for (uint32_t i = 0; i < s->dest_count; i++) {
		struct ipvs_dest *d = s->dests[i];
		if (!ipvs_can_take(d))
			continue;
		if (idle_first && d->active == 0)
			return d;
		if (!least || (int64_t)(least->active + 1) * d->weight >
				      (int64_t)(d->active + 1) * least->weight)
			least = d;
	}
	return least;
}

static struct ipvs_dest *sed_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	(void)v, (void)p;
	return shortest(s, false);
}

static struct ipvs_dest *nq_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	(void)v, (void)p;
	return shortest(s, true);
}

static struct ipvs_dest *heaviest(struct ipvs_service *s, bool until_full)
{
	struct ipvs_dest *best = NULL;
	for (uint32_t i = 0; i < s->dest_count; i++) {
		struct ipvs_dest *d = s->dests[i];
		if (!ipvs_can_take(d) || (until_full && d->active > (uint32_t)d->weight))
			continue;
		if (!best || d->weight > best->weight)
			best = d;
	}
	return best;
}

static struct ipvs_dest *fo_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	(void)v, (void)p;
	return heaviest(s, false);
}

static struct ipvs_dest *ovf_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	(void)v, (void)p;
	return heaviest(s, true);
}

static const struct ipvs_scheduler schedulers[] = {
	{ "rr", rr_choose, NULL, { NULL, NULL }, IPVS_HISTORY_EQUAL },
	{ "wrr", wrr_choose, wrr_changed, { NULL, NULL }, IPVS_HISTORY_WEIGHT },
	{ "lc", lc_choose, NULL, { NULL, NULL }, IPVS_HISTORY_EQUAL },
	{ "wlc", wlc_choose, NULL, { NULL, NULL }, IPVS_HISTORY_WEIGHT },
	{ "sed", sed_choose, NULL, { NULL, NULL }, IPVS_HISTORY_WEIGHT },
	{ "nq", nq_choose, NULL, { NULL, NULL }, IPVS_HISTORY_WEIGHT },
	{ "sh", sh_choose, sh_changed, { "sh-fallback", "sh-port" }, IPVS_HISTORY_NONE },
	{ "dh", dh_choose, dh_changed, { NULL, NULL }, IPVS_HISTORY_NONE },
	{ "mh", mh_choose, mh_changed, { "mh-fallback", "mh-port" }, IPVS_HISTORY_NONE },
	{ "lblc", lblc_choose, cache_changed, { NULL, NULL }, IPVS_HISTORY_WEIGHT },
	{ "lblcr", lblcr_choose, cache_changed, { NULL, NULL }, IPVS_HISTORY_WEIGHT },
	{ "fo", fo_choose, NULL, { NULL, NULL }, IPVS_HISTORY_NONE },
	{ "ovf", ovf_choose, NULL, { NULL, NULL }, IPVS_HISTORY_NONE } };

static struct ipvs_dest *drawn(struct ipvs *v, struct ipvs_service *s)
{
	uint64_t *weights = mem_array(s->dest_count + 1, sizeof *weights), sum = 0;
	for (uint32_t i = 0; i < s->dest_count; i++) {
		const struct ipvs_dest *d = s->dests[i];
		if (ipvs_can_take(d))
			weights[i] = s->scheduler->history == IPVS_HISTORY_EQUAL ? 1
										 : (uint64_t)d->weight;
		sum += weights[i];
	}
	struct ipvs_dest *d = NULL;
	if (sum) {
		struct choice *choice = netns_env(v->ns)->choice;
		d = s->dests[choice_draw(choice, "backend", weights, s->dest_count)];
		s->last = d;
	}
	free(weights);
	return d;
}

struct ipvs_dest *ipvs_choose(struct ipvs *v, struct ipvs_service *s, const struct packet *p)
{
	bool unknown = s->history_unknown && s->scheduler->history != IPVS_HISTORY_NONE;
	s->history_unknown = false;
	return unknown ? drawn(v, s) : s->scheduler->choose(v, s, p);
}

const struct ipvs_scheduler *ipvs_scheduler_find(const char *name)
{
	for (size_t i = 0; i < sizeof schedulers / sizeof *schedulers; i++)
		if (strcmp(schedulers[i].name, name) == 0)
			return &schedulers[i];
	return NULL;
}
