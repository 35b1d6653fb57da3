/* linux/conntrack_tcp.c: what conntrack knows of a TCP connection.
 *
 * States and timeouts as in Linux 6.1; windows as in "Real Stateful TCP Packet
 * Filtering in IP Filter" (Guido van Rooij): a segment must not lie above what the
 * other side's window allowed nor acknowledge what was never sent (INVALID); what is
 * old belongs to the flow but changes nothing.
 */
#include <string.h>

#include "linux/conntrack_internal.h"
#include "net/wire.h"

enum { INDEX_SYN, INDEX_SYNACK, INDEX_FIN, INDEX_ACK, INDEX_RST, INDEX_NONE };
enum side_flag {
	SIDE_SCALE = 1, SIDE_SACK = 2, SIDE_CLOSE_INIT = 4, SIDE_LIBERAL = 8, SIDE_UNACKED = 16,
	SIDE_MAX_ACK = 32
};
enum { STATE_IGNORE = CTT_SYN_SENT2 + 1, STATE_INVALID };
enum window_answer { WINDOW_FINE, WINDOW_PARDONED, WINDOW_OLD, WINDOW_BAD };

#define LEAST_ACK_WINDOW 66000u
#define HEADER_BYTES 20u

/* New state by direction, kind of segment and old state. Letters: S syn-sent, R syn-recv,
 * E established, F fin-wait, C close-wait, L last-ack, T time-wait, X close, 2 syn-sent2,
 * - ignored, ! invalid. Columns: none S R E F C L T X 2. */
static const char transitions[2][6][11] = {
	{ "SS-----SS2", "!!R!!!!!!R", "!!FFLLLTX!", "E!EECCTTX!", "!XXXXXXXXX", "!!!!!!!!!!" },
	{ "!2!!!!!S!2", "!R-------R", "!!FFLLLTX!", "!-RECCTTX-", "!XXXXXXXXX", "!!!!!!!!!!" },
};

static uint8_t state_of_letter(char letter)
{
	static const char letters[] = "?SREFCLTX2-!";
	return (uint8_t)(strchr(letters, letter) - letters);
}

static int index_of(uint8_t flags)
{
	if (flags & TCP_RST)
		return INDEX_RST;
	if (flags & TCP_SYN)
		return flags & TCP_ACK ? INDEX_SYNACK : INDEX_SYN;
	if (flags & TCP_FIN)
		return INDEX_FIN;
	return flags & TCP_ACK ? INDEX_ACK : INDEX_NONE;
}

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static bool after(uint32_t a, uint32_t b)
{
	return before(b, a);
}

struct segment_view {
	uint32_t seq, ack, raw_ack, sack, end, window;
	uint16_t raw_window;
	uint8_t flags;
	int index;
};

static void view_of(const struct packet *p, struct segment_view *v)
{
	uint32_t length;
	packet_payload(p, &length);
	v->flags = packet_tcp_flags(p);
	v->seq = packet_tcp_seq(p);
	v->ack = v->sack = v->raw_ack = packet_tcp_ack(p);
	v->raw_window = packet_tcp_window(p);
	v->window = v->raw_window;
	v->end = v->seq + length + !!(v->flags & TCP_SYN) + !!(v->flags & TCP_FIN);
	v->index = index_of(v->flags);
}

/* Walks the options: window scale and SACK permitted into `side`, the highest block of a
 * SACK into *sack; either may be NULL. */
static void read_options(const struct packet *p, struct ct_tcp_side *side, uint32_t *sack)
{
	const uint8_t *o = p->bytes + p->l4 + HEADER_BYTES, *end = p->bytes + p->payload;
	while (o < end && *o != 0) {
		if (*o == 1) {
			o++;
			continue;
		}
		if (end - o < 2 || o[1] < 2 || o[1] > end - o)
			return;
		if (side && o[0] == 3 && o[1] == 3) {
			side->scale = o[2] > 14 ? 14 : o[2];
			side->flags |= SIDE_SCALE;
		} else if (side && o[0] == 4 && o[1] == 2) {
			side->flags |= SIDE_SACK;
		} else if (sack && o[0] == 5) {
			for (const uint8_t *b = o + 2; b + 8 <= o + o[1]; b += 8)
				if (after(get32(b + 4), *sack))
					*sack = get32(b + 4);
		}
		o += o[1];
	}
}

