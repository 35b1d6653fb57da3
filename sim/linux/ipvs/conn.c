/* linux/ipvs/conn.c: the connection table: states, timeouts, templates.
 *
 * Transitions and timeouts: ip_vs_proto_tcp.c, ip_vs_proto_udp.c, ip_vs_proto_sctp.c. A
 * deadline is a timer of the kernel's wheel: far ones fire late, up to an eighth of their
 * distance (10,800 s were gone after 11,832 s; HZ is 250).
 */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/ipvs/internal.h"

#define JIFFY_NS (NS_PER_S / 250)
#define WHEEL_LEVELS 9
#define TEMPLATE_AGAIN_NS (60 * NS_PER_S)

static int64_t wheel(int64_t now_ns, int64_t after_ns)
{
	int64_t expires = (now_ns + after_ns + JIFFY_NS - 1) / JIFFY_NS;
	int64_t delta = after_ns / JIFFY_NS;
	int shift = 0;
	for (int level = 1; level < WHEEL_LEVELS && delta >= INT64_C(63) << (3 * (level - 1)); level++)
		shift = 3 * level;
	return (((expires >> shift) + 1) << shift) * JIFFY_NS;
}

static struct conn_key reply_key(const struct ipvs_conn *c)
{
	struct conn_key k;
	memset(&k, 0, sizeof k);
	k.from = c->daddr;
	k.from_port = c->dport;
	k.to = c->in.from;
	k.to_port = c->in.from_port;
	k.proto = c->in.proto;
	return k;
}

void conn_free(struct ipvs_conn *c)
{
	struct conn_key out = reply_key(c);
	struct ipvs_conn **in_out = c->in.is_template ? NULL : table_find(&c->owner->conns_out, &out);
	table_remove(&c->owner->conns_in, &c->in);
	if (in_out && *in_out == c)
		table_remove(&c->owner->conns_out, &out);
	if (c->template)
		c->template->controlled--;
	if (c->dest) {
		if (c->in.is_template)
			c->dest->persistent--;
		else if (c->inactive)
			c->dest->inactive--;
		else
			c->dest->active--;
		if (c->dest->upper && c->dest->active + c->dest->inactive <
					      (c->dest->lower ? c->dest->lower : c->dest->upper * 3 / 4))
			c->dest->overload = false;
		ipvs_dest_drop(c->owner, c->dest);
	}
	free(c);
}

bool conn_alive(struct ipvs_conn *c)
{
	int64_t now = ipvs_now(c->owner);
	while (c->expires_ns <= now) {
		if (!c->controlled)
			return false;
		/* Its connections may be over as well without anybody having looked. */
		void *value;
		for (uint32_t i = 0; c->controlled && table_next(&c->owner->conns_in, &i, NULL, &value);) {
			struct ipvs_conn *held = *(struct ipvs_conn **)value;
			if (held->template == c && held->expires_ns <= c->expires_ns)
				conn_free(held);
		}
		if (!c->controlled)
			return false;
		c->expires_ns = wheel(c->expires_ns, TEMPLATE_AGAIN_NS);
	}
	return true;
}

static struct ipvs_conn *find(struct table *t, const struct conn_key *key)
{
	struct ipvs_conn **found = table_find(t, key);
	if (!found)
		return NULL;
	if (conn_alive(*found))
		return *found;
	conn_free(*found);
	return NULL;
}

struct ipvs_conn *conn_find_in(struct ipvs *v, const struct conn_key *key)
{
	return find(&v->conns_in, key);
}

struct ipvs_conn *conn_find_out(struct ipvs *v, const struct conn_key *key)
{
	return find(&v->conns_out, key);
}

/* Entries that nobody asks for again are freed now and then. */
static void sweep(struct ipvs *v)
{
	void *value;
	int64_t now = ipvs_now(v);
	for (uint32_t i = 0; table_next(&v->conns_in, &i, NULL, &value);) {
		struct ipvs_conn *c = *(struct ipvs_conn **)value;
		if (c->expires_ns <= now && !c->controlled)
			conn_free(c);
	}
}

struct ipvs_conn *conn_new(struct ipvs *v, const struct conn_key *in, struct ipvs_dest *dest,
			   uint16_t dport)
{
	if (v->conns_in.count >= 1024 && (v->conns_in.count & (v->conns_in.count - 1)) == 0)
		sweep(v);
	struct ipvs_conn *c = mem_alloc(sizeof *c);
	c->owner = v;
	c->in = *in;
	c->daddr = dest->at.addr;
	c->dport = dport;
	c->dest = dest;
	c->timeout_ns = 2 * NS_PER_S;
	dest->references++;
	if (in->is_template)
		dest->persistent++;
	else
		dest->active++;
	if (dest->upper && dest->active + dest->inactive >= dest->upper)
		dest->overload = true;
	*(struct ipvs_conn **)table_put(&v->conns_in, &c->in, NULL) = c;
	struct conn_key out = reply_key(c);
	if (!in->is_template)
		*(struct ipvs_conn **)table_put(&v->conns_out, &out, NULL) = c;
	conn_touch(c);
	return c;
}

void conn_touch(struct ipvs_conn *c)
{
	c->expires_ns = wheel(ipvs_now(c->owner), c->timeout_ns);
}

/* ---- states ---- */

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

void conn_state(struct ipvs_conn *c, const struct packet *p, bool in)
{
	if (c->in.proto == PROTO_TCP) {
		tcp_state(c, p, in);
	} else {
		c->state = IPVS_ESTABLISHED; /* UDP's one state; SCTP's is kept as simple */
		c->timeout_ns = (c->in.proto == PROTO_UDP ? c->owner->udp_s : c->owner->tcp_s) * NS_PER_S;
	}
}

const char *conn_state_name(const struct ipvs_conn *c)
{
	static const char *const names[IPVS_STATES] = {
		"NONE", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT", "TIME_WAIT", "CLOSE",
		"CLOSE_WAIT", "LAST_ACK", "LISTEN", "SYNACK" };
	if (c->in.is_template)
		return c->state ? "ASSURED" : "NONE";
	return c->in.proto == PROTO_UDP ? "UDP" : names[c->state];
}
