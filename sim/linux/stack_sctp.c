/* linux/stack_sctp.c: SCTP of the host stack, as far as its packets can be made.
 *
 * The four-way handshake with Linux's timers (INIT after 3, 6, 12 ... at most 60 s, eight
 * times; RFC 9260), ABORT for closed ports, SHUTDOWN. There are no DATA chunks: an
 * association opens and closes, send() says EOPNOTSUPP.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/arena.h"
#include "linux/stack_internal.h"
#include "net/trace.h"
#include "net/wire.h"

#define COMMON_HEADER_BYTES 12u
#define RTO_FIRST_NS (3 * NS_PER_S)
#define RTO_MAX_NS (60 * NS_PER_S)
#define INIT_RETRIES 8u
#define COOKIE_LIFE_NS (60 * NS_PER_S) /* net.sctp.valid_cookie_life */

enum chunk {
	CHUNK_INIT = 1, CHUNK_INIT_ACK = 2, CHUNK_ABORT = 6, CHUNK_SHUTDOWN = 7,
	CHUNK_SHUTDOWN_ACK = 8, CHUNK_COOKIE_ECHO = 10, CHUNK_COOKIE_ACK = 11,
	CHUNK_SHUTDOWN_COMPLETE = 14
};

enum assoc_state {
	ASSOC_CLOSED, ASSOC_COOKIE_WAIT, ASSOC_COOKIE_ECHOED, ASSOC_ESTABLISHED,
	ASSOC_SHUTDOWN_SENT, ASSOC_SHUTDOWN_ACK_SENT
};

struct sctp_assoc {
	enum assoc_state state;
	uint32_t own_tag, peer_tag;
	uint32_t tries;
	int64_t started_ns, rto_ns;
};

static void send_chunk(struct sock *s, uint8_t chunk, uint32_t tag)
{
	struct craft_ip ip = sock_ip(s, &s->local, &s->peer);
	struct packet *p = craft_sctp(s->n->ns->env->craft, &ip, chunk, tag);
	if (chunk == CHUNK_INIT_ACK) { /* it announces our tag but goes under the peer's */
		put32(p->bytes + p->l4 + 4, s->sctp->peer_tag);
		packet_checksums_fill(p);
	}
	sock_output(s, p);
}

static struct sctp_assoc *new_assoc(struct sock *s)
{
	struct sctp_assoc *a = s->sctp = mem_alloc(sizeof *a);
	a->own_tag = 1 + (uint32_t)choice_uniform(s->n->ns->env->choice, "isn", UINT32_MAX);
	a->rto_ns = RTO_FIRST_NS;
	a->started_ns = sock_now(s);
	return a;
}

static void end(struct sock *s, int error)
{
	struct sock_event event = { .kind = error ? SOCK_ERROR : SOCK_CLOSED, .error = error,
				    .peer = s->peer };
	s->sctp->state = ASSOC_CLOSED;
	remove_keys(s);
	sock_arm(s, INT64_MAX, NULL);
	sock_note(s, &event);
}

static void on_timer(void *ctx);

/* What the state has outstanding, for the first time or again. */
static void send_outstanding(struct sock *s)
{
	struct sctp_assoc *a = s->sctp;
	switch (a->state) {
	case ASSOC_COOKIE_WAIT:
		send_chunk(s, CHUNK_INIT, a->own_tag);
		break;
	case ASSOC_COOKIE_ECHOED:
		send_chunk(s, CHUNK_COOKIE_ECHO, a->peer_tag);
		break;
	case ASSOC_SHUTDOWN_SENT:
		send_chunk(s, CHUNK_SHUTDOWN, a->peer_tag);
		break;
	case ASSOC_SHUTDOWN_ACK_SENT:
		send_chunk(s, CHUNK_SHUTDOWN_ACK, a->peer_tag);
		break;
	default:
		return;
	}
	sock_arm(s, sock_now(s) + a->rto_ns, on_timer);
}

static void on_timer(void *ctx)
{
	struct sock *s = ctx;
	struct sctp_assoc *a = s->sctp;
	int64_t limit_ns = s->options.connect_timeout_ns;
	bool late = limit_ns > 0 && sock_now(s) - a->started_ns >= limit_ns;
	s->timer_ns = INT64_MAX;
	if (s->options.once || late || a->tries++ == INIT_RETRIES) {
		end(s, ETIMEDOUT);
	} else {
		a->rto_ns = a->rto_ns * 2 > RTO_MAX_NS ? RTO_MAX_NS : a->rto_ns * 2;
		send_outstanding(s);
	}
	sock_tell(s);
}

static void enter(struct sock *s, enum assoc_state state)
{
	s->sctp->state = state;
	s->sctp->tries = 0;
	s->sctp->rto_ns = RTO_FIRST_NS;
	sock_arm(s, INT64_MAX, NULL);
	send_outstanding(s);
}

void sctp_open(struct sock *s)
{
	new_assoc(s);
	enter(s, ASSOC_COOKIE_WAIT);
}

int sctp_send(struct sock *s, const void *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	return s->sctp->state == ASSOC_ESTABLISHED ? EOPNOTSUPP : ENOTCONN;
}

void sctp_shutdown(struct sock *s)
{
	if (s->sctp->state == ASSOC_ESTABLISHED)
		enter(s, ASSOC_SHUTDOWN_SENT);
	else if (s->sctp->state == ASSOC_COOKIE_WAIT || s->sctp->state == ASSOC_COOKIE_ECHOED)
		end(s, 0);
}

