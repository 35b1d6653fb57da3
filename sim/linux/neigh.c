/* linux/neigh.c: who answers for a next hop.
 *
 * There is no ARP on the wire; the answer is what ARP would find: the interface on
 * the link that has the address; else one whose namespace has it elsewhere (Linux
 * answers for any of its addresses while arp_ignore is 0), else the bridge when it
 * is told to answer for others (proxy_arp). On a plain veth the far end answers for
 * everything, as CNI plug-ins arrange it for /32 routes.
 *
 * When nobody answers, Linux asks three times, one second apart, and then reports
 * host unreachable to the sender (neigh->ops->error_report); so does this file.
 */
#include <stdlib.h>

#include "core/arena.h"
#include "linux/internal.h"
#include "net/trace.h"

#define PROBE_INTERVAL_NS NS_PER_S
#define PROBES 3u
#define QUEUE_LIMIT 101u /* packets of default size that a neighbour entry queues */

struct neigh_wait { /* one next hop that is being asked for */
	struct neigh_wait *next;
	struct netns *ns;
	uint16_t out_if;
	struct net_addr next_hop;
	struct packet *packets[QUEUE_LIMIT];
	uint32_t count, probes;
	struct event_id timer;
};

void l2_init(struct l2_domain *d)
{
	table_init(&d->by_addr, sizeof(struct net_addr), sizeof(struct iface *));
	table_init(&d->by_mac, sizeof(struct net_mac), sizeof(struct iface *));
}

void l2_free(struct l2_domain *d)
{
	table_free(&d->by_addr);
	table_free(&d->by_mac);
}

void l2_join(struct l2_domain *d, struct iface *f)
{
	*(struct iface **)table_put(&d->by_mac, &f->mac, NULL) = f;
	for (uint32_t i = 0; i < f->addr_count; i++)
		*(struct iface **)table_put(&d->by_addr, &f->addrs[i].addr, NULL) = f;
}

static void forget(struct table *t, const void *key, const struct iface *f)
{
	struct iface **found = table_find(t, key);
	if (found && *found == f)
		table_remove(t, key);
}

void l2_leave(struct l2_domain *d, struct iface *f)
{
	forget(&d->by_mac, &f->mac, f);
	for (uint32_t i = 0; i < f->addr_count; i++)
		forget(&d->by_addr, &f->addrs[i].addr, f);
}

/* The link an interface answers on, NULL: a plain veth or none. */
static struct l2_domain *domain_of(const struct iface *f)
{
	switch ((enum iface_kind)f->kind) {
	case IFACE_BRIDGE:
		return &f->bridge->domain;
	case IFACE_SEGMENT:
		return f->segment ? &f->segment->domain : NULL;
	case IFACE_VETH:
		return f->peer && f->peer->master ? &f->peer->master->bridge->domain : NULL;
	case IFACE_LOOPBACK:
	case IFACE_DUMMY:
		break;
	}
	return NULL;
}

void l2_addr_added(struct iface *f, const struct net_addr *a)
{
	struct l2_domain *d = domain_of(f);
	if (d) /* the last one to take an address gets it, as a gratuitous ARP says */
		*(struct iface **)table_put(&d->by_addr, a, NULL) = f;
}

void l2_addr_removed(struct iface *f, const struct net_addr *a)
{
	struct l2_domain *d = domain_of(f);
	if (d)
		forget(&d->by_addr, a, f);
}

static struct iface *owner(const struct l2_domain *d, const struct net_addr *a)
{
	struct iface **found = table_find(&d->by_addr, a);
	return found && (*found)->up ? *found : NULL;
}

/* Answers for an address that lies on another interface of its namespace. */
static bool answers_for_all(const struct iface *f, const struct net_addr *a)
{
	return f->up && conf_of(f, CONF_ARP_IGNORE) == 0 && !net_addr_is_loopback(a) &&
	       netns_is_local(f->ns, a);
}

static bool answers_as_proxy(const struct iface *f, const struct net_addr *a)
{
	struct route_result route;
	if (!conf_of(f, a->family == NET_V4 ? CONF_PROXY_ARP : CONF6_PROXY_NDP))
		return false;
	return f->up && netns_route(f->ns, a, NULL, 0, &route) && route.kind == ROUTE_UNICAST &&
	       route.out_if != f->number;
}

