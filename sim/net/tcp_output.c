/* net/tcp_output.c: what a connection sends, and when it sends it again. */
#include <errno.h>

#include "net/tcp_internal.h"

void tcp_send_segment(struct tcp *t, uint8_t flags, uint32_t seq, const uint8_t *bytes,
		      uint32_t length)
{
	struct tcp_output out = {
		.kind = TCPO_SEND,
		.segment = { .seq = seq,
			     .ack = flags & TCP_ACK ? t->rcv_nxt : 0,
			     .flags = flags,
			     .window = flags & TCP_RST ? 0 : TCP_WINDOW,
			     .mss = flags & TCP_SYN ? t->config.mss : 0,
			     .bytes = bytes,
			     .length = length },
	};
	tcp_emit(t, &out);
}

void tcp_send_ack(struct tcp *t)
{
	tcp_send_segment(t, TCP_ACK, t->snd_nxt, NULL, 0);
}

void tcp_send_syn(struct tcp *t)
{
	uint8_t flags = t->state == TCPS_SYN_RECEIVED ? TCP_SYN | TCP_ACK : TCP_SYN;
	tcp_send_segment(t, flags, t->config.isn, NULL, 0);
}

void tcp_send_reset(struct tcp *t, uint32_t seq)
{
	tcp_send_segment(t, TCP_RST, seq, NULL, 0);
}

/* Sends `length` buffered bytes from `seq` on; FIN and PSH where they belong. */
static void send_data(struct tcp *t, uint32_t seq, uint32_t length)
{
	uint32_t offset = seq - t->data_seq;
	bool last = offset + length == t->unacked.length;
	uint8_t flags = TCP_ACK;
	if (length && last)
		flags |= TCP_PSH;
	if (t->fin_queued && last)
		flags |= TCP_FIN;
	const uint8_t *bytes = length ? (const uint8_t *)t->unacked.data + offset : NULL;
	tcp_send_segment(t, flags, seq, bytes, length);
	uint32_t end = seq + length + !!(flags & TCP_FIN);
	if (seq_before(t->snd_nxt, end))
		t->snd_nxt = end;
}

static uint32_t segment_limit(const struct tcp *t)
{
	return t->peer_mss < t->config.mss ? t->peer_mss : t->config.mss;
}

/* Before that nothing may follow the SYN (the FIN of an early close waits, too). */
static bool handshake_done(const struct tcp *t)
{
	return t->snd_una != t->config.isn;
}

void tcp_push(struct tcp *t, int64_t now)
{
	uint32_t end = t->data_seq + (uint32_t)t->unacked.length;
	bool idle = t->snd_una == t->snd_nxt, sent = false;
	if (!handshake_done(t))
		return;
	while (seq_before(t->snd_nxt, end)) {
		uint32_t unsent = end - t->snd_nxt, in_flight = t->snd_nxt - t->snd_una;
		uint32_t room = t->snd_window > in_flight ? t->snd_window - in_flight : 0;
		uint32_t length = unsent < segment_limit(t) ? unsent : segment_limit(t);
		if (room < length)
			length = room;
		if (!length)
			break;
		if (!t->timing && !t->recovering) {
			t->timing = true;
			t->timing_since = now;
			t->timing_seq = t->snd_nxt + length;
		}
		send_data(t, t->snd_nxt, length);
		sent = true;
	}
	if (t->fin_queued && t->snd_nxt == t->fin_seq) {
		send_data(t, t->fin_seq, 0);
		sent = true;
	}
	if ((sent && idle) || (t->retransmit_at == TCP_NEVER && seq_before(t->snd_nxt, end)))
		t->retransmit_at = now + t->rto; /* flight, or a closed window to probe */
}

void tcp_resend(struct tcp *t)
{
	uint32_t buffered = t->data_seq + (uint32_t)t->unacked.length - t->snd_una;
	uint32_t flight = t->snd_nxt - t->snd_una;
	uint32_t length = buffered < flight ? buffered : flight;
	if (length > segment_limit(t))
		length = segment_limit(t);
	t->timing = false; /* Karn: no sample from what was sent twice */
	send_data(t, t->snd_una, length);
}

