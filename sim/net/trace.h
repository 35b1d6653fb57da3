/* net/trace.h: what happened to one packet, step by step.
 *
 * The evaluation itself writes the trace: there is no second implementation.
 * A trace belongs to whoever asked for it; packets only point to it. Steps are
 * kept in order; texts are copied. `rules_evaluated` counts xtables and nft
 * rules visited by the request packet in every chain until its verdict, summed
 * over the nodes it crosses (design: count contract); policies, set and map
 * look-ups and ipvs probes are counted beside it.
 */
#ifndef NET_TRACE_H
#define NET_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

struct packet;

struct trace_step {
	int64_t when_ns;
	const char *node;  /* namespace it happened in */
	const char *hook;  /* "PREROUTING", "route", "socket", "link", ... */
	const char *table; /* "nat", "ip kube-proxy", "ipvs", "conntrack"; "" none */
	const char *chain; /* "" none */
	uint32_t rule;     /* position in its chain, from 1; 0 none */
	const char *file;  /* of a dump, NULL none */
	int line;
	const char *text;  /* the rule as the tool prints it, or what was done */
	const char *note;  /* what changed: "10.96.0.10:80 -> 10.244.1.5:8080"; "" none */
	bool passed_over;  /* visited, did not match */
};

enum trace_verdict {
	TRACE_NONE, TRACE_DELIVERED, TRACE_REJECTED, TRACE_DROPPED, TRACE_NO_ROUTE,
	TRACE_UNANSWERED
};

struct trace {
	struct trace_step *steps;
	uint32_t count, capacity;
	bool keep_passed_over;     /* record rules that did not match, too */
	uint64_t rules_evaluated, policies, set_lookups, ipvs_probes;
	enum trace_verdict verdict; /* first final one reported */
	char reason[256];
	struct net_addr dnat_addr;  /* where the last DNAT (or IPVS) sent it */
	uint16_t dnat_port;
	bool masqueraded;
	struct net_addr source_seen; /* source when it was delivered to a socket */
	char delivered_in[128];     /* namespace that received it; "" none */
	char entry_node[128];       /* first namespace of kind node it entered */
	const char *undecidable;    /* a construct svclab does not know was met, or NULL */
};

struct trace *trace_new(void);
void trace_free(struct trace *t);
/* Copies the step's texts. */
void trace_add(struct trace *t, const struct trace_step *step);
/* Sets the verdict unless there is one. */
void trace_verdict(struct trace *t, enum trace_verdict v, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "delivered", "rejected", ... as the command-line contract spells them. */
const char *trace_verdict_name(enum trace_verdict v);

#endif
