/* dataplanes/kernel/layout.c: builds the network of kernel.h with iproute2. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplanes/kernel/internal.h"

#define LAN_BRIDGE "eth0" /* what the gateway sees of the LAN, by its name in the Linux model */
#define OVERLAY_BRIDGE "overlay"
/* A bridge that snoops joins groups itself: its reports (IGMP, MLD) pass the nodes' chains
 * at random moments, and their rules count them. */
#define BRIDGE "type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"

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

static bool dual_stack(const struct executor *e)
{
	return lan_of(e, NET_V6) != NULL;
}

/* What every namespace needs before it has interfaces. */
static int prepare(struct executor *e, int ns, bool forwards, struct err *err)
{
	static const char *const v4[][2] = {
		{ "net.ipv4.conf.all.rp_filter", "0" }, { "net.ipv4.conf.default.rp_filter", "0" },
		{ "net.ipv4.ping_group_range", "0 0" }, { "net.ipv4.icmp_ratelimit", "0" },
		{ "net.ipv4.conf.all.route_localnet", "0" } };
	static const char *const v6[][2] = { { "net.ipv6.conf.default.accept_dad", "0" },
					     { "net.ipv6.conf.all.accept_dad", "0" },
					     { "net.ipv6.conf.default.router_solicitations", "0" },
					     { "net.ipv6.conf.default.accept_ra", "0" } };
	struct err ignored;
	int code = 0;
	for (size_t i = 0; !code && i < sizeof v4 / sizeof *v4; i++)
		code = tool_sysctl(ns, v4[i][0], v4[i][1], err);
	if (!code && forwards)
		code = tool_sysctl(ns, "net.ipv4.ip_forward", "1", err);
	if (code)
		return code;
	/* A kernel without IPv6 has none of these. */
	if (!dual_stack(e)) {
		tool_sysctl(ns, "net.ipv6.conf.default.disable_ipv6", "1", &ignored);
		tool_sysctl(ns, "net.ipv6.conf.all.disable_ipv6", "1", &ignored);
		return 0;
	}
	for (size_t i = 0; !code && i < sizeof v6 / sizeof *v6; i++)
		code = tool_sysctl(ns, v6[i][0], v6[i][1], err);
	if (!code && forwards)
		code = tool_sysctl(ns, "net.ipv6.conf.all.forwarding", "1", err);
	return code;
}

/* Bridged pod traffic passes iptables where the kernel has br_netfilter. */
static void bridge_netfilter(int ns)
{
	struct err ignored;
	tool_sysctl(ns, "net.bridge.bridge-nf-call-iptables", "1", &ignored);
	tool_sysctl(ns, "net.bridge.bridge-nf-call-ip6tables", "1", &ignored);
}

static int control(struct executor *e, int ns, struct ifreq *request, unsigned long what)
{
	namespace_enter(ns);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	namespace_enter(e->home);
	if (fd < 0)
		return errno;
	int code = ioctl(fd, what, request) ? errno : 0;
	close(fd);
	return code;
}

/* Without this, captures at veths show unfinished checksums and joined segments. */
static void offloads_off(struct executor *e, int ns, const char *interface)
{
	static const uint32_t commands[] = { ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM, ETHTOOL_STSO,
					     ETHTOOL_SGSO, ETHTOOL_SGRO, ETHTOOL_SSG };
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		struct ethtool_value value = { .cmd = commands[i], .data = 0 };
		struct ifreq request = { .ifr_data = (void *)&value };
		snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
		control(e, ns, &request, SIOCETHTOOL);
	}
}

int layout_mac(struct executor *e, struct kernel_place *p, const char *interface,
	       struct net_mac *out, struct err *err)
{
	struct ifreq request = { 0 };
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
	int code = control(e, p->ns, &request, SIOCGIFHWADDR);
	if (code)
		return err_set(err, code, "%s: %s: %s", p->name, interface, strerror(code));
	memcpy(out->bytes, request.ifr_hwaddr.sa_data, 6);
	return 0;
}

static void add_addr(struct strbuf *b, const struct net_addr *a, unsigned bits, const char *dev)
{
	char text[NET_ADDR_TEXT];
	strbuf_printf(b, "addr add %s/%u dev %s%s\n", net_addr_text(a, text), bits, dev,
		      a->family == NET_V6 ? " nodad" : "");
}

