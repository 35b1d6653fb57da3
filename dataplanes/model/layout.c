/* dataplanes/model/layout.c: builds the network of model.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplanes/model/internal.h"

static struct net_prefix full(const struct net_addr *a)
{
	return (struct net_prefix){ *a, (uint8_t)net_family_bits(a->family) };
}

static void route(struct netns *ns, const struct net_prefix *dst, const struct net_addr *via,
		  uint16_t out_if)
{
	struct route r = { .dst = net_prefix_masked(dst), .kind = ROUTE_UNICAST, .out_if = out_if };
	if (via)
		r.via = *via;
	netns_add_route(ns, &r);
}

static struct net_prefix everything(uint8_t family)
{
	return (struct net_prefix){ { .family = family }, 0 };
}

static const struct net_prefix *lan_of(const struct executor *e, uint8_t family)
{
	for (int i = 0; i < 2; i++)
		if (e->topology.lan[i].addr.family == family)
			return &e->topology.lan[i];
	return NULL;
}

static const struct net_addr *gateway_of(const struct executor *e, uint8_t family)
{
	for (int i = 0; i < 2; i++)
		if (e->gateway_addrs[i].family == family)
			return &e->gateway_addrs[i];
	return NULL;
}

static void forwarding(struct netns *ns)
{
	netns_sysctl_set(ns, "net.ipv4.ip_forward", 1);
	netns_sysctl_set(ns, "net.ipv6.conf.all.forwarding", 1);
}

void layout_open(struct executor *e)
{
	e->lan = segment_new(&e->shared, "lan", e->topology.lan_delay_ns);
	e->overlay = segment_new(&e->shared, "overlay", e->topology.lan_delay_ns);
	e->gateway = netns_new(&e->shared, GATEWAY_PLACE);
	e->gateway_if = netns_add_segment_iface(e->gateway, "eth0", e->lan);
	forwarding(e->gateway);
	for (int i = 0; i < 2; i++) {
		const struct net_prefix *lan = &e->topology.lan[i];
		if (lan->addr.family == NET_NONE)
			continue;
		e->gateway_addrs[i] = net_prefix_last(lan); /* no node is given it */
		struct net_prefix address = { e->gateway_addrs[i], lan->bits };
		netns_add_addr(e->gateway, e->gateway_if, &address);
		struct route lost = { .dst = everything(lan->addr.family), .kind = ROUTE_BLACKHOLE };
		netns_add_route(e->gateway, &lost);
	}
}

static void uplink(struct executor *e, struct model_place *p)
{
	p->uplink = netns_add_segment_iface(p->ns, p->uplink_name ? p->uplink_name : "eth0", e->lan);
	for (int i = 0; i < 2; i++) {
		const struct net_addr *a = &p->addrs[i];
		const struct net_prefix *lan = lan_of(e, a->family);
		if (a->family == NET_NONE)
			continue;
		bool inside = lan && net_prefix_contains(lan, a);
		struct net_prefix address = inside ? (struct net_prefix){ *a, lan->bits } : full(a);
		netns_add_addr(p->ns, p->uplink, &address);
		if (!inside && lan) /* the LAN is on link all the same */
			route(p->ns, lan, NULL, p->uplink);
	}
}

/* A host outside reaches a node's further addresses by that node itself. */
static void further_route(struct netns *from, uint16_t out_if, const struct model_place *node)
{
	for (uint32_t i = 0; i < node->more_count; i++) {
		struct net_prefix one = full(&node->more[i]);
		for (int k = 0; k < 2; k++)
			if (node->addrs[k].family == node->more[i].family)
				route(from, &one, &node->addrs[k], out_if);
	}
}

static void further_addresses(struct executor *e, struct model_place *node)
{
	void *value;
	for (uint32_t i = 0; i < node->more_count; i++) {
		struct net_prefix one = full(&node->more[i]);
		netns_add_addr(node->ns, node->uplink, &one);
	}
	if (!node->more_count)
		return;
	further_route(e->gateway, e->gateway_if, node);
	for (uint32_t i = 0; table_next(&e->places, &i, NULL, &value);) {
		struct model_place *other = *(struct model_place **)value;
		if (other->kind == PLACE_OUTSIDE)
			further_route(other->ns, other->uplink, node);
	}
}

