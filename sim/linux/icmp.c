/* linux/icmp.c: ICMP and ICMPv6 of a host: errors it sends, errors and echo it gets.
 *
 * Errors go out from the address the packet was for when that is this host's own,
 * else from the one a packet to its sender would have (icmp_send). They are limited
 * twice (net/ipv4/icmp.c): all of the namespace together (icmp_msgs_per_sec, burst)
 * and for each destination by a token bucket of six times icmp_ratelimit; only the
 * types in icmp_ratemask, and nothing on the loopback.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/arena.h"
#include "linux/internal.h"
#include "linux/stack_internal.h"

#define PEER_BURST 6
#define FIRST_IDLE_NS (60 * NS_PER_S) /* a new peer has not been sent to for that long */

enum { ECHO_REPLY = 0, UNREACH = 3, ECHO = 8, EXCEEDED = 11, PARAMETER = 12 };
enum { UNREACH6 = 1, TOO_BIG6 = 2, EXCEEDED6 = 3, PARAMETER6 = 4, ECHO6 = 128, ECHO_REPLY6 = 129 };

struct peer_bucket {
	int64_t tokens_ns, last_ns;
};

struct icmp_limits {
	struct table peers; /* struct net_addr -> struct peer_bucket */
	int64_t credit, stamp_ns; /* of the whole namespace */
	bool started;
};

void icmp_limits_free(struct netns *ns)
{
	if (ns->icmp_limits)
		table_free(&ns->icmp_limits->peers);
	free(ns->icmp_limits);
	ns->icmp_limits = NULL;
}

static bool global_allows(struct netns *ns, struct icmp_limits *l)
{
	int64_t per_second = sysctl_value(ns, SYSCTL_ICMP_MSGS_PER_SEC);
	int64_t burst = sysctl_value(ns, SYSCTL_ICMP_MSGS_BURST);
	int64_t now_ns = engine_now(ns->env->engine);
	if (!l->started) {
		l->started = true;
		l->credit = burst;
		l->stamp_ns = now_ns;
	}
	int64_t elapsed_ns = now_ns - l->stamp_ns;
	if (elapsed_ns > NS_PER_S)
		elapsed_ns = NS_PER_S;
	if (elapsed_ns >= NS_PER_S / 50) {
		l->credit += per_second * elapsed_ns / NS_PER_S;
		l->stamp_ns = now_ns;
	}
	if (l->credit > burst)
		l->credit = burst;
	if (l->credit <= 0)
		return false;
	l->credit--;
	return true;
}

static bool peer_allows(struct netns *ns, struct icmp_limits *l, const struct net_addr *peer,
			int64_t interval_ns)
{
	int64_t now_ns = engine_now(ns->env->engine);
	bool added;
	struct peer_bucket *b = table_put(&l->peers, peer, &added);
	if (added)
		b->last_ns = now_ns - FIRST_IDLE_NS;
	b->tokens_ns += now_ns - b->last_ns;
	b->last_ns = now_ns;
	if (b->tokens_ns > PEER_BURST * interval_ns)
		b->tokens_ns = PEER_BURST * interval_ns;
	if (b->tokens_ns < interval_ns)
		return false;
	b->tokens_ns -= interval_ns;
	return true;
}

static bool limits_allow(struct netns *ns, const struct net_addr *to, uint8_t type)
{
	bool v4 = to->family == NET_V4;
	int64_t ms = sysctl_value(ns, v4 ? SYSCTL_ICMP_RATELIMIT : SYSCTL_ICMP6_RATELIMIT);
	if (v4 && !(sysctl_value(ns, SYSCTL_ICMP_RATEMASK) >> type & 1))
		return true;
	if (!v4 && type == TOO_BIG6)
		return true;
	if (!ns->icmp_limits) {
		ns->icmp_limits = mem_alloc(sizeof *ns->icmp_limits);
		table_init(&ns->icmp_limits->peers, sizeof(struct net_addr),
			   sizeof(struct peer_bucket));
	}
	if (!global_allows(ns, ns->icmp_limits))
		return false;
	return ms <= 0 || peer_allows(ns, ns->icmp_limits, to, ms * NS_PER_MS);
}

/* No error about an error, a broadcast, a fragment or from nowhere (RFC 1122, 3.2.2). */
static bool deserves_error(const struct netns *ns, const struct packet *p)
{
	struct net_addr src = packet_src(p), dst = packet_dst(p);
	enum addr_type type = netns_addr_type(ns, &dst);
	if (p->fragment || packet_is_icmp_error(p) || net_addr_is_unspecified(&src))
		return false;
	return type != ADDR_BROADCAST && type != ADDR_MULTICAST && !net_addr_is_multicast(&src);
}

