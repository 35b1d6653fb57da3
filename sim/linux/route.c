/* linux/route.c: where a packet goes, and from which address.
 *
 * Local table before main table, longest prefix first; the loopback's own ranges
 * (127/8, ::1) are answered without entries. Facts from net/ipv4/route.c,
 * fib_frontend.c (source validation) and devinet.c (source selection).
 */
#include <errno.h>
#include <string.h>

#include "linux/internal.h"

/* ICMP destination unreachable codes, v4 and v6 */
enum { V4_NET = 0, V4_HOST = 1, V4_FILTERED = 13, V6_NO_ROUTE = 0, V6_PROHIBITED = 1 };

int netns_add_route(struct netns *ns, const struct route *route)
{
	if (route->dst.addr.family == NET_NONE ||
	    route->dst.bits > net_family_bits(route->dst.addr.family))
		return EINVAL;
	if (route->kind == ROUTE_UNICAST && !iface_find(ns, route->out_if))
		return ENODEV;
	struct route r = *route;
	if (r.kind != ROUTE_UNICAST && !r.out_if)
		r.out_if = LOOPBACK_IF;
	return fib_add(r.kind == ROUTE_LOCAL ? &ns->local : &ns->main, &r, false);
}

bool netns_remove_route(struct netns *ns, const struct net_prefix *dst)
{
	return fib_remove(&ns->main, dst, 0) || fib_remove(&ns->local, dst, 0);
}

static bool is_limited_broadcast(const struct net_addr *a)
{
	return a->family == NET_V4 && net_addr_v4_value(a) == UINT32_MAX;
}

enum addr_type netns_addr_type_on(const struct netns *ns, const struct net_addr *addr,
				  uint16_t ifindex)
{
	if (addr->family == NET_NONE)
		return ADDR_UNSPEC;
	if (addr->family == NET_V4 && (addr->bytes[0] == 0 || is_limited_broadcast(addr)))
		return ADDR_BROADCAST;
	if (net_addr_is_multicast(addr))
		return ADDR_MULTICAST;
	if (net_addr_is_loopback(addr))
		return !ifindex || ifindex == LOOPBACK_IF ? ADDR_LOCAL : ADDR_UNICAST;
	const struct fib_entry *e = fib_lookup(ns, &ns->local, addr);
	if (!e || (ifindex && e->route.out_if != ifindex))
		return ADDR_UNICAST;
	return e->route.kind == ROUTE_BROADCAST ? ADDR_BROADCAST : ADDR_LOCAL;
}

enum addr_type netns_addr_type(const struct netns *ns, const struct net_addr *addr)
{
	return netns_addr_type_on(ns, addr, 0);
}

bool netns_is_local(const struct netns *ns, const struct net_addr *addr)
{
	return netns_addr_type(ns, addr) == ADDR_LOCAL;
}

/* Best address of one interface; those of host scope (loopback) do not count. */
static const struct net_addr *best_on(const struct iface *f, const struct net_addr *next_hop,
				      uint8_t family)
{
	const struct net_addr *best = NULL;
	for (uint32_t i = 0; i < f->addr_count; i++) {
		const struct net_prefix *p = &f->addrs[i];
		if (p->addr.family != family || net_addr_is_loopback(&p->addr))
			continue;
		if (family == NET_V6 && net_addr_is_link_local(&p->addr) &&
		    !(next_hop && net_addr_is_link_local(next_hop)))
			continue;
		if (next_hop && next_hop->family == family && net_prefix_contains(p, next_hop))
			return &p->addr;
		if (!best)
			best = &p->addr;
	}
	return best;
}

struct net_addr route_source(const struct netns *ns, uint16_t out_if,
			     const struct net_addr *next_hop, uint8_t family)
{
	const struct iface *out = iface_find(ns, out_if);
	const struct net_addr *best = out ? best_on(out, next_hop, family) : NULL;
	/* Not in the interface: the first of the others that has one. */
	for (uint32_t i = 0; !best && i < ns->iface_count; i++)
		best = best_on(ns->ifaces[i], NULL, family);
	return best ? *best : (struct net_addr){ 0 };
}

static void loopback_result(const struct net_addr *dst, struct route_result *out)
{
	*out = (struct route_result){ .kind = ROUTE_LOCAL, .out_if = LOOPBACK_IF,
				      .next_hop = *dst, .source = *dst };
	if (dst->family == NET_V4)
		out->source = net_addr_v4(UINT32_C(0x7f000001));
}

static void result_of(const struct netns *ns, const struct fib_entry *e,
		      const struct net_addr *dst, struct route_result *out)
{
	const struct route *r = &e->route;
	out->kind = r->kind;
	out->out_if = r->kind == ROUTE_LOCAL ? LOOPBACK_IF : r->out_if;
	out->next_hop = r->via.family == NET_NONE ? *dst : r->via;
	if (r->preferred.family == dst->family)
		out->source = r->preferred;
	else if (r->kind == ROUTE_LOCAL)
		out->source = *dst;
	else
		out->source = route_source(ns, r->out_if,
					   r->via.family != NET_NONE ? &r->via
					   : dst->family == NET_V6   ? dst
								     : NULL,
					   dst->family);
}

bool netns_route(const struct netns *ns, const struct net_addr *dst, const struct net_addr *src,
		 uint32_t mark, struct route_result *out)
{
	(void)mark; /* there are no rules that select a table by mark */
	if (net_addr_is_loopback(dst)) {
		loopback_result(dst, out);
	} else {
		const struct fib_entry *e = fib_lookup(ns, &ns->local, dst);
		if (!e)
			e = fib_lookup(ns, &ns->main, dst);
		if (!e)
			return false;
		result_of(ns, e, dst, out);
	}
	if (src && src->family == dst->family && !net_addr_is_unspecified(src))
		out->source = *src;
	return true;
}

