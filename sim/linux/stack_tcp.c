/* linux/stack_tcp.c: TCP of the host stack: net/tcp.h's connections on packets. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/table.h"
#include "linux/stack_internal.h"
#include "net/trace.h"

#define ETHERNET_MTU 1500u
#define LOOPBACK_MTU 65536u
#define TCP_HEADER_BYTES 20u
#define TIME_WAIT_NS (60 * NS_PER_S)

static void segment_of(const struct packet *p, struct tcp_segment *out)
{
	const uint8_t *o = p->bytes + p->l4 + TCP_HEADER_BYTES, *end = p->bytes + p->payload;
	*out = (struct tcp_segment){ .seq = packet_tcp_seq(p), .ack = packet_tcp_ack(p),
				     .flags = packet_tcp_flags(p),
				     .window = packet_tcp_window(p) };
	out->bytes = packet_payload(p, &out->length);
	while (o < end && *o != 0 && (*o == 1 || (end - o >= 2 && o[1] >= 2 && o[1] <= end - o))) {
		if (o[0] == 2 && o[1] == 4)
			out->mss = (uint16_t)(o[2] << 8 | o[3]);
		o += *o == 1 ? 1 : o[1];
	}
}

static void send_segment(struct sock *s, const struct tcp_segment *seg)
{
	struct craft_ip ip = sock_ip(s, &s->local, &s->peer);
	struct craft_tcp tcp = { .seq = seg->seq, .ack = seg->ack, .flags = seg->flags,
				 .window = seg->window, .mss = seg->mss, .window_scale = -1 };
	ip.ip_id = (seg->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK) ? 0 : s->ip_id++;
	sock_output(s, craft_tcp(s->n->ns->env->craft, &ip, &tcp, seg->bytes, seg->length));
}

static void note_error(struct sock *s, int error)
{
	bool hard;
	struct sock_event event = { .kind = SOCK_ERROR, .error = error, .peer = s->peer };
	const struct icmp_notice *n = &s->notice;
	if (n->family && icmp_errno(n->family, n->type, n->code, &hard) == error) {
		event.icmp_type = n->type;
		event.icmp_code = n->code;
		event.icmp_from = n->from;
	}
	sock_note(s, &event);
}

static void on_output(void *ctx, const struct tcp_output *output)
{
	struct sock *s = ctx;
	struct sock_event event = { .peer = s->peer, .local = s->local.addr };
	switch (output->kind) {
	case TCPO_SEND:
		send_segment(s, &output->segment);
		return;
	case TCPO_CONNECTED:
		if (s->listener || !s->connected) {
			s->accept_due = true;
			return;
		}
		event.kind = SOCK_CONNECTED;
		break;
	case TCPO_DATA:
		event.kind = SOCK_DATA;
		event.bytes = output->segment.bytes;
		event.length = output->segment.length;
		break;
	case TCPO_EOF:
		event.kind = SOCK_EOF;
		break;
	case TCPO_CLOSED:
		event.kind = SOCK_CLOSED;
		break;
	case TCPO_ERROR:
		note_error(s, output->error);
		return;
	}
	sock_note(s, &event);
}

static void on_timer(void *ctx)
{
	struct sock *s = ctx;
	s->timer_ns = INT64_MAX;
	tcp_timer(s->tcp, sock_now(s));
	tcp_step(s, false);
}

void tcp_step(struct sock *s, bool in_call)
{
	bool over = tcp_state_of(s->tcp) == TCPS_CLOSED;
	sock_arm(s, over ? INT64_MAX : tcp_deadline(s->tcp), on_timer);
	if (over)
		remove_keys(s); /* the port is free again */
	if (over && !s->connected && !s->accept_due && !s->closed) {
		sock_free(s); /* a handshake that failed: no program hears of it */
		return;
	}
	if (s->accept_due) {
		s->accept_due = false;
		accept_stream(s);
		return;
	}
	if (s->closed && over)
		sock_free(s);
	else if (in_call)
		sock_tell_later(s);
	else
		sock_tell(s);
}

/* RFC 6528, as net/core/secure_seq.c does it: a keyed hash of addresses and ports, own ones
 * first, plus a clock that steps every 64 ns. So a port that a client uses again soon begins
 * beyond its old numbers, and a server whose end is in TIME_WAIT takes the SYN. */
static uint32_t first_sequence(const struct sock *s)
{
	struct netns *ns = s->n->ns;
	uint8_t key[2 * (sizeof(struct net_addr) + sizeof(uint16_t))], *at = key;
	const struct sock_name *names[] = { &s->local, &s->peer };
	if (s->isn)
		return s->isn;
	for (uint32_t i = 0; i < 2; i++) {
		memcpy(at, &names[i]->addr, sizeof names[i]->addr);
		at += sizeof names[i]->addr;
		*at++ = (uint8_t)(names[i]->port >> 8);
		*at++ = (uint8_t)names[i]->port;
	}
	uint64_t hash = hash_bytes(key, sizeof key, choice_seed(ns->env->choice));
	return (uint32_t)hash + (uint32_t)(sock_now(s) >> 6);
}

