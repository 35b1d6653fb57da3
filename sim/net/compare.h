/* net/compare.h: whether two captures tell the same story.
 *
 * Reality is normalised first and compared second. What two runs may differ in is
 * taken away: initial sequence numbers become relative numbers of their connection;
 * the ports that a client (or a masquerade) drew are compared by identity, not by
 * number: same connection, same port at one place means same port at the other; IP
 * identifiers, MACs, windows and TCP options, the time stamp in a ping's data and all
 * stamps of the file are not looked at. ARP, neighbour discovery, MLD and IGMP are
 * left out (and counted).
 *
 * Then each interface of the one is compared with the interface of the same name of
 * the other, flow by flow, in order: addresses, ports, TTL, flags, relative numbers,
 * payload, ICMP type, code and the quoted header; packets that only one of them has;
 * and the order within a flow. The order between flows means nothing. A packet that
 * differs so much that it fell into another flow (an address is another) is paired
 * with what it resembles, so that the field is named instead of two strangers.
 *
 * A capture that the simulator wrote says in comments which rule decided: then each
 * difference comes with the flow's decisions up to there, which is its trace.
 *
 * Two files without interface names (classic pcap) are compared as one interface.
 */
#ifndef NET_COMPARE_H
#define NET_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/strbuf.h"
#include "net/capture.h"

struct compare_options {
	/* Leave out TCP segments that only acknowledge: when a real kernel sends them
	 * depends on its scheduling. */
	bool without_acks;
	/* A packet may have another place in its flow when its time since the flow's first
	 * packet differs by at most this much in the two captures. 0: order is strict. */
	int64_t tolerance_ns;
};

enum compare_kind {
	COMPARE_FIELD,     /* a packet of both, one field differs */
	COMPARE_MISSING,   /* only in the first capture */
	COMPARE_EXTRA,     /* only in the second */
	COMPARE_ORDER,     /* in both, at different places of the flow */
	COMPARE_INTERFACE  /* an interface with packets that the other capture lacks; shown: its first */
};

struct compare_difference {
	enum compare_kind kind;
	const char *interface;
	const char *flow;    /* "tcp 10.0.0.1:40000 -> 10.96.0.1:80" */
	const char *field;   /* "destination address", ...; "" unless FIELD */
	const char *a, *b;   /* the field's values; "" unless FIELD */
	uint32_t a_number, b_number; /* packet number in its file, from 1; 0: none */
	const char *a_line, *b_line; /* as packet_line prints them; NULL: none */
	/* What the second capture's comments (a simulator writes them) tell of this flow: a line
	 * a decision, "INTERFACE: rule", up to the packet in question; "" nothing. */
	const char *trace;
};

struct comparison {
	struct compare_difference *differences; /* by interface, then packet number */
	uint32_t count;
	uint32_t unequal;  /* packets that they concern: an interface's all count */
	uint32_t compared; /* packets of the first capture that were looked at */
	uint32_t left_out; /* ARP and the like, of both captures */
};

/* Never fails; the result is the caller's and does not point into the captures.
 * `options` may be NULL. */
struct comparison *compare_captures(const struct capture *a, const struct capture *b,
				    const struct compare_options *options);
void comparison_free(struct comparison *c);
/* For people: each difference with both packets one above the other, at most `limit` of
 * them (0: all); then one line of summary. */
void comparison_print(const struct comparison *c, const char *a_name, const char *b_name,
		      uint32_t limit, struct strbuf *out);

#endif