int route_output(const struct netns *ns, const struct net_addr *dst, const struct net_addr *src,
		 struct route_result *out)
{
	if (!netns_route(ns, dst, src, 0, out))
		return ENETUNREACH;
	switch (out->kind) {
	case ROUTE_BLACKHOLE:
		return EINVAL;
	case ROUTE_UNREACHABLE:
		return EHOSTUNREACH;
	case ROUTE_PROHIBIT:
		return EACCES;
	default:
		break;
	}
	/* A loopback source leaves only where route_localnet says so. */
	const struct iface *f = iface_find(ns, out->out_if);
	if (dst->family == NET_V4 && f && f->kind != IFACE_LOOPBACK &&
	    net_addr_is_loopback(&out->source) && !conf_of(f, CONF_ROUTE_LOCALNET))
		return EINVAL;
	return 0;
}

/* ---- a packet that came in -------------------------------------------------- */

static bool decide(struct route_input *out, enum route_input_kind kind, uint8_t code,
		   const char *why)
{
	out->kind = kind;
	out->icmp_code = code;
	out->why = why;
	return false;
}

static bool addresses_ok(const struct iface *in, const struct net_addr *src,
			 const struct net_addr *dst, struct route_input *out)
{
	bool v4 = src->family == NET_V4;
	if (net_addr_is_multicast(src) || is_limited_broadcast(src))
		return decide(out, INPUT_DROP, 0, "martian source: not a unicast address");
	if (v4 && src->bytes[0] == 0 && !(is_limited_broadcast(dst)))
		return decide(out, INPUT_DROP, 0, "martian source 0.0.0.0/8");
	if (v4 && dst->bytes[0] == 0)
		return decide(out, INPUT_DROP, 0, "martian destination 0.0.0.0/8");
	bool localnet = v4 && conf_of(in, CONF_ROUTE_LOCALNET);
	if (net_addr_is_loopback(dst) && !localnet)
		return decide(out, INPUT_DROP, 0, "martian destination: a loopback address from outside");
	if (net_addr_is_loopback(src) && !localnet)
		return decide(out, INPUT_DROP, 0, "martian source: a loopback address from outside");
	return true;
}

/* fib_validate_source: IPv4 only. */
static bool source_ok(const struct netns *ns, const struct iface *in, const struct net_addr *src,
		      struct route_input *out)
{
	struct route_result back;
	int filter = conf_of(in, CONF_RP_FILTER);
	if (src->family != NET_V4)
		return true;
	if (!conf_of(in, CONF_ACCEPT_LOCAL) && netns_is_local(ns, src) &&
	    !net_addr_is_loopback(src))
		return decide(out, INPUT_DROP, 0, "martian source: an address of this host");
	if (!filter || net_addr_is_unspecified(src))
		return true;
	bool found = netns_route(ns, src, NULL, 0, &back) &&
		     (back.kind == ROUTE_UNICAST || back.kind == ROUTE_LOCAL);
	if (filter == 1 && (!found || back.out_if != in->number))
		return decide(out, INPUT_DROP, 0,
			      "rp_filter: the way back to the source is another interface");
	if (!found)
		return decide(out, INPUT_DROP, 0, "rp_filter: no route to the source");
	return true;
}

void route_input(const struct netns *ns, const struct iface *in, const struct packet *p,
		 struct route_input *out)
{
	struct net_addr src = packet_src(p), dst = packet_dst(p);
	bool v4 = p->family == NET_V4;
	*out = (struct route_input){ 0 };
	if (!addresses_ok(in, &src, &dst, out))
		return;
	enum addr_type type = netns_addr_type(ns, &dst);
	if (type == ADDR_MULTICAST) {
		decide(out, INPUT_DROP, 0, "multicast that nobody joined");
		return;
	}
	bool found = type != ADDR_BROADCAST && netns_route(ns, &dst, NULL, 0, &out->route);
	if (type == ADDR_BROADCAST || (found && out->route.kind == ROUTE_LOCAL)) {
		if (source_ok(ns, in, &src, out))
			out->kind = INPUT_LOCAL;
		return;
	}
	bool forwards = v4 ? conf_of(in, CONF_FORWARDING) : netns_forwarding(ns, NET_V6);
	if (!forwards) {
		decide(out, INPUT_DROP, 0, "not addressed to this host, and forwarding is off");
		/* br_netfilter bridges what was DNATed even so */
		if (found && source_ok(ns, in, &src, out))
			decide(out, INPUT_UNREACHABLE, v4 ? V4_HOST : V6_NO_ROUTE, out->why);
		return;
	}
	if (!found) {
		decide(out, INPUT_UNREACHABLE, v4 ? V4_NET : V6_NO_ROUTE, "no route to the destination");
		return;
	}
	switch (out->route.kind) {
	case ROUTE_BLACKHOLE:
		decide(out, INPUT_DROP, 0, "blackhole route");
		return;
	case ROUTE_UNREACHABLE:
		decide(out, INPUT_UNREACHABLE, v4 ? V4_HOST : V6_NO_ROUTE, "unreachable route");
		return;
	case ROUTE_PROHIBIT:
		decide(out, INPUT_UNREACHABLE, v4 ? V4_FILTERED : V6_PROHIBITED, "prohibit route");
		return;
	default:
		break;
	}
	if (source_ok(ns, in, &src, out))
		out->kind = INPUT_FORWARD;
}
