/* linux/race.c: packets of one instant on several CPUs.
 *
 * Without this every packet runs to its end before the next one starts, as on one CPU, and
 * two packets of a new flow can never both find that it has no entry. Here a UDP packet
 * with an entry that is not confirmed yet waits behind PREROUTING until what else comes in
 * within the same instant has passed there too: the widest race there can be. Who is held
 * goes on in the order of arrival.
 */
#include <stdlib.h>

#include "core/arena.h"
#include "linux/conntrack.h"
#include "linux/internal.h"

#define CONFIRMED 8u

struct held {
	struct held *next, **back;
	struct netns *ns;
	uint16_t ifindex;
	struct packet *packet;
	struct event_id event;
};

struct race {
	struct held *held;
};

static struct packet *let_go(struct held *h)
{
	struct packet *p = h->packet;
	*h->back = h->next;
	if (h->next)
		h->next->back = h->back;
	free(h);
	ct_release(p);
	return p;
}

static void drop(struct packet *p)
{
	ct_forget(p);
	packet_free(p);
}

static void go_on(void *ctx)
{
	struct held *h = ctx;
	struct iface *in = iface_find(h->ns, h->ifindex);
	struct packet *p = let_go(h);
	if (in && in->up)
		ip_route_in(in, p);
	else
		drop(p);
}

bool race_hold(struct iface *in, struct packet *p)
{
	struct race *race = in->ns->race;
	struct engine *engine = in->ns->env->engine;
	if (!race || p->proto != PROTO_UDP || !p->ct || ct_status(p) & CONFIRMED)
		return false;
	struct held *h = mem_alloc(sizeof *h);
	*h = (struct held){ .next = race->held, .back = &race->held, .ns = in->ns,
			    .ifindex = in->number, .packet = p };
	if (h->next)
		h->next->back = &h->next;
	race->held = h;
	ct_hold(p);
	h->event = engine_after(engine, 0, go_on, h);
	return true;
}

void netns_set_race(struct netns *ns, enum netns_race race)
{
	conntrack_set_old_clashes(netns_conntrack(ns), race == NETNS_RACE_OLD);
	if (race == NETNS_RACE_OFF)
		race_free(ns);
	else if (!ns->race)
		ns->race = mem_alloc(sizeof *ns->race);
}

void race_free(struct netns *ns)
{
	while (ns->race && ns->race->held) {
		engine_cancel(ns->env->engine, &ns->race->held->event);
		drop(let_go(ns->race->held));
	}
	free(ns->race);
	ns->race = NULL;
}
