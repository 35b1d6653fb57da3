/* net/tcp_internal.h: one connection, between tcp.c, tcp_input.c and tcp_output.c. */
#ifndef NET_TCP_INTERNAL_H
#define NET_TCP_INTERNAL_H

#include "net/packet.h"
#include "net/tcp.h"

#define TCP_WINDOW 64240u        /* what Linux announces first at an MSS of 1460 */
#define TCP_RTO_FIRST INT64_C(1000000000)
#define TCP_RTO_MIN INT64_C(200000000)
#define TCP_RTO_MAX INT64_C(120000000000)
#define TCP_FIN_TIMEOUT INT64_C(60000000000)
#define TCP_NEVER INT64_MAX

struct tcp_early { /* bytes that arrived before their turn; in order of seq, not overlapping */
	struct tcp_early *next;
	uint32_t seq, length;
	uint8_t bytes[];
};

struct tcp {
	struct tcp_config config;
	tcp_output_fn *fn;
	void *ctx;
	enum tcp_state state;
	bool started, passive;
	bool orphan;      /* the application closed it */
	bool told_closed; /* CLOSED or ERROR was told */
	int soft_error;   /* from ICMP; told instead of ETIMEDOUT */

	uint32_t snd_una, snd_nxt, snd_window, snd_wl1, snd_wl2;
	uint16_t peer_mss;
	struct strbuf unacked; /* bytes from data_seq on: sent and not acknowledged, or unsent */
	uint32_t data_seq;
	bool fin_queued, fin_acked;
	uint32_t fin_seq; /* valid once fin_queued */

	uint32_t rcv_nxt;
	struct tcp_early *early;
	uint32_t early_count;
	bool peer_fin;
	uint32_t peer_fin_seq;

	int64_t rto, srtt, rttvar; /* srtt 0: nothing measured */
	bool timing;               /* a sample is under way: sent at, acknowledged by */
	int64_t timing_since;
	uint32_t timing_seq;
	uint32_t retransmits, duplicate_acks;
	int64_t first_retransmit;
	bool recovering; /* resend one segment an ACK until `recover` */
	uint32_t recover;

	int64_t connected_at;  /* when tcp_connect was called */
	int64_t retransmit_at; /* timers; TCP_NEVER: off */
	int64_t wait_at;       /* TIME_WAIT, or FIN_WAIT_2 of an orphan */
	int64_t give_up_at;    /* connect timeout */
};

static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* tcp.c */
void tcp_emit(struct tcp *t, const struct tcp_output *output);
void tcp_tell(struct tcp *t, enum tcp_output_kind kind, int error);
/* The end: state CLOSED, timers off, CLOSED (error 0) or ERROR told. */
void tcp_end(struct tcp *t, int error);
void tcp_enter_time_wait(struct tcp *t, int64_t now);

/* tcp_output.c */
void tcp_send_segment(struct tcp *t, uint8_t flags, uint32_t seq, const uint8_t *bytes,
		      uint32_t length);
void tcp_send_ack(struct tcp *t);
/* SYN or SYN/ACK. */
void tcp_send_syn(struct tcp *t);
void tcp_send_reset(struct tcp *t, uint32_t seq);
/* Sends what the window allows, then the FIN when it is due. */
void tcp_push(struct tcp *t, int64_t now);
/* The first unacknowledged segment again. */
void tcp_resend(struct tcp *t);
void tcp_retransmit_timer(struct tcp *t, int64_t now);
/* Restarts the timer when something is in flight, else stops it. */
void tcp_rearm(struct tcp *t, int64_t now);
/* Takes a round trip time into the RTO. */
void tcp_measure(struct tcp *t, int64_t rtt);
/* The RTO without back-off. */
void tcp_restore_rto(struct tcp *t);

#endif