static void add_route(struct strbuf *b, const struct net_prefix *dst, const struct net_addr *via,
		      const char *dev, const char *more)
{
	struct net_prefix masked = net_prefix_masked(dst);
	char to[NET_ADDR_TEXT], by[NET_ADDR_TEXT];
	strbuf_printf(b, "route replace %s", net_prefix_text(&masked, to));
	if (via)
		strbuf_printf(b, " via %s", net_addr_text(via, by));
	strbuf_printf(b, " dev %s%s\n", dev, more);
}

static struct net_prefix everything(uint8_t family)
{
	return (struct net_prefix){ { .family = family }, 0 };
}

static struct net_prefix full(const struct net_addr *a)
{
	return (struct net_prefix){ *a, (uint8_t)net_family_bits(a->family) };
}

int kernel_layout_open(struct executor *e, struct err *err)
{
	struct kernel_place *g = e->gateway;
	struct strbuf b = { 0 };
	int code = prepare(e, g->ns, true, err);
	strbuf_puts(&b, "link add " LAN_BRIDGE " " BRIDGE "link add " OVERLAY_BRIDGE " " BRIDGE
			"link set " LAN_BRIDGE " up\nlink set " OVERLAY_BRIDGE " up\n");
	for (int i = 0; i < 2; i++) {
		const struct net_prefix *lan = &e->topology.lan[i];
		if (lan->addr.family == NET_NONE)
			continue;
		e->gateway_addrs[i] = net_prefix_last(lan); /* no node is given it */
		add_addr(&b, &e->gateway_addrs[i], lan->bits, LAN_BRIDGE);
		strbuf_printf(&b, "route add blackhole %s\n",
			      lan->addr.family == NET_V6 ? "::/0" : "0.0.0.0/0");
	}
	if (!code)
		code = tool_ip(g->ns, strbuf_text(&b), err);
	strbuf_free(&b);
	return code ? code : sniff_start(e, g, LAN_BRIDGE, err);
}

/* A veth between `p` (interface `name`) and a bridge of the gateway. */
static int plug(struct executor *e, struct kernel_place *p, const char *name, const char *port,
		const char *bridge, struct err *err)
{
	struct strbuf b = { 0 };
	strbuf_printf(&b, "link add %s type veth peer name %s netns /proc/self/fd/%d\n"
			  "link set %s master %s up\n", port, name, p->ns, port, bridge);
	int code = tool_ip(e->gateway->ns, strbuf_text(&b), err);
	strbuf_clear(&b);
	strbuf_printf(&b, "link set %s up\n", name);
	if (!code)
		code = tool_ip(p->ns, strbuf_text(&b), err);
	strbuf_free(&b);
	offloads_off(e, e->gateway->ns, port);
	offloads_off(e, p->ns, name);
	return code;
}

static void uplink_addrs(struct executor *e, struct kernel_place *p, struct strbuf *b)
{
	for (int i = 0; i < 2; i++) {
		const struct net_addr *a = &p->addrs[i];
		const struct net_prefix *lan = lan_of(e, a->family);
		if (a->family == NET_NONE)
			continue;
		bool inside = lan && net_prefix_contains(lan, a);
		add_addr(b, a, inside ? lan->bits : net_family_bits(a->family), p->uplink);
		if (!inside && lan)
			add_route(b, lan, NULL, p->uplink, "");
	}
}

static bool in_ranges(const struct kernel_place *node, const struct net_addr *a)
{
	for (int i = 0; i < 2; i++)
		if (node->pod_cidrs[i].addr.family == a->family &&
		    net_prefix_contains(&node->pod_cidrs[i], a))
			return true;
	return false;
}

static void pod_route(struct strbuf *b, const struct kernel_place *from,
		      const struct kernel_place *owner, const struct net_prefix *pods)
{
	if (from->overlay && owner->overlay) {
		struct net_prefix range = net_prefix_masked(pods);
		add_route(b, pods, &range.addr, "flannel.1", " onlink");
		return;
	}
	for (int i = 0; i < 2; i++)
		if (owner->addrs[i].family == pods->addr.family)
			add_route(b, pods, &owner->addrs[i], from->uplink, "");
}

