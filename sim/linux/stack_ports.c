/* linux/stack_ports.c: which socket has which address and port. */
#include <errno.h>

#include "linux/stack_internal.h"

#define EPHEMERAL_FIRST 32768u /* net.ipv4.ip_local_port_range */
#define EPHEMERAL_COUNT (60999u - EPHEMERAL_FIRST + 1)

struct flow_key conn_key(uint8_t proto, const struct sock_name *local,
			 const struct sock_name *peer)
{
	return (struct flow_key){ .src = local->addr, .dst = peer->addr, .src_port = local->port,
				  .dst_port = peer->port, .proto = proto };
}

struct sock *find_conn(struct sockets *n, uint8_t proto, const struct sock_name *local,
		       const struct sock_name *peer)
{
	struct flow_key key = conn_key(proto, local, peer);
	struct sock **found = table_find(&n->conns, &key);
	return found ? *found : NULL;
}

static struct sock *find_exact(struct sockets *n, uint8_t proto, const struct net_addr *addr,
			       uint16_t port)
{
	struct bind_key key = { .addr = *addr, .port = port, .proto = proto };
	struct sock **found = table_find(&n->bound, &key);
	return found ? *found : NULL;
}

struct sock *find_bound(struct sockets *n, uint8_t proto, const struct sock_name *local)
{
	const struct net_addr any = { 0 }, any_of_family = { .family = local->addr.family };
	struct sock *s = find_exact(n, proto, &local->addr, local->port);
	if (!s)
		s = find_exact(n, proto, &any_of_family, local->port);
	return s ? s : find_exact(n, proto, &any, local->port);
}

static struct port_use *use_of(struct sockets *n, uint8_t proto, uint16_t port)
{
	struct port_key key = { .port = port, .proto = proto };
	return table_find(&n->ports, &key);
}

static struct port_use *hold_port(struct sock *s)
{
	struct port_key key = { .port = s->local.port, .proto = s->proto };
	s->port_key = true;
	return table_put(&s->n->ports, &key, NULL);
}

void add_conn(struct sock *s)
{
	struct flow_key key = conn_key(s->proto, &s->local, &s->peer);
	*(struct sock **)table_put(&s->n->conns, &key, NULL) = s;
	s->conn_key = true;
	hold_port(s)->connections++;
}

void add_bound(struct sock *s)
{
	struct bind_key key = { .addr = s->local.addr, .port = s->local.port, .proto = s->proto };
	*(struct sock **)table_put(&s->n->bound, &key, NULL) = s;
	s->bound_key = true;
	hold_port(s)->bound++;
}

void remove_keys(struct sock *s)
{
	struct sockets *n = s->n;
	if (s->conn_key) {
		struct flow_key key = conn_key(s->proto, &s->local, &s->peer);
		struct sock **found = table_find(&n->conns, &key);
		if (found && *found == s)
			table_remove(&n->conns, &key);
	}
	if (s->bound_key) {
		struct bind_key key = { .addr = s->local.addr, .port = s->local.port,
					.proto = s->proto };
		table_remove(&n->bound, &key);
	}
	if (s->port_key) {
		struct port_key key = { .port = s->local.port, .proto = s->proto };
		struct port_use *use = table_find(&n->ports, &key);
		use->connections -= s->conn_key;
		use->bound -= s->bound_key;
		if (!use->connections && !use->bound)
			table_remove(&n->ports, &key);
	}
	s->conn_key = s->bound_key = s->port_key = false;
}

static bool is_any(const struct net_addr *a)
{
	return a->family == NET_NONE || net_addr_is_unspecified(a);
}

static bool may_use_addr(const struct sockets *n, const struct net_addr *a)
{
	return is_any(a) || netns_is_local(n->ns, a) ||
	       sysctl_value(n->ns, SYSCTL_NONLOCAL_BIND) != 0;
}