static void start_side(struct ct_tcp_side *sender, struct ct_tcp_side *receiver,
		       const struct packet *p, const struct segment_view *v)
{
	sender->end = sender->max_end = v->end;
	sender->max_window = v->window ? v->window : 1;
	sender->scale = 0;
	sender->flags = 0;
	read_options(p, sender, NULL);
	if (!(sender->flags & receiver->flags & SIDE_SCALE)) /* both must announce it */
		sender->scale = receiver->scale = 0;
}

bool ct_tcp_sane(const struct packet *p)
{
	switch (packet_tcp_flags(p) & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK | TCP_URG)) {
	case TCP_SYN:
	case TCP_SYN | TCP_URG:
	case TCP_SYN | TCP_ACK:
	case TCP_RST:
	case TCP_RST | TCP_ACK:
	case TCP_FIN | TCP_ACK:
	case TCP_FIN | TCP_ACK | TCP_URG:
	case TCP_ACK:
	case TCP_ACK | TCP_URG:
		return true;
	default:
		return false;
	}
}

bool ct_tcp_new(struct ct_entry *e, const struct packet *p)
{
	struct segment_view v;
	struct ct_tcp *t = &e->tcp;
	view_of(p, &v);
	uint8_t state = state_of_letter(transitions[DIR_ORIGINAL][v.index][CTT_NONE]);
	if (state >= STATE_IGNORE)
		return false;
	if (state == CTT_SYN_SENT) {
		t->side[0].end = t->side[0].max_end = v.end;
		t->side[0].max_window = v.window ? v.window : 1;
		read_options(p, &t->side[0], NULL);
	} else {
		if (!sysctl_value(e->owner->ns, SYSCTL_CT_TCP_LOOSE))
			return false;
		/* A connection under way, its beginning unseen: no strict windows. */
		t->side[0].end = v.end;
		t->side[0].max_window = v.window ? v.window : 1;
		t->side[0].max_end = v.end + t->side[0].max_window;
		t->side[0].flags = t->side[1].flags = SIDE_SACK | SIDE_LIBERAL;
	}
	t->last_index = INDEX_NONE;
	return true;
}

static enum window_answer out_of_window(const struct ct_entry *e, const struct ct_tcp_side *sender,
					enum window_answer answer)
{
	bool liberal = sender->flags & SIDE_LIBERAL ||
		       sysctl_value(e->owner->ns, SYSCTL_CT_TCP_LIBERAL);
	return liberal ? WINDOW_PARDONED : answer;
}

static uint32_t ack_window(const struct ct_tcp_side *side)
{
	return side->max_window > LEAST_ACK_WINDOW ? side->max_window : LEAST_ACK_WINDOW;
}

static enum window_answer check_window(struct ct_entry *e, struct ct_tcp_side *sender,
				       const struct ct_tcp_side *receiver,
				       const struct segment_view *v)
{
	bool in_receive_window = !receiver->max_window ||
				 after(v->end, sender->end - receiver->max_window - 1);
	bool ack_not_old = after(v->sack, receiver->end - ack_window(sender) - 1);
	bool ack_of_sent = before(v->sack, receiver->end + 1);
	if (!before(v->seq, sender->max_end + 1)) {
		uint32_t overshot = v->end - sender->max_end + 1;
		if (in_receive_window && receiver->max_window && ack_not_old && ack_of_sent &&
		    overshot <= receiver->max_window) {
			/* A little more than allowed: its ACK must not look invalid later. */
			sender->end = v->end;
			sender->flags |= SIDE_UNACKED;
			return out_of_window(e, sender, WINDOW_OLD);
		}
		return out_of_window(e, sender, WINDOW_BAD);
	}
	if (!ack_of_sent)
		return out_of_window(e, sender, WINDOW_BAD);
	if (!in_receive_window)
		return out_of_window(e, sender, WINDOW_OLD);
	if (!ack_not_old)
		return out_of_window(e, sender, WINDOW_OLD);
	return WINDOW_FINE;
}

