/* net/tcp.h: TCP as a pure state machine.
 *
 * Nothing here knows packets, sockets, queues or clocks. The owner feeds inputs
 * (segment arrived, application call, timer fired) with the time of the virtual
 * clock and carries out the outputs that come back: segments to send, events
 * for the application, the deadline of the one timer. The same inputs always
 * give the same outputs.
 *
 * Covered as Linux does it: three-way handshake, data with cumulative ACK, FIN
 * both ways, RST, simultaneous close, TIME_WAIT 60 s, SYN retransmission after
 * 1, 2, 4, 8, 16, 32 s and ETIMEDOUT at 127 s (tcp_syn_retries 6; since Linux
 * 6.5 the first four are linear by tcp_syn_linear_timeouts=4: an option), SYN/ACK
 * retransmission (5), data RTO from 200 ms (measured RTT) doubling up to 120 s
 * with tcp_retries2 15, delayed ACK off. Sequence numbers are modulo 2^32.
 *
 * Left out on purpose: window scaling, SACK and time stamps (whoever crafts the
 * segments may announce them), congestion control and Nagle: a sender is bound by
 * the peer's window alone.
 *
 * CLOSED is told when both sides are down, which for the active closer is the entry
 * into TIME_WAIT; the owner keeps the connection, and its timer, until tcp_state_of
 * says TCPS_CLOSED. After ERROR that is so at once. A passive open that fails
 * (RST, or nobody answers the SYN/ACK) tells only CLOSED, without CONNECTED: on
 * Linux no application ever hears of it.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/strbuf.h"

enum tcp_state {
	TCPS_CLOSED, TCPS_LISTEN, TCPS_SYN_SENT, TCPS_SYN_RECEIVED, TCPS_ESTABLISHED,
	TCPS_FIN_WAIT_1, TCPS_FIN_WAIT_2, TCPS_CLOSE_WAIT, TCPS_CLOSING, TCPS_LAST_ACK,
	TCPS_TIME_WAIT
};

struct tcp_segment { /* what goes out or came in */
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;
	uint16_t mss;       /* option on SYN, 0 none */
	const uint8_t *bytes;
	uint32_t length;
};

struct tcp_config {
	uint32_t isn;
	uint16_t mss;              /* announced and used: 1460 / 1440 */
	uint8_t syn_retries;       /* 6 */
	uint8_t synack_retries;    /* 5 */
	uint8_t syn_linear;        /* 0; Linux 6.5 and later 4 */
	uint8_t data_retries;      /* 15 */
	int64_t time_wait_ns;      /* 60 s */
	bool once;                 /* never retransmit (tracing): ETIMEDOUT at the first RTO */
	/* An ICMP error in the very instant of tcp_connect, on a path without delay, finds
	 * the socket locked by its caller; Linux then only remembers it (tcp_v4_err,
	 * tcp_v6_err). True: so be it, the error shows at the first retransmission, after
	 * 1 s. That is what a blocking connect() sees, and over IPv6 a polling one, too.
	 * False: a polling program over IPv4, which finds the error queue filled at once.
	 * (All four cases seen on 6.18.) */
	bool connect_locked;
	int64_t connect_timeout_ns; /* 0 none: give up then with ETIMEDOUT */
};

enum tcp_output_kind {
	TCPO_SEND,      /* segment */
	TCPO_CONNECTED, /* to the application */
	TCPO_DATA,      /* bytes in order */
	TCPO_EOF,
	TCPO_CLOSED,
	TCPO_ERROR      /* errno */
};

struct tcp_output {
	enum tcp_output_kind kind;
	struct tcp_segment segment; /* SEND, and DATA's bytes */
	int error;
};

struct tcp; /* one connection */

/* Called for each output in order, before the input function returns. The
 * callback must not call into the same connection. */
typedef void tcp_output_fn(void *ctx, const struct tcp_output *output);

struct tcp *tcp_new(const struct tcp_config *config, tcp_output_fn *fn, void *ctx);
void tcp_free(struct tcp *t);
enum tcp_state tcp_state_of(const struct tcp *t);
const char *tcp_state_name(enum tcp_state s); /* as `ss` prints: ESTAB, TIME-WAIT, ... */

void tcp_connect(struct tcp *t, int64_t now_ns);
/* Passive side: the SYN that arrived at a listener. */
void tcp_accept(struct tcp *t, const struct tcp_segment *syn, int64_t now_ns);
void tcp_receive(struct tcp *t, const struct tcp_segment *segment, int64_t now_ns);
/* 0, or EPIPE after shutdown, ENOTCONN before the handshake. */
int tcp_send(struct tcp *t, const void *bytes, uint32_t length, int64_t now_ns);
/* Half-close: FIN after what was sent. */
void tcp_shutdown(struct tcp *t, int64_t now_ns);
/* close(): FIN when needed, and nobody is left to hear: only SEND comes out from now
 * on, data from the peer is answered by RST, FIN_WAIT_2 ends after 60 s
 * (tcp_fin_timeout). */
void tcp_close(struct tcp *t, int64_t now_ns);
/* RST when the peer knows of the connection; then it is closed, nothing is told. */
void tcp_abort(struct tcp *t, int64_t now_ns);
/* An ICMP error that quotes this connection, as errno. In SYN_SENT it ends the
 * connection (see connect_locked); a SYN_RECEIVED one ends when nobody can be reached;
 * in other states it is remembered, and told instead of ETIMEDOUT. */
void tcp_icmp_error(struct tcp *t, int error, int64_t now_ns);
/* Absolute time of the next timer, INT64_MAX none. Ask after every input. */
int64_t tcp_deadline(const struct tcp *t);
void tcp_timer(struct tcp *t, int64_t now_ns);

/* Whether a segment for a connection in TIME_WAIT is a SYN that opens a new one at
 * the listener (its number is beyond the old ones): the owner drops the old one. */
bool tcp_time_wait_yields(const struct tcp *t, const struct tcp_segment *segment);
/* The first number of a connection that takes the place of one in TIME_WAIT: beyond every
 * number that the old one may still have on the way (tcp_timewait_state_process,
 * tcp_twsk_unique). Never 0. */
uint32_t tcp_time_wait_isn(const struct tcp *t);
/* The answer that a host gives to a segment for no connection: RST as RFC 9293
 * says; false when none is due (the segment was an RST). */
bool tcp_reset_for(const struct tcp_segment *segment, struct tcp_segment *rst);

#endif
