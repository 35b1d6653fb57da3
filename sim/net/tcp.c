/* net/tcp.c: states, calls of the application and timers; see tcp.h. */
#include "net/tcp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "core/arena.h"
#include "net/tcp_internal.h"

struct tcp *tcp_new(const struct tcp_config *config, tcp_output_fn *fn, void *ctx)
{
	struct tcp *t = mem_alloc(sizeof *t);
	assert(config->mss > 0);
	t->config = *config;
	t->fn = fn;
	t->ctx = ctx;
	t->peer_mss = config->mss;
	t->rto = TCP_RTO_FIRST;
	t->retransmit_at = t->wait_at = t->give_up_at = TCP_NEVER;
	return t;
}

void tcp_free(struct tcp *t)
{
	if (!t)
		return;
	while (t->early) {
		struct tcp_early *next = t->early->next;
		free(t->early);
		t->early = next;
	}
	strbuf_free(&t->unacked);
	free(t);
}

enum tcp_state tcp_state_of(const struct tcp *t)
{
	return t->state;
}

const char *tcp_state_name(enum tcp_state s)
{
	switch (s) {
	case TCPS_CLOSED:
		return "UNCONN";
	case TCPS_LISTEN:
		return "LISTEN";
	case TCPS_SYN_SENT:
		return "SYN-SENT";
	case TCPS_SYN_RECEIVED:
		return "SYN-RECV";
	case TCPS_ESTABLISHED:
		return "ESTAB";
	case TCPS_FIN_WAIT_1:
		return "FIN-WAIT-1";
	case TCPS_FIN_WAIT_2:
		return "FIN-WAIT-2";
	case TCPS_CLOSE_WAIT:
		return "CLOSE-WAIT";
	case TCPS_CLOSING:
		return "CLOSING";
	case TCPS_LAST_ACK:
		return "LAST-ACK";
	case TCPS_TIME_WAIT:
		return "TIME-WAIT";
	}
	return "UNKNOWN";
}

void tcp_emit(struct tcp *t, const struct tcp_output *output)
{
	if (output->kind != TCPO_SEND && (t->orphan || t->told_closed))
		return;
	if (output->kind == TCPO_CLOSED || output->kind == TCPO_ERROR)
		t->told_closed = true;
	t->fn(t->ctx, output);
}

void tcp_tell(struct tcp *t, enum tcp_output_kind kind, int error)
{
	tcp_emit(t, &(struct tcp_output){ .kind = kind, .error = error });
}

void tcp_end(struct tcp *t, int error)
{
	bool silent = t->passive && t->state == TCPS_SYN_RECEIVED;
	t->state = TCPS_CLOSED;
	t->retransmit_at = t->wait_at = t->give_up_at = TCP_NEVER;
	tcp_tell(t, error && !silent ? TCPO_ERROR : TCPO_CLOSED, silent ? 0 : error);
}

void tcp_enter_time_wait(struct tcp *t, int64_t now)
{
	t->state = TCPS_TIME_WAIT;
	t->retransmit_at = TCP_NEVER;
	t->wait_at = now + t->config.time_wait_ns;
	tcp_tell(t, TCPO_CLOSED, 0);
}

static void start(struct tcp *t, enum tcp_state state, int64_t now)
{
	assert(!t->started);
	t->started = true;
	t->state = state;
	t->snd_una = t->config.isn;
	t->snd_nxt = t->config.isn + 1;
	t->data_seq = t->snd_nxt;
	t->timing = true;
	t->timing_since = now;
	t->timing_seq = t->snd_nxt;
	t->retransmit_at = now + t->rto;
}

void tcp_connect(struct tcp *t, int64_t now_ns)
{
	start(t, TCPS_SYN_SENT, now_ns);
	t->connected_at = now_ns;
	if (t->config.connect_timeout_ns > 0)
		t->give_up_at = now_ns + t->config.connect_timeout_ns;
	tcp_send_syn(t);
}

void tcp_accept(struct tcp *t, const struct tcp_segment *syn, int64_t now_ns)
{
	start(t, TCPS_SYN_RECEIVED, now_ns);
	t->passive = true;
	t->rcv_nxt = syn->seq + 1;
	t->snd_window = syn->window;
	t->snd_wl1 = syn->seq;
	if (syn->mss && syn->mss < t->peer_mss)
		t->peer_mss = syn->mss;
	tcp_send_syn(t);
}

static bool may_send(const struct tcp *t)
{
	return t->state == TCPS_ESTABLISHED || t->state == TCPS_CLOSE_WAIT;
}

