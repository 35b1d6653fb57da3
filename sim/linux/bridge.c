/* linux/bridge.c: a bridge and its ports.
 *
 * A frame goes by its destination MAC: to the bridge itself, and so up, or out of
 * the port behind which that MAC sits. With bridge-nf-call-iptables the IP hooks see
 * bridged frames: PREROUTING at the port; FORWARD and POSTROUTING when the frame is
 * bridged (net/bridge/br_netfilter_hooks.c). A DNAT in PREROUTING gives the frame a
 * new next hop: a neighbour on the same bridge keeps it a bridged frame, with its TTL
 * and source MAC, and hence the port's hairpin mode decides whether it may return to
 * the port it came from; any other destination is routed.
 */
#include <errno.h>
#include <string.h>

#include "linux/internal.h"
#include "net/trace.h"

int netns_bridge_port(struct netns *ns, uint16_t bridge, uint16_t port, bool hairpin)
{
	struct iface *b = iface_find(ns, bridge), *f = iface_find(ns, port);
	if (!b || !f)
		return ENODEV;
	if (b->kind != IFACE_BRIDGE || f->kind != IFACE_VETH || !f->peer)
		return EINVAL;
	f->hairpin = hairpin;
	if (f->master == b)
		return 0;
	if (f->master)
		return EBUSY;
	f->master = b;
	l2_join(&b->bridge->domain, f->peer);
	return 0;
}

void bridge_leave(struct iface *port)
{
	if (port->peer)
		l2_leave(&port->master->bridge->domain, port->peer);
	port->master = NULL;
}

static bool calls_ip_hooks(const struct netns *ns, uint8_t family)
{
	return ns->hooks &&
	       sysctl_value(ns, family == NET_V4 ? SYSCTL_BRIDGE_NF4 : SYSCTL_BRIDGE_NF6) != 0;
}

static struct net_mac mac_at(const struct packet *p, unsigned offset)
{
	struct net_mac mac;
	memcpy(mac.bytes, p->bytes + offset, sizeof mac.bytes);
	return mac;
}

static bool same_mac(const struct net_mac *a, const struct net_mac *b)
{
	return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* After DNAT in PREROUTING: where the frame goes now. False: the packet is gone. */
static bool redirect_frame(struct iface *bridge, struct packet *p)
{
	struct netns *ns = bridge->ns;
	struct route_input input;
	struct net_mac source = mac_at(p, 6);
	route_input(ns, bridge, p, &input);
	bool here = input.route.out_if == bridge->number && input.route.kind == ROUTE_UNICAST;
	if (input.kind != INPUT_LOCAL && input.kind != INPUT_FORWARD &&
	    !(here && input.kind == INPUT_UNREACHABLE)) { /* bridging needs no ip_forward */
		path_drop(ns, p, "route", "after DNAT on the bridge: %s", input.why);
		return false;
	}
	struct iface *target = bridge;
	if (here && input.kind != INPUT_LOCAL) {
		target = neigh_find_on_bridge(bridge, bridge, &input.route.next_hop);
		if (!target) {
			neigh_fail(bridge, &input.route.next_hop, p);
			return false;
		}
		step_add(ns, p, "bridge", "", NULL, "%s: DNAT to a neighbour on the bridge: bridged",
			 bridge->name);
	}
	packet_set_macs(p, &source, &target->mac);
	return true;
}

static void forward_frame(struct iface *in, struct iface *bridge, struct iface *target,
			  struct packet *p)
{
	struct netns *ns = bridge->ns;
	struct iface *out = target->kind == IFACE_VETH ? target->peer : NULL;
	if (!out || out->master != bridge || !out->up) {
		path_drop(ns, p, "bridge", "%s: no port leads to the destination MAC", bridge->name);
		return;
	}
	if (out == in && !in->hairpin) {
		path_drop(ns, p, "bridge", "%s: port %s has no hairpin mode", bridge->name, in->name);
		return;
	}
	p->hairpin = out == in;
	p->out_if = bridge->number;
	if (calls_ip_hooks(ns, p->family) &&
	    (hook_at(ns, HOOK_FORWARD, p, NULL) != VERDICT_ACCEPT ||
	     hook_at(ns, HOOK_POSTROUTING, p, NULL) != VERDICT_ACCEPT))
		return;
	step_add(ns, p, "bridge", "", NULL, "%s: to port %s%s", bridge->name, out->name,
		 out == in ? " (hairpin)" : "");
	link_port_send(out, p);
}

void bridge_input(struct iface *port, struct packet *p)
{
	static const struct net_mac none;
	struct iface *bridge = port->master, **found;
	struct netns *ns = bridge->ns;
	bool hooks = calls_ip_hooks(ns, p->family);
	struct net_mac dst = mac_at(p, 0);
	if (same_mac(&dst, &none)) { /* a crafted frame that names nobody */
		struct net_mac src = mac_at(p, 6);
		packet_set_macs(p, &src, &bridge->mac);
	}
	p->in_port_if = port->number;
	p->in_if = bridge->number;
	if (hooks) {
		struct net_addr before = packet_dst(p), after;
		if (hook_at(ns, HOOK_PREROUTING, p, NULL) != VERDICT_ACCEPT)
			return;
		after = packet_dst(p);
		if (!net_addr_equal(&before, &after) && !redirect_frame(bridge, p))
			return;
	}
	dst = mac_at(p, 0);
	if (same_mac(&dst, &bridge->mac)) {
		link_tap(bridge, 1, p);
		ip_receive(bridge, p, hooks);
		return;
	}
	found = table_find(&bridge->bridge->domain.by_mac, &dst);
	if (!found) {
		path_drop(ns, p, "bridge", "%s: nobody has the destination MAC", bridge->name);
		return;
	}
	forward_frame(port, bridge, *found, p);
}

void bridge_transmit(struct iface *bridge, struct iface *target, struct packet *p)
{
	struct iface *out = target->kind == IFACE_VETH ? target->peer : NULL;
	link_tap(bridge, 2, p);
	if (!out || out->master != bridge || !out->up) {
		path_drop(bridge->ns, p, "bridge", "%s: no port leads to the destination MAC",
			  bridge->name);
		return;
	}
	link_port_send(out, p);
}