static void note_retransmission(struct ct_tcp *t, const struct segment_view *v, enum ct_dir dir)
{
	if (v->index != INDEX_ACK)
		return;
	if (t->last_dir == dir && t->last_seq == v->seq && t->last_ack == v->ack &&
	    t->last_end == v->end && t->last_window == v->raw_window) {
		if (t->retransmissions < UINT8_MAX)
			t->retransmissions++;
		return;
	}
	t->last_dir = (uint8_t)dir;
	t->last_seq = v->seq;
	t->last_ack = v->ack;
	t->last_end = v->end;
	t->last_window = v->raw_window;
	t->retransmissions = 0;
}

static void update_sides(struct ct_tcp_side *sender, struct ct_tcp_side *receiver,
			 const struct segment_view *v)
{
	uint32_t window = v->window, sent_window;
	if (!(v->flags & TCP_SYN))
		window <<= sender->scale;
	sent_window = window + (v->sack - v->ack);
	if (sender->max_window < sent_window)
		sender->max_window = sent_window;
	if (after(v->end, sender->end)) {
		sender->end = v->end;
		sender->flags |= SIDE_UNACKED;
	}
	if (v->flags & TCP_ACK &&
	    (!(sender->flags & SIDE_MAX_ACK) || after(v->ack, sender->max_ack))) {
		sender->max_ack = v->ack;
		sender->flags |= SIDE_MAX_ACK;
	}
	if (receiver->max_window && after(v->end, sender->max_end))
		receiver->max_window += v->end - sender->max_end;
	if (after(v->sack + window, receiver->max_end - 1))
		receiver->max_end = v->sack + window + (window == 0);
	if (v->ack == receiver->end)
		receiver->flags &= (uint8_t)~SIDE_UNACKED;
}

static enum window_answer in_window(struct ct_entry *e, const struct packet *p,
				    struct segment_view *v, enum ct_dir dir)
{
	struct ct_tcp *t = &e->tcp;
	struct ct_tcp_side *sender = &t->side[dir], *receiver = &t->side[!dir];
	if (receiver->flags & SIDE_SACK)
		read_options(p, NULL, &v->sack);
	if (!sender->max_window) {
		if (v->flags & TCP_SYN) {
			start_side(sender, receiver, p, v);
			if (!(v->flags & TCP_ACK))
				return WINDOW_FINE; /* simultaneous open */
		} else {
			uint32_t window = v->window << sender->scale;
			sender->end = v->end;
			sender->max_window = window ? window : 1;
			sender->max_end = v->end + sender->max_window;
			if (!receiver->max_window)
				receiver->end = receiver->max_end = v->sack;
			else if (v->sack == receiver->end + 1)
				receiver->end++; /* answer to a keep-alive */
		}
	} else if (v->flags & TCP_SYN && after(v->end, sender->end) &&
		   (t->state == CTT_SYN_SENT || t->state == CTT_SYN_RECV)) {
		start_side(sender, receiver, p, v);
		if (dir == DIR_REPLY && !(v->flags & TCP_ACK))
			return WINDOW_FINE;
	}
	bool strange_reset = (v->flags & (TCP_ACK | TCP_RST)) == (TCP_ACK | TCP_RST) && v->ack == 0;
	if (!(v->flags & TCP_ACK) || strange_reset)
		v->ack = v->sack = receiver->end;
	if (v->flags & TCP_RST && v->seq == 0 && t->state == CTT_SYN_SENT)
		v->seq = v->end = sender->end;
	enum window_answer answer = check_window(e, sender, receiver, v);
	if (answer != WINDOW_FINE)
		return answer;
	update_sides(sender, receiver, v);
	note_retransmission(t, v, dir);
	return WINDOW_FINE;
}

