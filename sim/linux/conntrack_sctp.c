/* linux/conntrack_sctp.c: what conntrack knows of an SCTP association.
 *
 * The first chunk of a packet decides; verification tags are not compared.
 */
#include "linux/conntrack_internal.h"

#define COMMON_HEADER_BYTES 12u

enum chunk {
	CHUNK_DATA = 0, CHUNK_INIT = 1, CHUNK_INIT_ACK = 2, CHUNK_HEARTBEAT = 4,
	CHUNK_HEARTBEAT_ACK = 5, CHUNK_ABORT = 6, CHUNK_SHUTDOWN = 7, CHUNK_SHUTDOWN_ACK = 8,
	CHUNK_COOKIE_ECHO = 10, CHUNK_COOKIE_ACK = 11, CHUNK_SHUTDOWN_COMPLETE = 14, CHUNK_NONE = 255
};

static uint8_t first_chunk(const struct packet *p)
{
	uint32_t at = p->l4 + COMMON_HEADER_BYTES;
	return p->l4 && at < p->length ? p->bytes[at] : CHUNK_NONE;
}

static uint8_t next_state(uint8_t state, uint8_t chunk, enum ct_dir dir)
{
	switch (chunk) {
	case CHUNK_INIT:
		return state <= CTC_CLOSED || state == CTC_HEARTBEAT_SENT ? CTC_COOKIE_WAIT : state;
	case CHUNK_ABORT:
		return CTC_CLOSED;
	case CHUNK_SHUTDOWN:
		if (state != CTC_ESTABLISHED)
			return state;
		return dir == DIR_ORIGINAL ? CTC_SHUTDOWN_SENT : CTC_SHUTDOWN_RECD;
	case CHUNK_SHUTDOWN_ACK:
		return state == CTC_SHUTDOWN_SENT || state == CTC_SHUTDOWN_RECD
			       ? CTC_SHUTDOWN_ACK_SENT : state;
	case CHUNK_COOKIE_ECHO:
		return state == CTC_COOKIE_WAIT && dir == DIR_ORIGINAL ? CTC_COOKIE_ECHOED : state;
	case CHUNK_COOKIE_ACK:
		return state == CTC_COOKIE_ECHOED && dir == DIR_REPLY ? CTC_ESTABLISHED : state;
	case CHUNK_SHUTDOWN_COMPLETE:
		return state == CTC_SHUTDOWN_ACK_SENT ? CTC_CLOSED : state;
	case CHUNK_HEARTBEAT:
		return state == CTC_NONE ? CTC_HEARTBEAT_SENT : state;
	case CHUNK_HEARTBEAT_ACK:
		return state == CTC_HEARTBEAT_SENT && dir == DIR_REPLY ? CTC_ESTABLISHED : state;
	default:
		return state;
	}
}

bool ct_sctp_new(struct ct_entry *e, const struct packet *p)
{
	uint8_t chunk = first_chunk(p);
	e->sctp_state = CTC_NONE;
	return chunk == CHUNK_INIT || chunk == CHUNK_HEARTBEAT;
}

enum ct_answer ct_sctp_packet(struct ct_entry *e, const struct packet *p, enum ct_dir dir)
{
	static const enum sysctl_key keys[] = {
		SYSCTL_CT_SCTP_CLOSED, SYSCTL_CT_SCTP_CLOSED, SYSCTL_CT_SCTP_COOKIE_WAIT,
		SYSCTL_CT_SCTP_COOKIE_ECHOED, SYSCTL_CT_SCTP_ESTABLISHED,
		SYSCTL_CT_SCTP_SHUTDOWN_SENT, SYSCTL_CT_SCTP_SHUTDOWN_RECD,
		SYSCTL_CT_SCTP_SHUTDOWN_ACK_SENT, SYSCTL_CT_SCTP_HEARTBEAT_SENT,
	};
	uint8_t chunk = first_chunk(p), state = next_state(e->sctp_state, chunk, dir);
	if (chunk == CHUNK_NONE)
		return CT_BAD;
	if (state != e->sctp_state)
		e->changed = true;
	if (state == CTC_ESTABLISHED && e->sctp_state == CTC_COOKIE_ECHOED && dir == DIR_REPLY)
		e->status |= CTS_ASSURED;
	e->sctp_state = state;
	ct_refresh(e, sysctl_value(e->owner->ns, keys[state]));
	return CT_FINE;
}
