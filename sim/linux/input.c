/* linux/input.c: a packet arrives. */
#include <stdio.h>

#include "linux/internal.h"
#include "net/trace.h"

static void note_arrival(const struct iface *in, const struct packet *p)
{
	char line[256];
	struct netns *ns = in->ns;
	if (!p->trace)
		return;
	if (ns->entry && !*p->trace->entry_node)
		snprintf(p->trace->entry_node, sizeof p->trace->entry_node, "%s", ns->label);
	step_add(ns, p, "in", "", NULL, "%s: %s", in->name, packet_line(p, line, sizeof line));
}

void netns_input(struct netns *ns, uint16_t ifindex, struct packet *p)
{
	struct iface *in = iface_find(ns, ifindex);
	if (!in || !in->up) {
		ct_forget(p);
		packet_free(p);
		return;
	}
	p->in_if = ifindex;
	p->out_if = 0;
	note_arrival(in, p);
	link_tap(in, 1, p);
	if (p->family == NET_NONE) {
		path_drop(ns, p, "in", "not an IP packet");
		return;
	}
	if (in->master)
		bridge_input(in, p);
	else
		ip_receive(in, p, false);
}

static void deliver(struct netns *ns, struct packet *p)
{
	if (hook_at(ns, HOOK_INPUT, p, NULL) == VERDICT_ACCEPT)
		stack_receive(ns, p);
}

static void forward(struct netns *ns, const struct route_result *route, struct packet *p)
{
	bool v4 = p->family == NET_V4;
	uint8_t ttl = packet_ttl(p);
	if (ttl <= 1) {
		icmp_error(ns, p, v4 ? 11 : 3, 0, 0);
		step_add(ns, p, "FORWARD", "", NULL, "time to live exceeded");
		if (p->trace)
			trace_verdict(p->trace, TRACE_REJECTED, "%s: time to live exceeded",
				      ns->label);
		ct_forget(p);
		packet_free(p);
		return;
	}
	packet_set_ttl(p, (uint8_t)(ttl - 1));
	p->out_if = route->out_if;
	if (hook_at(ns, HOOK_FORWARD, p, NULL) == VERDICT_ACCEPT)
		path_post(ns, route, p);
}

static void unreachable(struct netns *ns, const struct route_input *decision, struct packet *p)
{
	bool v4 = p->family == NET_V4;
	step_add(ns, p, "route", "", NULL, "%s", decision->why);
	if (p->trace)
		trace_verdict(p->trace, TRACE_NO_ROUTE, "%s: %s", ns->label, decision->why);
	icmp_error(ns, p, v4 ? 3 : 1, decision->icmp_code, 0);
	ct_forget(p);
	packet_free(p);
}

void ip_receive(struct iface *in, struct packet *p, bool prerouting_done)
{
	if (!prerouting_done && hook_at(in->ns, HOOK_PREROUTING, p, NULL) != VERDICT_ACCEPT)
		return;
	if (!race_hold(in, p))
		ip_route_in(in, p);
}

void ip_route_in(struct iface *in, struct packet *p)
{
	struct netns *ns = in->ns;
	struct route_input decision;
	bool looped = in->kind == IFACE_LOOPBACK;
	if (looped) { /* it carries the route of its sender */
		deliver(ns, p);
		return;
	}
	route_input(ns, in, p, &decision);
	switch (decision.kind) {
	case INPUT_LOCAL:
		step_add(ns, p, "route", "", NULL, "to this host");
		deliver(ns, p);
		return;
	case INPUT_FORWARD:
		forward(ns, &decision.route, p);
		return;
	case INPUT_UNREACHABLE:
		/* Without forwarding Linux keeps silent (ip_error). */
		if (netns_forwarding(ns, p->family)) {
			unreachable(ns, &decision, p);
			return;
		}
		break;
	case INPUT_DROP:
		break;
	}
	path_drop(ns, p, "route", "%s", decision.why);
}