static int64_t timeout_of(const struct ct_entry *e, uint8_t state, const struct segment_view *v)
{
	static const enum sysctl_key keys[] = {
		SYSCTL_CT_TCP_SYN_SENT, SYSCTL_CT_TCP_SYN_SENT, SYSCTL_CT_TCP_SYN_RECV,
		SYSCTL_CT_TCP_ESTABLISHED, SYSCTL_CT_TCP_FIN_WAIT, SYSCTL_CT_TCP_CLOSE_WAIT,
		SYSCTL_CT_TCP_LAST_ACK, SYSCTL_CT_TCP_TIME_WAIT, SYSCTL_CT_TCP_CLOSE,
		SYSCTL_CT_TCP_SYN_SENT,
	};
	const struct netns *ns = e->owner->ns;
	const struct ct_tcp *t = &e->tcp;
	int64_t seconds = sysctl_value(ns, keys[state]), limit = seconds;
	if (t->retransmissions >= sysctl_value(ns, SYSCTL_CT_TCP_MAX_RETRANS))
		limit = sysctl_value(ns, SYSCTL_CT_TCP_RETRANS);
	else if (v->index == INDEX_RST) /* also when it does not end the connection */
		return sysctl_value(ns, SYSCTL_CT_TCP_CLOSE);
	else if ((t->side[0].flags | t->side[1].flags) & SIDE_UNACKED)
		limit = sysctl_value(ns, SYSCTL_CT_TCP_UNACK);
	else if (t->last_window == 0)
		limit = sysctl_value(ns, SYSCTL_CT_TCP_RETRANS);
	/* Picked up under way and only one side seen: no days of life. */
	if (!(e->status & CTS_SEEN_REPLY) && state == CTT_ESTABLISHED &&
	    limit > sysctl_value(ns, SYSCTL_CT_TCP_UNACK))
		limit = sysctl_value(ns, SYSCTL_CT_TCP_UNACK);
	return limit < seconds ? limit : seconds;
}

static bool is_established(const struct ct_entry *e)
{
	return e->tcp.state == CTT_ESTABLISHED && e->status & CTS_ASSURED;
}

/* A reset answers a SYN or ACK that was let through though it did not fit (ignored). */
static bool answers_ignored(const struct ct_entry *e, const struct segment_view *v)
{
	const struct ct_tcp *t = &e->tcp;
	return ((e->status & CTS_SEEN_REPLY && t->last_index == INDEX_SYN) ||
		(!(e->status & CTS_ASSURED) && t->last_index == INDEX_ACK)) &&
	       v->raw_ack == t->last_end;
}

enum reset_answer { RESET_CLOSES, RESET_CHECK, RESET_KEEPS, RESET_BAD };

/* What a reset does (RFC 5961): only one with the exact number ends an established
 * connection; another one may make the receiver ask back, so the state stays. */
static enum reset_answer judge_reset(const struct ct_entry *e, const struct segment_view *v,
				     enum ct_dir dir)
{
	const struct ct_tcp *t = &e->tcp;
	const struct ct_tcp_side *other = &t->side[!dir];
	if (t->state >= CTT_FIN_WAIT && t->state <= CTT_CLOSE)
		return RESET_CLOSES; /* the ports may be in use again already */
	if (other->flags & SIDE_MAX_ACK && t->last_index != INDEX_SYN) {
		if (v->seq == 0 && !is_established(e))
			return RESET_CHECK;
		if (before(v->seq, other->max_ack) &&
		    !sysctl_value(e->owner->ns, SYSCTL_CT_TCP_IGNORE_INVALID_RST))
			return RESET_BAD;
		if (!is_established(e) || v->seq == other->max_ack)
			return RESET_CHECK;
		if (t->last_index == INDEX_ACK && t->last_dir == dir && v->seq == t->last_end)
			return RESET_CHECK; /* at the end of a train of segments */
		return RESET_KEEPS;
	}
	return answers_ignored(e, v) ? RESET_CLOSES : RESET_CHECK;
}

static void advance(struct ct_entry *e, uint8_t state, const struct segment_view *v,
		    enum ct_dir dir)
{
	struct ct_tcp *t = &e->tcp;
	uint8_t old = t->state;
	t->last_index = (uint8_t)v->index;
	t->last_dir = (uint8_t)dir;
	t->state = state;
	if (old != state) {
		e->changed = true;
		if (state == CTT_FIN_WAIT)
			t->side[dir].flags |= SIDE_CLOSE_INIT;
	}
	if (!(e->status & CTS_SEEN_REPLY) && v->index == INDEX_RST) {
		ct_kill(e); /* nothing but a reset came back: there is no connection */
		return;
	}
	ct_refresh(e, timeout_of(e, state, v));
	if (e->status & CTS_SEEN_REPLY && !(e->status & CTS_ASSURED) &&
	    (old == CTT_SYN_RECV || old == CTT_ESTABLISHED) && state == CTT_ESTABLISHED) {
		e->status |= CTS_ASSURED;
		e->changed = true;
	}
}

