/* world/tracing.h: what becomes of one packet (`svclab trace`).
 *
 * The packet is sent as a client would send it: one SYN, datagram or echo request,
 * never again. The network carries it and its answer; the evaluators write the trace.
 * The verdict is what the client saw, together with what the evaluators reported:
 *
 *   delivered   an answer came back (a handshake, a datagram, an echo reply)
 *   rejected    an ICMP error or RST came back
 *   dropped     a rule's DROP took it
 *   no-route    a namespace had no route for it
 *   unanswered  all else: it left, or was delivered, and nothing came back
 *
 * With `exhaustive` the run is repeated for every outcome of the site "backend"; each
 * run starts from forgotten flows.
 */
#ifndef WORLD_TRACING_H
#define WORLD_TRACING_H

#include "report/trace_report.h"
#include "world/world.h"

#define TRACE_RUNS_MAX 20000u

struct trace_query {
	const char *from, *to;
	uint8_t proto;          /* PROTO_TCP, PROTO_UDP, PROTO_SCTP, PROTO_ICMP */
	bool exhaustive;
};

/* 0 for any verdict; EINVAL: a name is wrong. `out` is empty before; the caller calls
 * trace_report_free. */
int world_trace(struct world *w, const struct trace_query *q, struct trace_report *out,
		struct err *err);

#endif