int tcp_send(struct tcp *t, const void *bytes, uint32_t length, int64_t now_ns)
{
	if (!t->started || t->state == TCPS_SYN_SENT || t->state == TCPS_SYN_RECEIVED)
		return ENOTCONN;
	if (!may_send(t))
		return EPIPE;
	strbuf_add(&t->unacked, bytes, length);
	tcp_push(t, now_ns);
	return 0;
}

void tcp_shutdown(struct tcp *t, int64_t now_ns)
{
	if (t->state == TCPS_SYN_SENT) { /* nothing to say to a peer that never answered */
		tcp_end(t, 0);
		return;
	}
	if (!may_send(t) && t->state != TCPS_SYN_RECEIVED)
		return;
	if (t->state == TCPS_ESTABLISHED)
		t->state = TCPS_FIN_WAIT_1;
	else if (t->state == TCPS_CLOSE_WAIT)
		t->state = TCPS_LAST_ACK;
	t->fin_queued = true; /* in SYN_RECEIVED it waits for the handshake's end */
	t->fin_seq = t->data_seq + (uint32_t)t->unacked.length;
	tcp_push(t, now_ns);
}

void tcp_close(struct tcp *t, int64_t now_ns)
{
	t->orphan = true;
	tcp_shutdown(t, now_ns);
	if (t->state == TCPS_FIN_WAIT_2 && t->wait_at == TCP_NEVER)
		t->wait_at = now_ns + TCP_FIN_TIMEOUT;
}

void tcp_abort(struct tcp *t, int64_t now_ns)
{
	(void)now_ns;
	t->told_closed = true;
	switch (t->state) { /* tcp_need_reset of net/ipv4/tcp.c */
	case TCPS_SYN_RECEIVED:
	case TCPS_ESTABLISHED:
	case TCPS_CLOSE_WAIT:
	case TCPS_FIN_WAIT_1:
	case TCPS_FIN_WAIT_2:
		tcp_send_segment(t, TCP_RST | TCP_ACK, t->snd_nxt, NULL, 0);
		break;
	default:
		break;
	}
	tcp_end(t, 0);
}

void tcp_icmp_error(struct tcp *t, int error, int64_t now_ns)
{
	switch (t->state) {
	case TCPS_CLOSED:
	case TCPS_LISTEN:
	case TCPS_TIME_WAIT:
		return;
	case TCPS_SYN_SENT:
		if (!t->config.connect_locked || t->retransmits || now_ns > t->connected_at) {
			tcp_end(t, error);
			return;
		}
		break;
	case TCPS_SYN_RECEIVED: /* tcp_req_err: the network says that nobody can be reached */
		if (t->passive && (error == ENETUNREACH || error == EHOSTUNREACH ||
				   error == EPROTO)) {
			tcp_end(t, error);
			return;
		}
		break;
	default:
		break;
	}
	t->soft_error = error;
}

int64_t tcp_deadline(const struct tcp *t)
{
	int64_t first = t->retransmit_at;
	if (t->wait_at < first)
		first = t->wait_at;
	if (t->give_up_at < first)
		first = t->give_up_at;
	return first;
}

void tcp_timer(struct tcp *t, int64_t now_ns)
{
	if (t->give_up_at <= now_ns) {
		tcp_end(t, ETIMEDOUT);
	} else if (t->wait_at <= now_ns) {
		t->told_closed = true;
		tcp_end(t, 0);
	} else if (t->retransmit_at <= now_ns) {
		tcp_retransmit_timer(t, now_ns);
	}
}

bool tcp_time_wait_yields(const struct tcp *t, const struct tcp_segment *segment)
{
	return t->state == TCPS_TIME_WAIT &&
	       (segment->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN &&
	       seq_before(t->rcv_nxt, segment->seq);
}

uint32_t tcp_time_wait_isn(const struct tcp *t)
{
	uint32_t isn = t->snd_nxt + 65535 + 2;
	return isn ? isn : 1;
}

bool tcp_reset_for(const struct tcp_segment *segment, struct tcp_segment *rst)
{
	if (segment->flags & TCP_RST)
		return false;
	*rst = (struct tcp_segment){ .flags = TCP_RST };
	if (segment->flags & TCP_ACK) {
		rst->seq = segment->ack;
	} else {
		rst->flags |= TCP_ACK;
		rst->ack = segment->seq + segment->length + !!(segment->flags & TCP_SYN) +
			   !!(segment->flags & TCP_FIN);
	}
	return true;
}