static bool in_ranges(const struct model_place *node, const struct net_addr *a)
{
	for (int i = 0; i < 2; i++)
		if (node->pod_cidrs[i].addr.family == a->family &&
		    net_prefix_contains(&node->pod_cidrs[i], a))
			return true;
	return false;
}

/* Node `from` reaches a prefix of pods that live on `owner`. */
static void pod_route(struct model_place *from, const struct model_place *owner,
		      const struct net_prefix *pods)
{
	if (from->vxlan && owner->vxlan) {
		struct net_prefix range = net_prefix_masked(pods);
		route(from->ns, pods, &range.addr, from->vxlan);
		return;
	}
	for (int i = 0; i < 2; i++)
		if (owner->addrs[i].family == pods->addr.family)
			route(from->ns, pods, &owner->addrs[i], from->uplink);
}

static void node_routes(struct executor *e, struct model_place *p)
{
	void *value;
	for (uint32_t i = 0; table_next(&e->places, &i, NULL, &value);) {
		struct model_place *other = *(struct model_place **)value;
		if (other->kind != PLACE_NODE || other == p)
			continue;
		for (int f = 0; f < 2; f++) {
			if (p->pod_cidrs[f].addr.family != NET_NONE)
				pod_route(other, p, &p->pod_cidrs[f]);
			if (other->pod_cidrs[f].addr.family != NET_NONE)
				pod_route(p, other, &other->pod_cidrs[f]);
		}
	}
	/* Pods whose addresses lie in no node's range have routes of their own. */
	for (uint32_t i = 0; table_next(&e->places, &i, NULL, &value);) {
		struct model_place *pod = *(struct model_place **)value;
		struct model_place *owner = pod->kind == PLACE_POD ? model_place(e, pod->node) : NULL;
		for (int f = 0; owner && f < 2; f++) {
			if (pod->addrs[f].family == NET_NONE || in_ranges(owner, &pod->addrs[f]))
				continue;
			struct net_prefix one = full(&pod->addrs[f]);
			pod_route(p, owner, &one);
		}
	}
}

static void attach_node(struct executor *e, struct model_place *p)
{
	uplink(e, p);
	further_addresses(e, p);
	forwarding(p->ns);
	for (int i = 0; i < 2; i++) {
		const struct net_addr *via = gateway_of(e, p->addrs[i].family);
		struct net_prefix all = everything(p->addrs[i].family);
		if (p->addrs[i].family != NET_NONE && via)
			route(p->ns, &all, via, p->uplink);
	}
	if (!p->routed) {
		p->bridge = netns_add_bridge(p->ns, p->bridge_name ? p->bridge_name : "cni0");
		for (int i = 0; i < 2; i++) {
			struct net_prefix gateway = p->pod_cidrs[i];
			if (gateway.addr.family != NET_NONE &&
			    net_prefix_nth(&p->pod_cidrs[i], 1, &gateway.addr))
				netns_add_addr(p->ns, p->bridge, &gateway);
		}
	}
	if (p->overlay) {
		p->vxlan = netns_add_segment_iface(p->ns, "flannel.1", e->overlay);
		for (int i = 0; i < 2; i++) {
			struct net_prefix range = net_prefix_masked(&p->pod_cidrs[i]);
			if (range.addr.family == NET_NONE)
				continue;
			struct net_prefix own = full(&range.addr);
			netns_add_addr(p->ns, p->vxlan, &own);
		}
	}
	node_routes(e, p);
}

/* A pod outside its node's range knows no gateway: the bridge answers for everybody. */
static void answer_for_all(struct model_place *node)
{
	char name[64];
	const char *bridge = netns_iface_name(node->ns, node->bridge);
	snprintf(name, sizeof name, "net.ipv4.conf.%s.proxy_arp", bridge);
	netns_sysctl_set(node->ns, name, 1);
	snprintf(name, sizeof name, "net.ipv6.conf.%s.proxy_ndp", bridge);
	netns_sysctl_set(node->ns, name, 1);
}

