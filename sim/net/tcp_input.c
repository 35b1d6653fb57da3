/* net/tcp_input.c: a segment arrives (RFC 9293, 3.10.7, with the answers of RFC 5961). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "net/tcp_internal.h"

#define EARLY_LIMIT 256u /* pieces kept out of order; the window bounds their bytes */

static uint32_t segment_end(const struct tcp_segment *s)
{
	return s->seq + s->length + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN);
}

static void take_mss(struct tcp *t, const struct tcp_segment *s)
{
	if (s->mss && s->mss < t->peer_mss)
		t->peer_mss = s->mss;
}

static void take_window(struct tcp *t, const struct tcp_segment *s)
{
	t->snd_window = s->window;
	t->snd_wl1 = s->seq;
	t->snd_wl2 = s->ack;
}

/* Our SYN is acknowledged: connected, also when the application closed meanwhile. */
static void establish(struct tcp *t, const struct tcp_segment *s, int64_t now)
{
	t->snd_una = s->ack;
	t->state = t->fin_queued ? TCPS_FIN_WAIT_1 : TCPS_ESTABLISHED;
	t->retransmit_at = t->give_up_at = TCP_NEVER;
	if (t->timing && t->retransmits == 0)
		tcp_measure(t, now - t->timing_since);
	t->timing = false;
	t->retransmits = 0;
	t->soft_error = 0;
	tcp_restore_rto(t);
	take_window(t, s);
}

static void receive_in_syn_sent(struct tcp *t, const struct tcp_segment *s, int64_t now)
{
	bool ack = s->flags & TCP_ACK;
	if (ack && s->ack != t->snd_nxt) {
		if (!(s->flags & TCP_RST))
			tcp_send_reset(t, s->ack);
		return;
	}
	if (s->flags & TCP_RST) {
		if (ack)
			tcp_end(t, ECONNREFUSED);
		return;
	}
	if (!(s->flags & TCP_SYN))
		return;
	t->rcv_nxt = s->seq + 1;
	take_mss(t, s);
	if (!ack) { /* both sides opened at once */
		t->state = TCPS_SYN_RECEIVED;
		t->snd_window = s->window;
		t->snd_wl1 = s->seq;
		t->rto = TCP_RTO_FIRST;
		t->retransmits = 0;
		t->retransmit_at = now + t->rto;
		tcp_send_syn(t);
		return;
	}
	establish(t, s, now);
	tcp_send_ack(t);
	tcp_tell(t, TCPO_CONNECTED, 0);
}

static void receive_in_time_wait(struct tcp *t, const struct tcp_segment *s, int64_t now)
{
	bool bare = s->seq == t->rcv_nxt && segment_end(s) == s->seq;
	if (s->flags & TCP_RST) {
		if (s->seq == t->rcv_nxt) /* RFC 1337 is off in Linux */
			tcp_end(t, 0);
		return;
	}
	if (s->flags & TCP_ACK)
		t->wait_at = now + t->config.time_wait_ns;
	if (!bare)
		tcp_send_ack(t);
}

/* Drops what `ack` covers from the buffer of unacknowledged bytes. */
static void drop_acknowledged(struct tcp *t, uint32_t ack)
{
	uint32_t covered = ack - t->data_seq;
	if ((int32_t)covered <= 0)
		return;
	if (covered > t->unacked.length)
		covered = (uint32_t)t->unacked.length; /* the FIN lies behind the bytes */
	if (!covered)
		return;
	t->unacked.length -= covered;
	memmove(t->unacked.data, t->unacked.data + covered, t->unacked.length);
	t->data_seq += covered;
}

static void count_duplicate(struct tcp *t, const struct tcp_segment *s)
{
	if (s->length || s->flags & (TCP_SYN | TCP_FIN) || s->window != t->snd_window ||
	    t->snd_una == t->snd_nxt)
		return;
	if (++t->duplicate_acks == 3 && !t->recovering) { /* RFC 5681, 3.2 */
		t->recovering = true;
		t->recover = t->snd_nxt;
		tcp_resend(t);
	}
}

static void advance(struct tcp *t, uint32_t ack, int64_t now)
{
	if (t->timing && !seq_before(ack, t->timing_seq)) {
		tcp_measure(t, now - t->timing_since);
		t->timing = false;
	}
	t->snd_una = ack;
	drop_acknowledged(t, ack);
	t->fin_acked = t->fin_queued && seq_before(t->fin_seq, ack);
	t->retransmits = t->duplicate_acks = 0;
	t->soft_error = 0;
	tcp_restore_rto(t);
	tcp_rearm(t, now);
	if (t->recovering && seq_before(ack, t->recover))
		tcp_resend(t);
	else
		t->recovering = false;
}