/* A packet that fits no state but may tell how things really are: a SYN, or the SYN/ACK
 * for one that was ignored. True: the SYN/ACK brought both sides back in step. */
static bool ignore(struct ct_entry *e, const struct packet *p, const struct segment_view *v,
		   enum ct_dir dir)
{
	struct ct_tcp *t = &e->tcp;
	if (v->index == INDEX_SYNACK && t->last_index == INDEX_SYN && t->last_dir != dir &&
	    v->ack == t->last_end) {
		struct ct_tcp_side *other = &t->side[t->last_dir];
		t->state = CTT_SYN_SENT;
		other->end = other->max_end = t->last_end;
		other->max_window = t->last_window ? t->last_window : 1;
		other->scale = t->ignored.scale;
		other->flags = t->ignored.flags;
		memset(&t->side[dir], 0, sizeof t->side[dir]);
		return true;
	}
	t->last_index = (uint8_t)v->index;
	t->last_dir = (uint8_t)dir;
	t->last_seq = v->seq;
	t->last_end = v->end;
	t->last_window = v->raw_window;
	if (v->index == INDEX_SYN && dir == DIR_ORIGINAL) {
		memset(&t->ignored, 0, sizeof t->ignored);
		read_options(p, &t->ignored, NULL);
	}
	return false;
}

/* A FIN or reset outside the window, answered by another one: both ends are out of step
 * with this entry, and it must not stay for days. */
static void shorten(struct ct_entry *e, const struct segment_view *v, enum ct_dir dir)
{
	struct ct_tcp *t = &e->tcp;
	int64_t limit_s = sysctl_value(e->owner->ns, SYSCTL_CT_TCP_UNACK);
	if (!(e->status & CTS_ASSURED) || (v->index != INDEX_RST && v->index != INDEX_FIN))
		return;
	if (t->last_dir == dir || (t->last_index != INDEX_FIN && t->last_index != INDEX_RST)) {
		t->last_index = (uint8_t)v->index;
		t->last_dir = (uint8_t)dir;
	} else if (e->expires_ns - ct_now(e->owner) > limit_s * NS_PER_S) {
		ct_refresh(e, limit_s);
	}
}

enum ct_answer ct_tcp_packet(struct ct_entry *e, const struct packet *p, enum ct_dir dir)
{
	struct segment_view v;
	struct ct_tcp *t = &e->tcp;
	view_of(p, &v);
	uint8_t state = state_of_letter(transitions[dir][v.index][t->state]);
	bool closing = (t->side[0].flags | t->side[1].flags) & SIDE_CLOSE_INIT ||
		       (t->last_dir == dir && t->last_index == INDEX_RST);
	if (state == CTT_SYN_SENT && t->state >= CTT_TIME_WAIT && closing) {
		ct_kill(e); /* the same ports again: a new connection */
		return CT_AGAIN;
	}
	if (state == STATE_INVALID)
		return CT_BAD;
	if (state == STATE_IGNORE || (state == CTT_SYN_SENT && t->state >= CTT_TIME_WAIT)) {
		if (!ignore(e, p, &v, dir))
			return CT_FINE;
		state = CTT_SYN_RECV;
	}
	/* The table does not know simultaneous open. */
	t->simultaneous = t->simultaneous || state == CTT_SYN_SENT2;
	if (state == CTT_SYN_RECV && dir == DIR_REPLY && v.index == INDEX_ACK && t->simultaneous)
		state = CTT_ESTABLISHED;
	if (v.index == INDEX_RST) {
		switch (judge_reset(e, &v, dir)) {
		case RESET_BAD:
			return CT_BAD;
		case RESET_CLOSES:
			advance(e, state, &v, dir);
			return CT_FINE;
		case RESET_KEEPS:
			state = t->state;
			break;
		case RESET_CHECK:
			break;
		}
	}
	switch (in_window(e, p, &v, dir)) {
	case WINDOW_OLD:
		return CT_FINE;
	case WINDOW_BAD:
		shorten(e, &v, dir);
		return CT_BAD;
	case WINDOW_PARDONED: /* teaches nothing about windows, but moves the state */
	case WINDOW_FINE:
		break;
	}
	advance(e, state, &v, dir);
	return CT_FINE;
}