void icmp_error(struct netns *ns, const struct packet *cause, uint8_t type, uint8_t code,
		uint32_t rest)
{
	struct net_addr to = packet_src(cause), from = packet_dst(cause);
	struct route_result route;
	if (!deserves_error(ns, cause) || !netns_route(ns, &to, NULL, 0, &route))
		return;
	if (!netns_is_local(ns, &from))
		from = route.source;
	if (from.family == NET_NONE)
		return;
	if (route.out_if != LOOPBACK_IF && !limits_allow(ns, &to, type)) {
		step_add(ns, cause, "icmp", "", NULL, "error not sent: icmp_ratelimit");
		return;
	}
	struct packet *p = craft_icmp_error(ns->env->craft, &from, &to, type, code, rest, cause);
	if (p->family == NET_V4) /* precedence: internetwork control */
		packet_set_tos(p, (packet_tos(cause) & 0x1e) | 0xc0);
	ct_attach(p, cause);
	netns_output(ns, p);
}

static void answer_echo(struct netns *ns, const struct packet *p)
{
	uint32_t length;
	struct net_addr from = packet_dst(p), to = packet_src(p);
	const uint8_t *data = packet_payload(p, &length);
	if (p->family == NET_V4 && sysctl_value(ns, SYSCTL_ICMP_ECHO_IGNORE_ALL))
		return;
	if (!netns_is_local(ns, &from)) {
		struct route_result route;
		if (!netns_route(ns, &to, NULL, 0, &route))
			return;
		from = route.source;
	}
	struct craft_ip ip = { .src = from, .dst = to, .tos = packet_tos(p),
			       .ttl = (uint8_t)sysctl_value(ns, SYSCTL_DEFAULT_TTL) };
	uint16_t sequence = (uint16_t)(p->bytes[p->l4 + 6] << 8 | p->bytes[p->l4 + 7]);
	netns_output(ns, craft_icmp_echo(ns->env->craft, &ip, true, packet_icmp_id(p), sequence,
					 data, length));
}

/* Numbers from icmp_err_convert and icmp6_err_convert; `hard` as `fatal` there. */
int icmp_errno(uint8_t family, uint8_t type, uint8_t code, bool *hard)
{
	static const struct {
		int error;
		bool hard;
	} v4[] = {
		{ ENETUNREACH, false }, { EHOSTUNREACH, false }, { ENOPROTOOPT, true },
		{ ECONNREFUSED, true }, { EMSGSIZE, false }, { EOPNOTSUPP, false },
		{ ENETUNREACH, true }, { EHOSTDOWN, true }, { ENONET, true },
		{ ENETUNREACH, true }, { EHOSTUNREACH, true }, { ENETUNREACH, false },
		{ EHOSTUNREACH, false }, { EHOSTUNREACH, true }, { EHOSTUNREACH, true },
		{ EHOSTUNREACH, true },
	}, v6[] = {
		{ ENETUNREACH, false }, { EACCES, true }, { EHOSTUNREACH, false },
		{ EHOSTUNREACH, false }, { ECONNREFUSED, true }, { EACCES, true },
		{ EACCES, true },
	};
	*hard = false;
	if (family == NET_V4) {
		if (type == UNREACH && code < sizeof v4 / sizeof *v4) {
			*hard = v4[code].hard;
			return v4[code].error;
		}
		*hard = type == PARAMETER;
		return type == PARAMETER ? EPROTO : EHOSTUNREACH;
	}
	if (type == UNREACH6 && code < sizeof v6 / sizeof *v6) {
		*hard = v6[code].hard;
		return v6[code].error;
	}
	if (type == TOO_BIG6)
		return EMSGSIZE;
	*hard = type == PARAMETER6;
	return type == PARAMETER6 ? EPROTO : EHOSTUNREACH;
}

void icmp_receive(struct netns *ns, struct packet *p)
{
	uint8_t type = packet_icmp_type(p);
	bool v4 = p->family == NET_V4;
	if (packet_is_icmp_error(p)) {
		struct packet *quoted = packet_quoted(p);
		struct icmp_notice notice = { .type = type, .code = packet_icmp_code(p),
					      .family = p->family, .from = packet_src(p),
					      .loopback = p->in_if == LOOPBACK_IF };
		if (quoted)
			stack_icmp_error(ns, quoted, &notice);
		packet_free(quoted);
	} else if (type == (v4 ? ECHO : ECHO6)) {
		sock_delivered(ns, p, "echo request, answered");
		answer_echo(ns, p);
	} else if (type == (v4 ? ECHO_REPLY : ECHO_REPLY6)) {
		stack_echo_reply(ns, p);
	}
	packet_free(p);
}