/* The ACK field. False: the segment goes no further. */
static bool receive_ack(struct tcp *t, const struct tcp_segment *s, int64_t now)
{
	if (t->state == TCPS_SYN_RECEIVED) {
		if (s->ack != t->snd_nxt) {
			tcp_send_reset(t, s->ack);
			return false;
		}
		establish(t, s, now);
		tcp_tell(t, TCPO_CONNECTED, 0);
		tcp_push(t, now);
		return true;
	}
	if (seq_before(t->snd_nxt, s->ack)) {
		tcp_send_ack(t);
		return false;
	}
	bool newer = !seq_before(s->ack, t->snd_una) &&
		     (seq_before(t->snd_wl1, s->seq) ||
		      (t->snd_wl1 == s->seq && !seq_before(s->ack, t->snd_wl2)));
	if (seq_before(t->snd_una, s->ack)) {
		advance(t, s->ack, now);
	} else if (s->ack == t->snd_una) {
		if (t->snd_una == t->snd_nxt)
			t->retransmits = 0; /* the answer to a window probe */
		count_duplicate(t, s);
	}
	if (newer)
		take_window(t, s);
	tcp_push(t, now);
	return true;
}

/* What the acknowledgement of our FIN leads to. False: the connection is over. */
static bool follow_fin_ack(struct tcp *t, int64_t now)
{
	if (!t->fin_acked)
		return true;
	switch (t->state) {
	case TCPS_FIN_WAIT_1:
		t->state = TCPS_FIN_WAIT_2;
		if (t->orphan)
			t->wait_at = now + TCP_FIN_TIMEOUT;
		return true;
	case TCPS_CLOSING:
		tcp_enter_time_wait(t, now);
		return false;
	case TCPS_LAST_ACK:
		tcp_end(t, 0);
		return false;
	default:
		return true;
	}
}

/* Keeps bytes that lie beyond rcv_nxt, in order and without overlap. */
static void keep_early(struct tcp *t, uint32_t seq, const uint8_t *bytes, uint32_t length)
{
	struct tcp_early **at = &t->early;
	while (*at && length && t->early_count < EARLY_LIMIT) {
		struct tcp_early *e = *at;
		uint32_t end = e->seq + e->length;
		if (seq_before(seq, e->seq)) { /* what lies before this piece */
			uint32_t gap = e->seq - seq;
			if (gap >= length)
				break;
			struct tcp_early *piece = mem_alloc(sizeof *piece + gap);
			*piece = (struct tcp_early){ .next = e, .seq = seq, .length = gap };
			memcpy(piece->bytes, bytes, gap);
			*at = piece;
			t->early_count++;
			seq += gap;
			bytes += gap;
			length -= gap;
		} else if (seq_before(seq, end)) {
			uint32_t known = end - seq < length ? end - seq : length;
			seq += known;
			bytes += known;
			length -= known;
		}
		at = &(*at)->next;
	}
	if (!length || t->early_count >= EARLY_LIMIT)
		return;
	struct tcp_early *piece = mem_alloc(sizeof *piece + length);
	*piece = (struct tcp_early){ .next = *at, .seq = seq, .length = length };
	memcpy(piece->bytes, bytes, length);
	*at = piece;
	t->early_count++;
}

static void tell_data(struct tcp *t, const uint8_t *bytes, uint32_t length)
{
	struct tcp_output out = { .kind = TCPO_DATA,
				  .segment = { .bytes = bytes, .length = length } };
	if (length)
		tcp_emit(t, &out);
}

/* The peer's FIN has its turn: the change of state; EOF is told by the caller. */
static void take_fin(struct tcp *t)
{
	t->rcv_nxt++;
	if (t->state == TCPS_ESTABLISHED)
		t->state = TCPS_CLOSE_WAIT;
	else if (t->state == TCPS_FIN_WAIT_1)
		t->state = TCPS_CLOSING;
}

/* Cuts off what came before and what lies beyond the window. */
static void trim(const struct tcp *t, struct tcp_segment *s)
{
	uint32_t skip = t->rcv_nxt - s->seq;
	if ((int32_t)skip > 0) {
		skip = skip < s->length ? skip : s->length;
		s->seq += skip;
		s->bytes = s->bytes ? s->bytes + skip : NULL;
		s->length -= skip;
	}
	uint32_t beyond = s->seq + s->length - (t->rcv_nxt + TCP_WINDOW);
	if ((int32_t)beyond > 0)
		s->length -= beyond < s->length ? beyond : s->length;
}

/* Takes the early pieces whose turn has come off the queue and moves rcv_nxt over them. */
static struct tcp_early *take_ripe(struct tcp *t)
{
	struct tcp_early *first = t->early, **at = &t->early;
	while (*at && !seq_before(t->rcv_nxt, (*at)->seq)) {
		uint32_t end = (*at)->seq + (*at)->length;
		if (seq_before(t->rcv_nxt, end))
			t->rcv_nxt = end;
		at = &(*at)->next;
		t->early_count--;
	}
	if (at == &t->early)
		return NULL;
	t->early = *at;
	*at = NULL;
	return first;
}