static struct tcp *new_tcp(struct sock *s)
{
	struct netns *ns = s->n->ns;
	struct route_result route;
	bool v4 = s->peer.addr.family == NET_V4;
	bool loopback = netns_route(ns, &s->peer.addr, NULL, 0, &route) &&
			route.out_if == LOOPBACK_IF;
	uint32_t mtu = loopback ? LOOPBACK_MTU : ETHERNET_MTU;
	struct tcp_config config = {
		.isn = first_sequence(s),
		.mss = (uint16_t)(mtu - (v4 ? 20 : 40) - TCP_HEADER_BYTES),
		.syn_retries = (uint8_t)sysctl_value(ns, SYSCTL_SYN_RETRIES),
		.synack_retries = (uint8_t)sysctl_value(ns, SYSCTL_SYNACK_RETRIES),
		.syn_linear = (uint8_t)sysctl_value(ns, SYSCTL_SYN_LINEAR),
		.data_retries = (uint8_t)sysctl_value(ns, SYSCTL_RETRIES2),
		.time_wait_ns = TIME_WAIT_NS,
		.once = s->options.once,
		.connect_locked = !v4, /* programs poll */
		.connect_timeout_ns = s->options.connect_timeout_ns,
	};
	s->ip_id = (uint16_t)(config.isn ^ config.isn >> 16);
	return tcp_new(&config, on_output, s);
}

void tcp_open(struct sock *s)
{
	s->tcp = new_tcp(s);
	tcp_connect(s->tcp, sock_now(s)); /* what the output path says of the SYN is not asked */
	tcp_step(s, true);
}

/* ---- what arrives ----------------------------------------------------------------- */

static void refuse(struct netns *ns, const struct packet *p, const struct tcp_segment *seg)
{
	struct tcp_segment rst;
	char address[NET_ADDR_TEXT + 8];
	struct net_addr dst = packet_dst(p);
	net_endpoint_text(&dst, packet_dst_port(p), address);
	if (!tcp_reset_for(seg, &rst)) {
		step_add(ns, p, "socket", "", NULL, "RST for no connection: ignored");
		return;
	}
	step_add(ns, p, "socket", "", NULL, "nothing listens on tcp %s: RST", address);
	if (p->trace)
		trace_verdict(p->trace, TRACE_REJECTED, "%s: nothing listens on tcp %s", ns->label,
			      address);
	struct craft_ip ip = { .src = dst, .dst = packet_src(p), .src_port = packet_dst_port(p),
			       .dst_port = packet_src_port(p), .dont_fragment = true,
			       .tos = packet_tos(p), /* tcp_v4_send_reset copies it */
			       .ttl = (uint8_t)sysctl_value(ns, SYSCTL_DEFAULT_TTL) };
	struct craft_tcp tcp = { .seq = rst.seq, .ack = rst.ack, .flags = rst.flags,
				 .window_scale = -1 };
	netns_output(ns, craft_tcp(ns->env->craft, &ip, &tcp, NULL, 0));
}

static void open_passive(struct sock *listener, const struct sock_name *local,
			 const struct sock_name *peer, const struct tcp_segment *syn, uint32_t isn)
{
	struct sock *s = new_embryo(listener, local, peer);
	s->isn = isn;
	s->tcp = new_tcp(s);
	tcp_accept(s->tcp, syn, sock_now(s));
	tcp_step(s, false);
}

static void describe(const struct sock *s, char *out, size_t size)
{
	char address[NET_ADDR_TEXT + 8];
	if (s->local.addr.family == NET_NONE)
		snprintf(address, sizeof address, "*:%u", s->local.port);
	else
		net_endpoint_text(&s->local.addr, s->local.port, address);
	snprintf(out, size, "%s %s %s", proto_name(s->proto),
		 s->kind == SOCKK_LISTENER ? "listener" : "connection", address);
}

void tcp_input(struct netns *ns, struct sockets *n, struct packet *p)
{
	char what[128];
	struct tcp_segment seg;
	struct sock_name local = { packet_dst(p), packet_dst_port(p) };
	struct sock_name peer = { packet_src(p), packet_src_port(p) };
	struct sock *s = n ? find_conn(n, PROTO_TCP, &local, &peer) : NULL;
	segment_of(p, &seg);
	uint32_t isn = 0;
	if (s && tcp_time_wait_yields(s->tcp, &seg)) {
		isn = tcp_time_wait_isn(s->tcp);
		remove_keys(s);
		if (s->closed)
			sock_free(s);
		s = NULL;
	}
	bool opens = (seg.flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
	struct sock *listener = n && !s && opens ? find_bound(n, PROTO_TCP, &local) : NULL;
	if (p->trace && (s || listener)) {
		describe(s ? s : listener, what, sizeof what);
		sock_delivered(ns, p, what);
	}
	if (s) {
		tcp_receive(s->tcp, &seg, sock_now(s));
		tcp_step(s, false);
	} else if (listener) {
		open_passive(listener, &local, &peer, &seg, isn);
	} else {
		refuse(ns, p, &seg);
	}
	packet_free(p);
}
