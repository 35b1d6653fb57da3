/* linux/link.c: packets between interfaces, one event a hop. */
#include <stdlib.h>

#include "core/arena.h"
#include "linux/internal.h"
#include "net/trace.h"

void link_tap(struct iface *f, int direction, struct packet *p)
{
	const struct linux_env *env = f->ns->env;
	if (direction == 1) {
		f->packets++;
		f->bytes += p->length;
	}
	if (env->tap)
		env->tap(env->tap_ctx, f->ns, f->number, direction, p);
	p->comment[0] = '\0'; /* told once */
}

static void arrive(void *ctx)
{
	struct flight *flight = ctx;
	struct iface *to = flight->to;
	struct packet *p = flight->packet;
	*flight->back = flight->next;
	if (flight->next)
		flight->next->back = flight->back;
	free(flight);
	ct_release(p);
	netns_input(to->ns, to->number, p);
}

static void fly(struct iface *to, int64_t delay_ns, struct packet *p)
{
	struct flight *flight = mem_alloc(sizeof *flight);
	flight->to = to;
	flight->packet = p;
	flight->next = to->flights;
	flight->back = &to->flights;
	if (to->flights)
		to->flights->back = &flight->next;
	to->flights = flight;
	ct_hold(p);
	flight->event = engine_after(to->ns->env->engine, delay_ns, arrive, flight);
}

void link_cancel(struct iface *to)
{
	while (to->flights) {
		struct flight *flight = to->flights;
		to->flights = flight->next;
		engine_cancel(to->ns->env->engine, &flight->event);
		ct_release(flight->packet);
		packet_free(flight->packet);
		free(flight);
	}
}

/* What the kernel keeps beside a packet does not leave the namespace; the mark stays
 * on a veth that ends where it began (skb_scrub_packet). */
static void scrub(const struct netns *from, const struct netns *to, struct packet *p)
{
	ct_forget(p);
	p->ct = NULL;
	p->ct_info = CT_INFO_NONE;
	p->ct_confirmed_here = false;
	p->hairpin = false;
	p->in_if = p->out_if = p->in_port_if = 0;
	p->owner_sock = NULL;
	if (from == to)
		return;
	p->mark = p->priority = 0;
	p->ipvs = NULL;
}

static void lost(struct iface *out, struct packet *p, const char *why)
{
	step_add(out->ns, p, "link", "", NULL, "%s: %s", out->name, why);
	if (p->trace)
		trace_verdict(p->trace, TRACE_UNANSWERED, "%s: %s: %s", out->ns->label, out->name,
			      why);
	packet_free(p);
}

static void veth_send(struct iface *out, struct packet *p)
{
	struct iface *peer = out->peer;
	if (!out->up || !peer || !peer->up) {
		lost(out, p, "the link is down");
		return;
	}
	int64_t extra_ns = link_fault_delay(out, peer, p);
	link_tap(out, 2, p);
	if (extra_ns < 0) {
		lost(out, p, "the frame was lost");
		return;
	}
	scrub(out->ns, peer->ns, p);
	fly(peer, out->delay_ns + extra_ns, p);
}

void link_port_send(struct iface *port, struct packet *p)
{
	veth_send(port, p);
}

static void segment_send(struct iface *out, struct iface *target, struct packet *p)
{
	int64_t delay_ns = segment_delay(out->segment), extra_ns = link_fault_delay(out, target, p);
	link_tap(out, 2, p);
	if (delay_ns < 0 || extra_ns < 0 || !target->up) {
		lost(out, p, delay_ns < 0 || extra_ns < 0 ? "the frame was lost" : "the far interface is down");
		return;
	}
	scrub(out->ns, target->ns, p);
	fly(target, delay_ns + extra_ns, p);
}

void link_transmit(struct netns *ns, uint16_t out_if, const struct net_addr *next_hop,
		   struct packet *p)
{
	struct iface *out = iface_find(ns, out_if), *target;
	if (!out || !out->up) {
		path_drop(ns, p, "link", "the outgoing interface is down");
		return;
	}
	p->out_if = out_if;
	switch ((enum iface_kind)out->kind) {
	case IFACE_LOOPBACK: /* no delay, but not within the sender's call: netif_rx */
		fly(out, 0, p);
		return;
	case IFACE_DUMMY:
		link_tap(out, 2, p);
		lost(out, p, "a dummy interface swallows it");
		return;
	case IFACE_VETH:
	case IFACE_SEGMENT:
	case IFACE_BRIDGE:
		break;
	}
	target = neigh_find(out, next_hop);
	if (!target) {
		neigh_fail(out, next_hop, p);
		return;
	}
	packet_set_macs(p, &out->mac, &target->mac);
	if (out->kind == IFACE_BRIDGE)
		bridge_transmit(out, target, p);
	else if (out->kind == IFACE_VETH)
		veth_send(out, p);
	else
		segment_send(out, target, p);
}