void sctp_abort(struct sock *s)
{
	if (s->sctp->state != ASSOC_CLOSED && s->sctp->state != ASSOC_COOKIE_WAIT)
		send_chunk(s, CHUNK_ABORT, s->sctp->peer_tag);
	end(s, 0);
}

void sctp_icmp_error(struct sock *s, int error)
{
	if (s->sctp->state == ASSOC_COOKIE_WAIT && error == ECONNREFUSED)
		end(s, error);
	sock_tell(s);
}

bool sctp_is_over(const struct sock *s)
{
	return s->sctp->state == ASSOC_CLOSED;
}

void sctp_release(struct sock *s)
{
	free(s->sctp);
	s->sctp = NULL;
}

const char *sctp_state_text(const struct sock *s)
{
	static const char *const names[] = { "CLOSED", "COOKIE-WAIT", "COOKIE-ECHOED", "ESTAB",
					     "SHUTDOWN-SENT", "SHUTDOWN-ACK-SENT" };
	return names[s->sctp->state];
}

static void answer_without_assoc(struct netns *ns, const struct packet *p, uint8_t chunk,
				 uint32_t tag)
{
	struct craft_ip ip = { .src = packet_dst(p), .dst = packet_src(p),
			       .src_port = packet_dst_port(p), .dst_port = packet_src_port(p),
			       .dont_fragment = true,
			       .ttl = (uint8_t)sysctl_value(ns, SYSCTL_DEFAULT_TTL) };
	netns_output(ns, craft_sctp(ns->env->craft, &ip, chunk, tag));
}

static void receive(struct sock *s, const struct packet *p, uint8_t chunk, uint32_t initiate_tag)
{
	struct sctp_assoc *a = s->sctp;
	struct sock_event event = { .kind = SOCK_CONNECTED, .peer = s->peer,
				    .local = s->local.addr };
	(void)p;
	switch (chunk) {
	case CHUNK_INIT: /* again: our answer was lost */
		if (!s->connected)
			send_chunk(s, CHUNK_INIT_ACK, a->own_tag);
		break;
	case CHUNK_INIT_ACK:
		if (a->state != ASSOC_COOKIE_WAIT)
			break;
		a->peer_tag = initiate_tag;
		enter(s, ASSOC_COOKIE_ECHOED);
		break;
	case CHUNK_COOKIE_ECHO:
		send_chunk(s, CHUNK_COOKIE_ACK, a->peer_tag);
		if (a->state != ASSOC_CLOSED || s->connected)
			break;
		enter(s, ASSOC_ESTABLISHED);
		accept_stream(s);
		return;
	case CHUNK_COOKIE_ACK:
		if (a->state != ASSOC_COOKIE_ECHOED)
			break;
		enter(s, ASSOC_ESTABLISHED);
		sock_note(s, &event);
		break;
	case CHUNK_ABORT:
		end(s, a->state == ASSOC_COOKIE_WAIT ? ECONNREFUSED : ECONNRESET);
		break;
	case CHUNK_SHUTDOWN:
		event.kind = SOCK_EOF;
		sock_note(s, &event);
		enter(s, ASSOC_SHUTDOWN_ACK_SENT);
		break;
	case CHUNK_SHUTDOWN_ACK:
		send_chunk(s, CHUNK_SHUTDOWN_COMPLETE, a->peer_tag);
		end(s, 0);
		break;
	case CHUNK_SHUTDOWN_COMPLETE:
		end(s, 0);
		break;
	default:
		break;
	}
	sock_tell(s);
}

static void on_cookie_expired(void *ctx)
{
	sock_free(ctx);
}

static void open_passive(struct sock *listener, const struct sock_name *local,
			 const struct sock_name *peer, uint32_t peer_tag)
{
	struct sock *s = new_embryo(listener, local, peer);
	new_assoc(s)->peer_tag = peer_tag;
	send_chunk(s, CHUNK_INIT_ACK, s->sctp->own_tag);
	sock_arm(s, sock_now(s) + COOKIE_LIFE_NS, on_cookie_expired);
}

void sctp_input(struct netns *ns, struct sockets *n, struct packet *p)
{
	uint32_t at = p->l4 + COMMON_HEADER_BYTES;
	struct sock_name local = { packet_dst(p), packet_dst_port(p) };
	struct sock_name peer = { packet_src(p), packet_src_port(p) };
	struct sock *s = n ? find_conn(n, PROTO_SCTP, &local, &peer) : NULL, *listener = NULL;
	if (at + 4 > p->length) {
		packet_free(p);
		return;
	}
	uint8_t chunk = p->bytes[at];
	bool init = chunk == CHUNK_INIT || chunk == CHUNK_INIT_ACK;
	uint32_t initiate_tag = init && at + 8 <= p->length ? get32(p->bytes + at + 4) : 0;
	if (!s && n && chunk == CHUNK_INIT)
		listener = find_bound(n, PROTO_SCTP, &local);
	if (s || listener)
		sock_delivered(ns, p, s ? "sctp association" : "sctp listener");
	if (s) {
		receive(s, p, chunk, initiate_tag);
	} else if (listener) {
		open_passive(listener, &local, &peer, initiate_tag);
	} else if (chunk != CHUNK_ABORT && chunk != CHUNK_SHUTDOWN_COMPLETE) {
		step_add(ns, p, "socket", "", NULL, "nothing listens on sctp port %u: ABORT",
			 local.port);
		if (p->trace)
			trace_verdict(p->trace, TRACE_REJECTED, "%s: nothing listens on sctp port %u",
				      ns->label, local.port);
		answer_without_assoc(ns, p, CHUNK_ABORT, initiate_tag);
	}
	packet_free(p);
}