/* Whether some bound socket overlaps this address and port. */
static bool overlaps(struct sockets *n, uint8_t proto, const struct sock_name *local)
{
	const struct net_addr any = { 0 }, any_of_family = { .family = local->addr.family };
	const struct port_use *use = use_of(n, proto, local->port);
	const void *key;
	if (!use || !use->bound)
		return false;
	if (find_exact(n, proto, &local->addr, local->port) ||
	    find_exact(n, proto, &any, local->port) ||
	    find_exact(n, proto, &any_of_family, local->port))
		return true;
	if (!is_any(&local->addr))
		return false;
	/* Any address: every bound one of the family is in the way. */
	for (uint32_t i = 0; table_next(&n->bound, &i, &key, NULL);) {
		const struct bind_key *k = key;
		if (k->port == local->port && k->proto == proto &&
		    (local->addr.family == NET_NONE || local->addr.family == k->addr.family))
			return true;
	}
	return false;
}

int check_bind(struct sockets *n, uint8_t proto, const struct sock_name *local, bool listener,
	       bool reuse)
{
	if (!may_use_addr(n, &local->addr))
		return EADDRNOTAVAIL;
	if (!local->port)
		return 0;
	const struct port_use *use = use_of(n, proto, local->port);
	if (overlaps(n, proto, local))
		return EADDRINUSE;
	/* Connections of an earlier listener, most of them in TIME_WAIT. */
	return listener && use && use->connections && !reuse ? EADDRINUSE : 0;
}

static uint16_t first_try(struct sockets *n)
{
	return (uint16_t)choice_uniform(n->ns->env->choice, "sport", EPHEMERAL_COUNT);
}

/* A port that the caller names: a connection of it in TIME_WAIT makes room at once, as
 * with tcp_timestamps (tcp_twsk_unique); any other one does not. */
static int take_port(struct sockets *n, uint8_t proto, const struct sock_name *local,
		     const struct sock_name *peer, uint32_t *isn)
{
	struct sock *s = find_conn(n, proto, local, peer);
	if (!s)
		return 0;
	if (proto != PROTO_TCP || tcp_state_of(s->tcp) != TCPS_TIME_WAIT)
		return EADDRNOTAVAIL;
	*isn = tcp_time_wait_isn(s->tcp);
	remove_keys(s);
	if (s->closed)
		sock_free(s);
	return 0;
}

int choose_local(struct sockets *n, uint8_t proto, const struct sock_name *peer,
		 struct sock_name *local, uint32_t *isn)
{
	struct route_result route;
	bool own = !is_any(&local->addr);
	if (own && local->addr.family != peer->addr.family)
		return EINVAL;
	if (own && !may_use_addr(n, &local->addr))
		return EADDRNOTAVAIL;
	int code = route_output(n->ns, &peer->addr, own ? &local->addr : NULL, &route);
	if (code)
		return code;
	if (!own)
		local->addr = route.source;
	if (local->addr.family == NET_NONE)
		return EADDRNOTAVAIL;
	if (local->port)
		return take_port(n, proto, local, peer, isn);
	uint32_t offset = first_try(n);
	for (uint32_t i = 0; i < EPHEMERAL_COUNT; i++) {
		local->port = (uint16_t)(EPHEMERAL_FIRST + (offset + i) % EPHEMERAL_COUNT);
		const struct port_use *use = use_of(n, proto, local->port);
		if (use && (use->bound || proto == PROTO_UDP))
			continue;
		if (!find_conn(n, proto, local, peer))
			return 0;
	}
	return proto == PROTO_UDP ? EAGAIN : EADDRNOTAVAIL;
}

int choose_port(struct sockets *n, uint8_t proto, struct sock_name *local)
{
	if (local->port)
		return 0;
	uint32_t offset = first_try(n);
	for (uint32_t i = 0; i < EPHEMERAL_COUNT; i++) {
		local->port = (uint16_t)(EPHEMERAL_FIRST + (offset + i) % EPHEMERAL_COUNT);
		if (!use_of(n, proto, local->port))
			return 0;
	}
	return EADDRINUSE;
}