/* Routes between this node and the others, both ways. */
static int node_routes(struct executor *e, struct kernel_place *p, struct strbuf *own,
		       struct err *err)
{
	void *value;
	int code = 0;
	for (uint32_t i = 0; !code && table_next(&e->places, &i, NULL, &value);) {
		struct kernel_place *other = *(struct kernel_place **)value;
		struct strbuf theirs = { 0 };
		if (other->kind == PLACE_NODE)
			for (int f = 0; f < 2; f++) {
				if (p->pod_cidrs[f].addr.family != NET_NONE)
					pod_route(&theirs, other, p, &p->pod_cidrs[f]);
				if (other->pod_cidrs[f].addr.family != NET_NONE)
					pod_route(own, p, other, &other->pod_cidrs[f]);
			}
		struct kernel_place *owner = other->kind == PLACE_POD ? kernel_place(e, other->node) : NULL;
		for (int f = 0; owner && f < 2; f++)
			if (other->addrs[f].family != NET_NONE && !in_ranges(owner, &other->addrs[f])) {
				struct net_prefix one = full(&other->addrs[f]);
				pod_route(own, p, owner, &one);
			}
		if (theirs.length)
			code = tool_ip(other->ns, strbuf_text(&theirs), err);
		strbuf_free(&theirs);
	}
	return code;
}

static int attach_node(struct executor *e, struct kernel_place *p, struct err *err)
{
	struct strbuf b = { 0 };
	int code = 0;
	uplink_addrs(e, p, &b);
	for (int i = 0; i < 2; i++) {
		const struct net_addr *via = gateway_of(e, p->addrs[i].family);
		struct net_prefix all = everything(p->addrs[i].family);
		if (p->addrs[i].family != NET_NONE && via)
			add_route(&b, &all, via, p->uplink, "");
	}
	if (!p->routed) {
		/* A bridge without an address of its own takes over its ports' ones. */
		uint64_t mac = hash_bytes(p->name, strlen(p->name), 0);
		strbuf_printf(&b, "link add %s address 02:%02x:%02x:%02x:%02x:01 " BRIDGE
				  "link set %s up\n", p->bridge, (unsigned)(mac & 255),
			      (unsigned)(mac >> 8 & 255), (unsigned)(mac >> 16 & 255),
			      (unsigned)(mac >> 24 & 255), p->bridge);
		for (int i = 0; i < 2; i++) {
			struct net_addr gateway;
			if (p->pod_cidrs[i].addr.family != NET_NONE &&
			    net_prefix_nth(&p->pod_cidrs[i], 1, &gateway))
				add_addr(&b, &gateway, p->pod_cidrs[i].bits, p->bridge);
		}
	}
	if (p->overlay) {
		char port[16];
		snprintf(port, sizeof port, "vx%u", e->lan_ports++);
		code = plug(e, p, "flannel.1", port, OVERLAY_BRIDGE, err);
		for (int i = 0; i < 2; i++) {
			struct net_prefix range = net_prefix_masked(&p->pod_cidrs[i]);
			if (range.addr.family != NET_NONE)
				add_addr(&b, &range.addr, net_family_bits(range.addr.family), "flannel.1");
		}
	}
	if (!code)
		code = node_routes(e, p, &b, err);
	if (!code)
		code = tool_ip(p->ns, strbuf_text(&b), err);
	strbuf_free(&b);
	bridge_netfilter(p->ns);
	if (!code)
		code = sniff_start(e, p, "lo", err);
	if (!code && !p->routed)
		code = sniff_start(e, p, p->bridge, err);
	return code;
}

/* A pod whose address lies outside its node's range, or without a bridge, has a route
 * of its own. */
static void pod_addrs(struct executor *e, struct kernel_place *p, struct kernel_place *node,
		      struct strbuf *in_pod, struct strbuf *in_node)
{
	(void)e;
	for (int i = 0; i < 2; i++) {
		const struct net_addr *a = &p->addrs[i];
		if (a->family == NET_NONE)
			continue;
		struct net_prefix all = everything(a->family), one = full(a);
		const struct net_prefix *range = node->pod_cidrs[0].addr.family == a->family
							 ? &node->pod_cidrs[0] : &node->pod_cidrs[1];
		struct net_addr gateway;
		if (!node->routed && in_ranges(node, a) && net_prefix_nth(range, 1, &gateway)) {
			add_addr(in_pod, a, range->bits, p->uplink);
			add_route(in_pod, &all, &gateway, p->uplink, "");
			continue;
		}
		const char *port = node->routed ? p->port : node->bridge;
		struct net_addr link_local;
		bool v6 = a->family == NET_V6 && net_addr_parse("fe80::1", &link_local);
		add_addr(in_pod, a, one.bits, p->uplink);
		/* Nodes answer ARP for others (proxy_arp), but no neighbour solicitations. */
		if (v6)
			add_addr(in_node, &link_local, 64, port);
		add_route(in_pod, &all, v6 ? &link_local : NULL, p->uplink, v6 ? " onlink" : "");
		add_route(in_node, &one, NULL, port, "");
	}
}