/* Tells pieces from number `told` on and frees them. */
static void tell_ripe(struct tcp *t, struct tcp_early *piece, uint32_t told)
{
	while (piece) {
		struct tcp_early *next = piece->next;
		uint32_t known = seq_before(piece->seq, told) ? told - piece->seq : 0;
		if (known < piece->length) {
			tell_data(t, piece->bytes + known, piece->length - known);
			told = piece->seq + piece->length;
		}
		free(piece);
		piece = next;
	}
}

/* Bytes and FIN. The ACK goes out before the application hears, as on Linux, where it
 * runs later than the interrupt that took the segment. */
static void receive_data(struct tcp *t, const struct tcp_segment *segment, int64_t now)
{
	struct tcp_segment s = *segment;
	bool waited = t->state == TCPS_FIN_WAIT_2;
	if (s.flags & TCP_FIN) {
		t->peer_fin = true;
		t->peer_fin_seq = s.seq + s.length;
	}
	trim(t, &s);
	uint32_t fresh = s.seq == t->rcv_nxt ? s.length : 0;
	if (s.length && !fresh)
		keep_early(t, s.seq, s.bytes, s.length);
	t->rcv_nxt += fresh;
	struct tcp_early *ripe = take_ripe(t);
	bool fin = t->peer_fin && t->rcv_nxt == t->peer_fin_seq;
	if (fin)
		take_fin(t);
	tcp_send_ack(t);
	tell_data(t, s.bytes, fresh);
	tell_ripe(t, ripe, s.seq + fresh);
	if (!fin)
		return;
	tcp_tell(t, TCPO_EOF, 0);
	if (waited)
		tcp_enter_time_wait(t, now);
}

/* tcp_sequence: whether the segment touches the window. */
static bool acceptable(const struct tcp *t, const struct tcp_segment *s)
{
	return !seq_before(segment_end(s), t->rcv_nxt) &&
	       !seq_before(t->rcv_nxt + TCP_WINDOW, s->seq);
}

/* RFC 5961, 3.2: only an exact number resets, others are asked back. */
static void receive_reset(struct tcp *t, const struct tcp_segment *s)
{
	if (s->seq != t->rcv_nxt)
		tcp_send_ack(t);
	else if (t->state == TCPS_SYN_RECEIVED)
		tcp_end(t, ECONNREFUSED);
	else /* tcp_reset */
		tcp_end(t, t->state == TCPS_CLOSE_WAIT ? EPIPE : ECONNRESET);
}

/* A SYN inside a connection. True: it ends a simultaneous open, go on without it. */
static bool receive_syn(struct tcp *t, const struct tcp_segment *s)
{
	bool again = t->state == TCPS_SYN_RECEIVED && s->seq + 1 == t->rcv_nxt;
	if (again && !t->passive && s->flags & TCP_ACK && s->ack == t->snd_nxt)
		return true;
	if (again)
		tcp_send_syn(t);
	else
		tcp_send_ack(t);
	return false;
}

/* States with a connection: the steps of RFC 9293 in their order. */
static void receive_synchronized(struct tcp *t, const struct tcp_segment *segment, int64_t now)
{
	struct tcp_segment s = *segment;
	if (!acceptable(t, &s)) {
		if (!(s.flags & TCP_RST))
			tcp_send_ack(t);
		return;
	}
	if (s.flags & TCP_RST) {
		receive_reset(t, &s);
		return;
	}
	if (s.flags & TCP_SYN) {
		if (!receive_syn(t, &s))
			return;
		s.flags &= (uint8_t)~TCP_SYN;
		s.seq++;
	}
	if (!(s.flags & TCP_ACK) || !receive_ack(t, &s, now) || !follow_fin_ack(t, now))
		return;
	bool waiting = t->state == TCPS_FIN_WAIT_1 || t->state == TCPS_FIN_WAIT_2;
	if (t->orphan && waiting && s.length && seq_before(t->rcv_nxt, s.seq + s.length)) {
		tcp_send_reset(t, s.ack); /* nobody is left to read it */
		tcp_end(t, 0);
	} else if ((s.length || s.flags & TCP_FIN) && (waiting || t->state == TCPS_ESTABLISHED)) {
		receive_data(t, &s, now);
	} else if (s.length || s.flags & TCP_FIN) {
		tcp_send_ack(t);
	}
}

void tcp_receive(struct tcp *t, const struct tcp_segment *segment, int64_t now_ns)
{
	switch (t->state) {
	case TCPS_CLOSED:
	case TCPS_LISTEN:
		break;
	case TCPS_SYN_SENT:
		receive_in_syn_sent(t, segment, now_ns);
		break;
	case TCPS_TIME_WAIT:
		receive_in_time_wait(t, segment, now_ns);
		break;
	default:
		receive_synchronized(t, segment, now_ns);
		break;
	}
}