struct iface *neigh_find_on_bridge(struct iface *bridge, const struct iface *asking,
				   const struct net_addr *next_hop)
{
	struct iface *f = owner(&bridge->bridge->domain, next_hop);
	if (f)
		return f;
	if (asking == bridge)
		return NULL;
	return answers_for_all(bridge, next_hop) || answers_as_proxy(bridge, next_hop) ? bridge
										       : NULL;
}

static struct iface *find_on_segment(const struct iface *out, const struct net_addr *next_hop)
{
	struct iface *f = owner(&out->segment->domain, next_hop);
	for (uint32_t i = 0; !f && i < out->segment->member_count; i++) {
		struct iface *member = out->segment->members[i];
		if (member != out && (answers_for_all(member, next_hop) ||
				      answers_as_proxy(member, next_hop)))
			f = member;
	}
	return f;
}

struct iface *neigh_find(struct iface *out, const struct net_addr *next_hop)
{
	if (out->kind == IFACE_BRIDGE)
		return neigh_find_on_bridge(out, out, next_hop);
	if (out->kind == IFACE_SEGMENT)
		return out->segment ? find_on_segment(out, next_hop) : NULL;
	if (!out->peer)
		return NULL;
	if (out->peer->master)
		return neigh_find_on_bridge(out->peer->master, out, next_hop);
	return out->peer;
}

/* ---- nobody answers ------------------------------------------------------- */

static void unlink_wait(struct neigh_wait *w)
{
	struct neigh_wait **at = &w->ns->waiting;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
}

static void give_up(struct neigh_wait *w)
{
	struct netns *ns = w->ns;
	bool v4 = w->next_hop.family == NET_V4;
	for (uint32_t i = 0; i < w->count; i++) {
		struct packet *p = w->packets[i];
		/* ICMP host unreachable; ICMPv6 address unreachable */
		icmp_error(ns, p, v4 ? 3 : 1, v4 ? 1 : 3, 0);
		ct_release(p);
		packet_free(p);
	}
	free(w);
}

static void probe(void *ctx)
{
	struct neigh_wait *w = ctx;
	struct iface *out = iface_find(w->ns, w->out_if);
	if (out && out->up && neigh_find(out, &w->next_hop)) {
		unlink_wait(w);
		for (uint32_t i = 0; i < w->count; i++) {
			ct_release(w->packets[i]);
			link_transmit(w->ns, w->out_if, &w->next_hop, w->packets[i]);
		}
		free(w);
		return;
	}
	if (++w->probes == PROBES) {
		unlink_wait(w);
		give_up(w);
		return;
	}
	w->timer = engine_after(w->ns->env->engine, PROBE_INTERVAL_NS, probe, w);
}

void neigh_fail(struct iface *out, const struct net_addr *next_hop, struct packet *p)
{
	char text[NET_ADDR_TEXT];
	struct netns *ns = out->ns;
	struct neigh_wait *w = ns->waiting;
	net_addr_text(next_hop, text);
	step_add(ns, p, "link", "", NULL, "%s: nobody answers for %s", out->name, text);
	if (p->trace)
		trace_verdict(p->trace, TRACE_UNANSWERED, "%s: nobody answers for %s on %s",
			      ns->label, text, out->name);
	while (w && (w->out_if != out->number || !net_addr_equal(&w->next_hop, next_hop)))
		w = w->next;
	if (!w) {
		w = mem_alloc(sizeof *w);
		w->ns = ns;
		w->out_if = out->number;
		w->next_hop = *next_hop;
		w->next = ns->waiting;
		ns->waiting = w;
		w->timer = engine_after(ns->env->engine, PROBE_INTERVAL_NS, probe, w);
	}
	if (w->count == QUEUE_LIMIT) {
		packet_free(p);
		return;
	}
	p->trace = NULL; /* its owner does not wait for what happens seconds later */
	ct_hold(p);
	w->packets[w->count++] = p;
}

void neigh_free(struct netns *ns)
{
	while (ns->waiting) {
		struct neigh_wait *w = ns->waiting;
		ns->waiting = w->next;
		engine_cancel(ns->env->engine, &w->timer);
		for (uint32_t i = 0; i < w->count; i++) {
			ct_release(w->packets[i]);
			packet_free(w->packets[i]);
		}
		free(w);
	}
}
