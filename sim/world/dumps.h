/* world/dumps.h: nodes made of what their tools printed, instead of manifests.
 *
 * Each node has its IP, the texts of iptables-save, ip6tables-save, nft list ruleset,
 * ipset save and ipvsadm -Sn (recognised by content, loaded in the order in which they
 * depend on each other), and perhaps what `ip route` printed. Without routes it has a
 * default route. Nobody says which pods there are: a place that answers is made behind
 * the route where a packet's last destination lies, when a packet is sent there. What
 * was assumed is said in the report's notes.
 */
#ifndef WORLD_DUMPS_H
#define WORLD_DUMPS_H

#include "world/tracing.h"

struct dump_node {
	const char *ip;
	const char *const *rules; /* files; "-" is standard input */
	uint32_t rule_count;
	const char *routes;       /* file; NULL none */
};

/* The world must be new, of a snapshot and of a dataplane without planner. */
int world_load_dumps(struct world *w, const struct dump_node *nodes, uint32_t count,
		     struct err *err);
/* As world_trace; `in` is the interface by which the packet comes in (NULL: guessed
 * from the routes). */
int world_trace_dumps(struct world *w, const struct trace_query *q, const char *in,
		      struct trace_report *out, struct err *err);

#endif