void tcp_rearm(struct tcp *t, int64_t now)
{
	t->retransmit_at = t->snd_una == t->snd_nxt ? TCP_NEVER : now + t->rto;
}

void tcp_measure(struct tcp *t, int64_t rtt)
{
	if (rtt < 1)
		rtt = 1;
	if (!t->srtt) { /* RFC 6298, section 2 */
		t->srtt = rtt;
		t->rttvar = rtt / 2;
	} else {
		int64_t error = t->srtt > rtt ? t->srtt - rtt : rtt - t->srtt;
		t->rttvar += (error - t->rttvar) / 4;
		t->srtt += (rtt - t->srtt) / 8;
	}
	tcp_restore_rto(t);
}

void tcp_restore_rto(struct tcp *t)
{
	if (!t->srtt) {
		t->rto = TCP_RTO_FIRST;
		return;
	}
	/* Linux bounds the variance term, not the sum, from below (tcp_rtt_estimator). */
	int64_t spread = 4 * t->rttvar < TCP_RTO_MIN ? TCP_RTO_MIN : 4 * t->rttvar;
	t->rto = t->srtt + spread < TCP_RTO_MAX ? t->srtt + spread : TCP_RTO_MAX;
}

/* How long `retries` doublings from the smallest RTO take: the bound that
 * Documentation/networking/ip-sysctl.rst calls hypothetical under tcp_retries2. */
static int64_t longest_wait(unsigned retries)
{
	int64_t sum = 0, rto = TCP_RTO_MIN;
	for (unsigned i = 0; i <= retries; i++) {
		sum += rto;
		rto = 2 * rto < TCP_RTO_MAX ? 2 * rto : TCP_RTO_MAX;
	}
	return sum;
}

/* tcp_write_timeout and reqsk_timer_handler: whether to give up. */
static bool exhausted(const struct tcp *t, int64_t now)
{
	enum { ORPHAN_RETRIES = 8 }; /* tcp_orphan_retries 0 means 8 */
	if (t->config.once)
		return true;
	if (t->state == TCPS_SYN_SENT)
		return t->retransmits >= (uint32_t)t->config.syn_retries + t->config.syn_linear;
	if (t->state == TCPS_SYN_RECEIVED)
		return t->retransmits >= t->config.synack_retries;
	unsigned retries = t->config.data_retries;
	if (t->orphan && retries > ORPHAN_RETRIES)
		retries = ORPHAN_RETRIES;
	return t->retransmits > 0 && now - t->first_retransmit >= longest_wait(retries);
}

/* A closed window: the number before the next makes the peer say its window again. */
static void probe(struct tcp *t)
{
	tcp_send_segment(t, TCP_ACK, t->snd_una - 1, NULL, 0);
}

void tcp_retransmit_timer(struct tcp *t, int64_t now)
{
	bool probing = handshake_done(t) && t->snd_una == t->snd_nxt;
	if (exhausted(t, now)) {
		tcp_end(t, t->soft_error ? t->soft_error : ETIMEDOUT);
		return;
	}
	if (t->retransmits++ == 0)
		t->first_retransmit = now;
	t->timing = false;
	/* SYNs of Linux 6.5 and later: the first timeouts do not double. */
	if (t->state != TCPS_SYN_SENT || t->retransmits > t->config.syn_linear)
		t->rto = 2 * t->rto < TCP_RTO_MAX ? 2 * t->rto : TCP_RTO_MAX;
	t->retransmit_at = now + t->rto;
	if (!handshake_done(t)) {
		tcp_send_syn(t);
	} else if (probing) {
		probe(t);
	} else {
		t->recovering = true;
		t->recover = t->snd_nxt;
		tcp_resend(t);
	}
}
