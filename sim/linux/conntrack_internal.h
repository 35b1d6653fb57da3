/* linux/conntrack_internal.h: what conntrack*.c and nat*.c share. */
#ifndef LINUX_CONNTRACK_INTERNAL_H
#define LINUX_CONNTRACK_INTERNAL_H

#include "core/table.h"
#include "linux/conntrack.h"
#include "linux/internal.h"

enum ct_dir { DIR_ORIGINAL, DIR_REPLY };

enum ct_status {
	CTS_SEEN_REPLY = 1, CTS_ASSURED = 2, CTS_CONFIRMED = 4, CTS_SRC_NAT = 8, CTS_DST_NAT = 16,
	CTS_SRC_NAT_DONE = 32, CTS_DST_NAT_DONE = 64, CTS_DYING = 128, CTS_NAT_CLASH = 256,
	CTS_TEMPLATE = 512
};

enum ct_tcp_state { /* names: conntrack_print.c */
	CTT_NONE, CTT_SYN_SENT, CTT_SYN_RECV, CTT_ESTABLISHED, CTT_FIN_WAIT, CTT_CLOSE_WAIT,
	CTT_LAST_ACK, CTT_TIME_WAIT, CTT_CLOSE, CTT_SYN_SENT2
};

struct ct_tcp_side { /* what one end has sent: Guido van Rooij's window model */
	uint32_t end, max_end, max_window, max_ack;
	uint8_t flags, scale;
};

struct ct_tcp {
	uint8_t state, last_dir, last_index, retransmissions;
	bool simultaneous; /* both ends sent a SYN */
	uint16_t last_window;
	uint32_t last_seq, last_ack, last_end;
	struct ct_tcp_side side[2];
	struct ct_tcp_side ignored; /* options of a SYN that was let through though it did not fit */
};

enum ct_sctp_state {
	CTC_NONE, CTC_CLOSED, CTC_COOKIE_WAIT, CTC_COOKIE_ECHOED, CTC_ESTABLISHED,
	CTC_SHUTDOWN_SENT, CTC_SHUTDOWN_RECD, CTC_SHUTDOWN_ACK_SENT, CTC_HEARTBEAT_SENT
};

struct ct_entry {
	struct flow_key tuple[2];
	uint16_t zone;
	uint32_t status, mark;
	int64_t expires_ns;
	struct conntrack *owner;
	uint32_t holds;                /* packets between two events that point here */
	bool changed;                  /* an UPDATE event is due */
	const struct packet *packet;   /* unconfirmed: the packet that made it */
	struct ct_entry *next, **back; /* list of those outside the table */
	uint64_t loose_since;          /* engine_count then */
	struct ct_entry *newer, *older; /* of the same source: nat_source.c */
	union {
		struct ct_tcp tcp;
		int64_t udp_stream_ns; /* from then on it counts as a stream */
		uint8_t sctp_state;
	};
};

struct ct_key {
	struct flow_key flow;
	uint16_t zone, pad;
};

struct conntrack {
	struct netns *ns;
	struct table entries; /* struct ct_key -> struct ct_entry *; two keys an entry */
	uint32_t count;
	struct ct_entry *loose; /* unconfirmed and deleted ones, while packets may point there */
	struct table by_source; /* nat_source.c; stride 0: nobody has asked yet */
	struct table templates; /* zone -> struct ct_entry * (-j CT --zone) */
	uint32_t gc_cursor;
	struct ct_stats stats;
	bool old_clashes; /* as before Linux 5.7 */
	void (*watch)(void *ctx, const char *line);
	void *watch_ctx;
	struct event_id expiry; /* only while somebody watches */
};

enum ct_event { CT_EVENT_NEW, CT_EVENT_UPDATE, CT_EVENT_DESTROY };

/* conntrack.c */
struct flow_key ct_invert(const struct flow_key *k, uint8_t family);
/* The live entry of this tuple; *dir tells which of its tuples it is. */
struct ct_entry *ct_find(struct conntrack *ct, const struct flow_key *k, uint16_t zone,
			 enum ct_dir *dir);
int64_t ct_now(const struct conntrack *ct);
void ct_refresh(struct ct_entry *e, int64_t seconds);
/* Out of the list of those outside the table. */
void ct_unlink_loose(struct ct_entry *e);
/* Out of the table; the memory stays while packets may point to it. */
void ct_kill(struct ct_entry *e);
enum ct_dir ct_direction(const struct packet *p);
/* The packet's entry, NULL when it has none (or only a template). */
struct ct_entry *ct_entry_of(const struct packet *p);

/* What a protocol says of a packet. */
enum ct_answer { CT_FINE, CT_BAD, CT_AGAIN };
/* conntrack_tcp.c; conntrack_sctp.c. `fresh`: the entry was made for this packet. */
bool ct_tcp_sane(const struct packet *p); /* a header and flags that make sense */
bool ct_tcp_new(struct ct_entry *e, const struct packet *p);
enum ct_answer ct_tcp_packet(struct ct_entry *e, const struct packet *p, enum ct_dir dir);
bool ct_sctp_new(struct ct_entry *e, const struct packet *p);
enum ct_answer ct_sctp_packet(struct ct_entry *e, const struct packet *p, enum ct_dir dir);

/* conntrack_print.c */
const char *ct_tcp_state_name(enum ct_tcp_state s);
const char *ct_sctp_state_name(enum ct_sctp_state s);
void ct_print_entry(const struct ct_entry *e, enum ct_event event, bool list,
		    struct strbuf *out);
void ct_notify(struct conntrack *ct, const struct ct_entry *e, enum ct_event event);

/* nat_source.c: an entry enters and leaves the table. */
void nat_source_add(struct conntrack *ct, struct ct_entry *e);
void nat_source_remove(struct conntrack *ct, struct ct_entry *e);
/* The translation that the newest connection from the same source has and that `fits`,
 * with the destination of `from`. False: none. */
bool nat_source_find(struct conntrack *ct, const struct flow_key *from, uint16_t zone,
		     bool (*fits)(const void *ctx, const struct flow_key *k), const void *ctx,
		     struct flow_key *out);

/* nat_unique.c: a tuple that no other entry has, within the range. */
void nat_unique_tuple(struct ct_entry *e, enum nat_kind kind, const struct nat_range *range,
		      const struct flow_key *from, struct flow_key *out);

#endif