static int attach_pod(struct executor *e, struct model_place *p, struct err *err)
{
	struct model_place *node = model_place(e, p->node);
	char name[16];
	if (!node || node->kind != PLACE_NODE)
		return err_set(err, EINVAL, "%s: its node %s is not attached", p->name, p->node);
	if (p->port_name)
		snprintf(name, sizeof name, "%s", p->port_name);
	else
		snprintf(name, sizeof name, "veth%08x",
			 (unsigned)(hash_bytes(p->name, strlen(p->name), 0) & 0xffffffffu));
	int code = netns_add_veth(p->ns, "eth0", node->ns, name, e->topology.veth_delay_ns, &p->uplink,
				  &p->node_port);
	if (code)
		return err_set(err, code, "%s: veth %s: %s", p->name, name, strerror(code));
	if (node->bridge)
		netns_bridge_port(node->ns, node->bridge, p->node_port, !node->no_hairpin);
	for (int i = 0; i < 2; i++) {
		const struct net_addr *a = &p->addrs[i];
		if (a->family == NET_NONE)
			continue;
		struct net_prefix all = everything(a->family), one = full(a);
		bool ranged = in_ranges(node, a);
		struct net_addr gateway = { 0 };
		const struct net_prefix *range = node->pod_cidrs[0].addr.family == a->family
							 ? &node->pod_cidrs[0] : &node->pod_cidrs[1];
		if (node->bridge && ranged && net_prefix_nth(range, 1, &gateway)) {
			struct net_prefix address = { *a, range->bits };
			netns_add_addr(p->ns, p->uplink, &address);
			route(p->ns, &all, &gateway, p->uplink);
			continue;
		}
		netns_add_addr(p->ns, p->uplink, &one);
		route(p->ns, &all, NULL, p->uplink);
		if (node->bridge)
			answer_for_all(node);
		route(node->ns, &one, NULL, node->bridge ? node->bridge : p->node_port);
		void *value;
		for (uint32_t k = 0; !ranged && table_next(&e->places, &k, NULL, &value);) {
			struct model_place *other = *(struct model_place **)value;
			if (other->kind == PLACE_NODE && other != node)
				pod_route(other, node, &one);
		}
	}
	return 0;
}

/* A host outside sends what is not on its LAN to the node it enters by; answers come
 * to it from the gateway when its address is not the LAN's. */
static void attach_outside(struct executor *e, struct model_place *p)
{
	uplink(e, p);
	const struct model_place *entry = model_place(e, p->node);
	for (int i = 0; i < 2; i++) {
		const struct net_addr *a = &p->addrs[i];
		if (a->family == NET_NONE)
			continue;
		const struct net_prefix *lan = lan_of(e, a->family);
		const struct net_addr *via = gateway_of(e, a->family);
		struct net_prefix all = everything(a->family), one = full(a);
		for (int k = 0; entry && k < 2; k++)
			if (entry->addrs[k].family == a->family)
				via = &entry->addrs[k];
		if (via)
			route(p->ns, &all, via, p->uplink);
		if (!lan || !net_prefix_contains(lan, a))
			route(e->gateway, &one, NULL, e->gateway_if);
	}
	void *value;
	for (uint32_t i = 0; table_next(&e->places, &i, NULL, &value);) {
		const struct model_place *node = *(struct model_place **)value;
		if (node->kind == PLACE_NODE)
			further_route(p->ns, p->uplink, node);
	}
}

int layout_attach(struct executor *e, struct model_place *p, struct err *err)
{
	switch (p->kind) {
	case PLACE_NODE:
		attach_node(e, p);
		return 0;
	case PLACE_POD:
		return attach_pod(e, p, err);
	case PLACE_OUTSIDE:
		attach_outside(e, p);
		return 0;
	}
	return EINVAL;
}

void layout_detach(struct executor *e, struct model_place *p)
{
	struct model_place *node = p->kind == PLACE_POD ? model_place(e, p->node) : NULL;
	if (!node)
		return;
	netns_remove_iface(node->ns, p->node_port);
	for (int i = 0; i < 2; i++) {
		if (p->addrs[i].family == NET_NONE)
			continue;
		struct net_prefix one = full(&p->addrs[i]);
		bool ranged = in_ranges(node, &p->addrs[i]);
		void *value;
		if (!ranged || !node->bridge)
			netns_remove_route(node->ns, &one);
		for (uint32_t k = 0; !ranged && table_next(&e->places, &k, NULL, &value);) {
			struct model_place *other = *(struct model_place **)value;
			if (other->kind == PLACE_NODE && other != node)
				netns_remove_route(other->ns, &one);
		}
	}
}
