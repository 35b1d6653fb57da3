/* linux/stack_udp.c: datagram sockets and the echo sockets of ping. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "linux/stack_internal.h"
#include "net/trace.h"

#define DATAGRAM_MAX 65507u /* 65535 less the headers of IPv4 and UDP */

int datagram_open(struct sockets *n, const struct sock_name *remote,
		  const struct sock_options *options, sock_event_fn *fn, void *ctx,
		  struct sock **out)
{
	struct sock_name local = options ? options->local : (struct sock_name){ { 0 }, 0 };
	*out = NULL;
	int code = local.port || !remote ? check_bind(n, PROTO_UDP, &local, false, false) : 0;
	if (!code)
		code = remote ? choose_local(n, PROTO_UDP, remote, &local, NULL)
			      : choose_port(n, PROTO_UDP, &local);
	if (code)
		return code;
	struct sock *s = sock_new(n, SOCKK_DATAGRAM, PROTO_UDP, options, fn, ctx);
	s->local = local;
	if (remote) {
		s->peer = *remote;
		s->connected = true;
		s->ip_id = (uint16_t)hash_bytes(&local, sizeof local, 0);
		add_conn(s);
	} else {
		add_bound(s);
	}
	*out = s;
	return 0;
}

static int source_for(struct sock *s, const struct sock_name *to, struct sock_name *from)
{
	struct route_result route;
	*from = s->local;
	bool chosen = from->addr.family != NET_NONE && !net_addr_is_unspecified(&from->addr);
	if (chosen && from->addr.family != to->addr.family)
		return EAFNOSUPPORT;
	int code = route_output(s->n->ns, &to->addr, chosen ? &from->addr : NULL, &route);
	if (!code && !chosen)
		from->addr = route.source;
	return code ? code : from->addr.family == NET_NONE ? EADDRNOTAVAIL : 0;
}

int datagram_send(struct sock *s, const struct sock_name *to, const void *bytes, size_t length)
{
	struct sock_name from;
	if (!to && !s->connected)
		return EDESTADDRREQ;
	if (length > DATAGRAM_MAX)
		return EMSGSIZE;
	if (!to)
		to = &s->peer;
	int code = source_for(s, to, &from);
	if (code)
		return code;
	struct craft_ip ip = sock_ip(s, &from, to);
	ip.ip_id = s->connected ? s->ip_id++ : 0;
	return sock_output(s, craft_udp(s->n->ns->env->craft, &ip, bytes, (uint32_t)length));
}

static void nobody_there(struct netns *ns, struct packet *p, const struct sock_name *local)
{
	char address[NET_ADDR_TEXT + 8];
	bool v4 = p->family == NET_V4;
	net_endpoint_text(&local->addr, local->port, address);
	step_add(ns, p, "socket", "", NULL, "nothing listens on udp %s: port unreachable", address);
	if (p->trace)
		trace_verdict(p->trace, TRACE_REJECTED, "%s: nothing listens on udp %s", ns->label,
			      address);
	/* The entry is let go before (nf_reset_ct in __udp4_lib_rcv): the error is looked up
	 * anew, in the default zone. */
	p->ct = NULL;
	p->ct_info = CT_INFO_NONE;
	icmp_error(ns, p, v4 ? 3 : 1, v4 ? 3 : 4, 0);
}

void udp_input(struct netns *ns, struct sockets *n, struct packet *p)
{
	char what[128];
	struct sock_name local = { packet_dst(p), packet_dst_port(p) };
	struct sock_name peer = { packet_src(p), packet_src_port(p) };
	struct sock *s = n ? find_conn(n, PROTO_UDP, &local, &peer) : NULL;
	if (!s && n)
		s = find_bound(n, PROTO_UDP, &local);
	if (!s) {
		nobody_there(ns, p, &local);
		packet_free(p);
		return;
	}
	uint32_t length;
	const uint8_t *bytes = packet_payload(p, &length);
	snprintf(what, sizeof what, "udp socket, port %u", local.port);
	sock_delivered(ns, p, what);
	struct sock_event event = { .kind = SOCK_DATA, .bytes = bytes, .length = length,
				    .peer = peer, .local = local.addr, .ttl = packet_ttl(p) };
	sock_note(s, &event);
	sock_tell(s);
	packet_free(p);
}

/* ---- echo ----------------------------------------------------------------------------- */

int echo_open(struct sockets *n, const struct net_addr *remote,
	      const struct sock_options *options, sock_event_fn *fn, void *ctx,
	      struct sock **out)
{
	bool v4 = remote->family == NET_V4;
	struct sock_name peer = { *remote, 0 };
	struct sock_name local = options ? options->local : (struct sock_name){ { 0 }, 0 };
	*out = NULL;
	local.port = 1; /* none is needed */
	uint8_t proto = v4 ? PROTO_ICMP : PROTO_ICMP6;
	int code = choose_local(n, proto, &peer, &local, NULL);
	if (code && code != EADDRNOTAVAIL)
		return code;
	/* The identifier of a ping socket is chosen like a port. */
	uint16_t id = (uint16_t)choice_uniform(n->ns->env->choice, "sport", UINT16_MAX);
	uint32_t tries = UINT16_MAX;
	while (table_find(&n->echo, &(uint16_t){ ++id }))
		if (!--tries)
			return EAGAIN;
	struct sock *s = sock_new(n, SOCKK_ECHO, proto, options, fn, ctx);
	s->local = local;
	s->local.port = s->echo_id = id;
	s->peer = peer;
	s->connected = true;
	*(struct sock **)table_put(&n->echo, &id, NULL) = s;
	s->echo_key = true;
	*out = s;
	return 0;
}

int echo_send(struct sock *s, const void *bytes, size_t length)
{
	struct craft_ip ip = sock_ip(s, &s->local, &s->peer);
	if (length > DATAGRAM_MAX)
		return EMSGSIZE;
	return sock_output(s, craft_icmp_echo(s->n->ns->env->craft, &ip, false, s->echo_id,
					      ++s->echo_sequence, bytes, (uint32_t)length));
}

void stack_echo_reply(struct netns *ns, const struct packet *p)
{
	uint16_t id = packet_icmp_id(p);
	struct sock **found = ns->sockets ? table_find(&ns->sockets->echo, &id) : NULL;
	if (!found)
		return;
	struct sock *s = *found;
	uint32_t length;
	const uint8_t *bytes = packet_payload(p, &length);
	struct sock_event event = { .kind = SOCK_ECHO_REPLY, .bytes = bytes, .length = length,
				    .peer = { packet_src(p), 0 }, .local = packet_dst(p),
				    .ttl = packet_ttl(p) };
	event.sequence = (uint16_t)(p->bytes[p->l4 + 6] << 8 | p->bytes[p->l4 + 7]);
	sock_note(s, &event);
	sock_tell(s);
}