/* Other nodes route to a pod outside its node's range by a route of its own. */
static int route_from_others(struct executor *e, struct kernel_place *p, struct kernel_place *node,
			     struct err *err)
{
	void *value;
	int code = 0;
	for (uint32_t i = 0; !code && table_next(&e->places, &i, NULL, &value);) {
		struct kernel_place *other = *(struct kernel_place **)value;
		struct strbuf b = { 0 };
		if (other->kind != PLACE_NODE || other == node)
			continue;
		for (int f = 0; f < 2; f++) {
			struct net_prefix one = full(&p->addrs[f]);
			if (p->addrs[f].family != NET_NONE && !in_ranges(node, &p->addrs[f]))
				pod_route(&b, other, node, &one);
		}
		if (b.length)
			code = tool_ip(other->ns, strbuf_text(&b), err);
		strbuf_free(&b);
	}
	return code;
}

static int attach_pod(struct executor *e, struct kernel_place *p, struct err *err)
{
	struct kernel_place *node = kernel_place(e, p->node);
	struct strbuf in_pod = { 0 }, in_node = { 0 };
	char name[64];
	if (!node || node->kind != PLACE_NODE)
		return err_set(err, EINVAL, "%s: its node %s is not attached", p->name, p->node);
	strbuf_printf(&in_node, "link add %s type veth peer name %s netns /proc/self/fd/%d\n", p->port,
		      p->uplink, p->ns);
	if (!node->routed)
		strbuf_printf(&in_node, "link set %s master %s\n", p->port, node->bridge);
	strbuf_printf(&in_node, "link set %s up\n", p->port);
	if (!node->routed && !node->no_hairpin)
		strbuf_printf(&in_node, "link set %s type bridge_slave hairpin on\n", p->port);
	strbuf_printf(&in_pod, "link set %s up\n", p->uplink);
	pod_addrs(e, p, node, &in_pod, &in_node);
	int code = tool_ip(node->ns, strbuf_text(&in_node), err);
	if (!code)
		code = tool_ip(p->ns, strbuf_text(&in_pod), err);
	strbuf_free(&in_pod);
	strbuf_free(&in_node);
	if (!code)
		code = route_from_others(e, p, node, err);
	if (!code && node->routed) {
		snprintf(name, sizeof name, "net.ipv4.conf.%s.proxy_arp", p->port);
		code = tool_sysctl(node->ns, name, "1", err);
	}
	offloads_off(e, node->ns, p->port);
	offloads_off(e, p->ns, p->uplink);
	if (!code)
		code = sniff_start(e, node, p->port, err);
	if (!code)
		code = sniff_start(e, p, p->uplink, err);
	if (!code)
		sniff_far_mac(p, node, p->port);
	return code;
}

static int attach_outside(struct executor *e, struct kernel_place *p, struct err *err)
{
	const struct kernel_place *entry = kernel_place(e, p->node);
	struct strbuf b = { 0 }, at_gateway = { 0 };
	uplink_addrs(e, p, &b);
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
			add_route(&b, &all, via, p->uplink, "");
		if (!lan || !net_prefix_contains(lan, a))
			add_route(&at_gateway, &one, NULL, LAN_BRIDGE, "");
	}
	int code = tool_ip(p->ns, strbuf_text(&b), err);
	if (!code && at_gateway.length)
		code = tool_ip(e->gateway->ns, strbuf_text(&at_gateway), err);
	strbuf_free(&b);
	strbuf_free(&at_gateway);
	return code;
}

int kernel_layout_attach(struct executor *e, struct kernel_place *p, struct err *err)
{
	int code = prepare(e, p->ns, p->kind == PLACE_NODE, err);
	if (code)
		return code;
	if (p->kind == PLACE_POD)
		return attach_pod(e, p, err);
	snprintf(p->port, sizeof p->port, "port%u", e->lan_ports++);
	code = plug(e, p, p->uplink, p->port, LAN_BRIDGE, err);
	if (!code)
		code = p->kind == PLACE_NODE ? attach_node(e, p, err) : attach_outside(e, p, err);
	return code ? code : sniff_start(e, p, p->uplink, err);
}

void kernel_layout_detach(struct executor *e, struct kernel_place *p)
{
	struct kernel_place *node = p->kind == PLACE_POD ? kernel_place(e, p->node) : NULL;
	char batch[64];
	struct err ignored;
	if (node)
		sniff_stop(node, p->port);
	snprintf(batch, sizeof batch, "link del %s\n", p->port);
	if (*p->port)
		tool_ip(node ? node->ns : e->gateway->ns, batch, &ignored);
}
