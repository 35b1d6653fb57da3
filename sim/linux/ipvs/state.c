/* linux/ipvs/state.c: the states of connections and how long each lasts.
 *
 * Transitions and timeouts: ip_vs_proto_tcp.c, ip_vs_proto_udp.c, ip_vs_proto_sctp.c. A
 * connection begins inactive; TCP and SCTP make it active, UDP never does. `ipvsadm --set`
 * changes TCP's timeouts and UDP's, not SCTP's.
 */
#include <string.h>

#include "linux/ipvs/internal.h"

enum { EVENT_SYN, EVENT_FIN, EVENT_ACK, EVENT_RST, EVENTS };

#define NO IPVS_NONE
#define ES IPVS_ESTABLISHED
#define SS IPVS_SYN_SENT
#define SR IPVS_SYN_RECV
#define FW IPVS_FIN_WAIT
#define TW IPVS_TIME_WAIT
#define CL IPVS_CLOSE
#define CW IPVS_CLOSE_WAIT
#define LA IPVS_LAST_ACK
#define LI IPVS_LISTEN
#define SA IPVS_SYNACK

static const uint8_t tcp_next[2][EVENTS][IPVS_STATES] = {
	{ /* from the client:  NO ES  SS  SR  FW  TW  CL  CW  LA  LI  SA */
	  [EVENT_SYN] = { SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR },
	  [EVENT_FIN] = { CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, TW },
	  [EVENT_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES },
	  [EVENT_RST] = { CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, SR } },
	{ /* from the server */
	  [EVENT_SYN] = { SS, ES, SS, SR, SS, SS, SS, SS, SS, LI, SR },
	  [EVENT_FIN] = { TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW },
	  [EVENT_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES },
	  [EVENT_RST] = { CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL } } };

static const uint16_t tcp_seconds[IPVS_STATES] = {
	[NO] = 2, [ES] = 900, [SS] = 120, [SR] = 60, [FW] = 120, [TW] = 120, [CL] = 10, [CW] = 60,
	[LA] = 30, [LI] = 120, [SA] = 120 };

static bool tcp_active(uint8_t state)
{
	return state == ES || state == SS || state == SR || state == SA;
}

static void count_active(struct ipvs_conn *c, bool active)
{
	if (!c->dest || active == !c->inactive)
		return;
	c->inactive = !active;
	c->dest->active += active ? 1u : -1u;
	c->dest->inactive += active ? -1u : 1u;
}

static void tcp_state(struct ipvs_conn *c, const struct packet *p, bool in)
{
	uint8_t flags = packet_tcp_flags(p);
	int event = flags & TCP_RST ? EVENT_RST : flags & TCP_SYN ? EVENT_SYN
		    : flags & TCP_FIN ? EVENT_FIN : flags & TCP_ACK ? EVENT_ACK : EVENTS;
	uint8_t next = event == EVENTS ? (uint8_t)CL : tcp_next[!in][event][c->state];
	if (next != c->state)
		count_active(c, tcp_active(next));
	c->state = next;
	int64_t seconds = tcp_seconds[next];
	if (next == ES)
		seconds = c->owner->tcp_s;
	else if (next == FW)
		seconds = c->owner->fin_s;
	c->timeout_ns = seconds * NS_PER_S;
}

#undef NO
#undef ES
#undef SS
#undef SR
#undef FW
#undef TW
#undef CL
#undef CW
#undef LA
#undef LI
#undef SA

/* ---- SCTP ---- */

#define SCTP_COMMON_HEADER 12u
#define SCTP_LONGEST_S 61 /* the highest retransmission timeout, and one */

/* States by letter: none, INIT1, INIT, cookie Sent and Replied by the server's client,
 * cookie wait, cookie (o) and echoed (e) of a connection that the server opens, Established,
 * shutdown sent, received and acknowledged, reJected, closed. */
static const char sctp_letters[] = "n1iSRwoeEsraJc";
enum { SCTP_NONE, SCTP_INIT1, SCTP_ESTABLISHED = 8, SCTP_REJECTED = 12, SCTP_CLOSED, SCTP_STATES };

/* Rows: data, INIT, INIT ACK, COOKIE ECHO, COOKIE ACK, SHUTDOWN, SHUTDOWN ACK, SHUTDOWN
 * COMPLETE, ERROR, ABORT. Columns: the state before. */
