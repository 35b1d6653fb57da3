/* report/trace_report.h: what can become of a packet, for people and for programs.
 *
 * A report has one outcome for each distinct (verdict, backend, masqueraded, entry
 * node), with its probability; without enumeration it has one, with probability 1.
 * The JSON form is the contract of `svclab trace -o json`.
 */
#ifndef REPORT_TRACE_REPORT_H
#define REPORT_TRACE_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/strbuf.h"
#include "net/trace.h"

struct trace_outcome {
	double probability;
	enum trace_verdict verdict;
	char reason[512];
	bool has_backend;
	char pod[256];               /* "namespace/name"; "" nobody knows its pod */
	struct net_addr ip;
	uint16_t port;
	char node[128];              /* the backend's; "" unknown */
	struct net_addr client_seen; /* by the server; NET_NONE: it saw nothing */
	bool masqueraded;
	char entry_node[128];
	struct trace *trace;         /* of the first run with this outcome; owned */
};

struct trace_report {
	char from[256], to[256];     /* as they were named */
	char destination[64];        /* address and port that the first packet carried */
	char proto[8], dataplane[64];
	struct trace_outcome *outcomes; /* in order of their first appearance */
	uint32_t count;
	uint64_t runs;
	bool truncated;              /* there are more outcomes than were looked at */
	struct strbuf notes;         /* lines: what was assumed */
};

void trace_report_free(struct trace_report *r);
/* Adds a run: merges it with an equal outcome, or keeps it. Takes `o->trace`. */
void trace_report_add(struct trace_report *r, struct trace_outcome *o);
void trace_report_text(const struct trace_report *r, bool color, struct strbuf *out);
void trace_report_json(const struct trace_report *r, struct strbuf *out);

#endif