static const char *const sctp_next[2][10] = {
	{ /* from the client */
	  "E1iSRwoeEsraJc", "1iiSRwoeEsraii", "wwwSRooeEsraJc", "RiiRRwoeEsraJc", "E1iSRwoEEsraJc",
	  "r1iSRwoersraJc", "ciiSRwoeEcrcJc", "cccSRwoeEsrcJc", "c1iSRwocEsraJc", "cccccJcccccccc" },
	{ /* from the server */
	  "E1iSRwoeEsraJc", "wwwwwwwwEwwwww", "SSSSRwoeEsraJc", "eeeeeeeeEsraJc", "EEEEEEEEEsraJc",
	  "ssssssssssraJc", "aaaaawoeEaaaJc", "c1iSRwoeEsraJc", "cccccwoeEsraJc", "cJcccccccccccc" } };

static int sctp_chunk(const struct packet *p)
{
	uint32_t at = p->l4 + SCTP_COMMON_HEADER;
	return p->l4 && at < p->length ? p->bytes[at] : -1;
}

static void sctp_state(struct ipvs_conn *c, const struct packet *p, bool in)
{
	static const uint8_t rows[] = { 0, 1, 2, 0, 0, 0, 9, 5, 6, 8, 3, 4, 0, 0, 7 };
	int chunk = sctp_chunk(p);
	if (chunk < 0)
		return;
	int row = chunk < (int)sizeof rows ? rows[chunk] : 0;
	uint8_t next = (uint8_t)(strchr(sctp_letters, sctp_next[!in][row][c->state]) - sctp_letters);
	if (next != c->state)
		count_active(c, next == SCTP_ESTABLISHED);
	c->state = next;
	c->timeout_ns = (next == SCTP_ESTABLISHED ? 900 : next == SCTP_NONE ? 2
			 : next == SCTP_INIT1 || next == SCTP_REJECTED ? 4 : SCTP_LONGEST_S) * NS_PER_S;
}

/* ---- all ---- */

bool conn_opens(const struct packet *p)
{
	if (p->proto == PROTO_TCP)
		return (packet_tcp_flags(p) & (TCP_SYN | TCP_RST)) == TCP_SYN;
	return p->proto != PROTO_SCTP || sctp_chunk(p) == 1;
}

bool conn_seems_over(const struct ipvs_conn *c)
{
	if (c->in.proto == PROTO_SCTP)
		return c->state == SCTP_CLOSED;
	return c->in.proto == PROTO_TCP && (c->state == IPVS_TIME_WAIT || c->state == IPVS_CLOSE);
}

/* A template counts as used in earnest once a connection of its own was: ip_vs_control_assure_ct. */
static void assure_template(struct ipvs_conn *c, bool in)
{
	bool real = c->in.proto == PROTO_UDP ? !in
		    : c->state == (c->in.proto == PROTO_SCTP ? SCTP_ESTABLISHED : IPVS_ESTABLISHED);
	if (c->template && real)
		c->template->state = 1;
}

void conn_state(struct ipvs_conn *c, const struct packet *p, bool in)
{
	if (c->in.proto == PROTO_TCP) {
		tcp_state(c, p, in);
	} else if (c->in.proto == PROTO_SCTP) {
		sctp_state(c, p, in);
	} else {
		c->state = IPVS_ESTABLISHED; /* UDP's one state */
		c->timeout_ns = c->owner->udp_s * NS_PER_S;
	}
	assure_template(c, in);
}

const char *conn_state_name(const struct ipvs_conn *c)
{
	static const char *const tcp[IPVS_STATES] = {
		"NONE", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT", "TIME_WAIT", "CLOSE",
		"CLOSE_WAIT", "LAST_ACK", "LISTEN", "SYNACK" };
	static const char *const sctp[SCTP_STATES] = {
		"NONE", "INIT1", "INIT", "C-SENT", "C-REPLIED", "C-WAIT", "COOKIE", "C-ECHOED",
		"ESTABLISHED", "S-SENT", "S-RECEIVED", "S-ACK-SENT", "REJECTED", "CLOSED" };
	if (c->in.is_template)
		return c->state ? "ASSURED" : "NONE";
	if (c->in.proto == PROTO_UDP)
		return "UDP";
	return c->in.proto == PROTO_SCTP ? sctp[c->state] : tcp[c->state];
}
