/* world/tracing.c: see tracing.h. */
#include "world/tracing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "world/internal.h"

#define ANSWER_LIMIT_NS (10 * NS_PER_S)
#define RUN_LIMIT_NS (30 * NS_PER_S)
#define GATEWAY_LABEL "gateway"

struct run {
	struct world *w;
	const struct trace_query *query;
	struct place *from;
	struct target target;
	struct op *op;
	struct trace *trace;
	struct strbuf *notes;
};

/* ---- one packet -------------------------------------------------------------------- */

static int send_one(struct run *r, struct err *err)
{
	if (r->query->proto == PROTO_ICMP) {
		struct ping p = { .target = r->query->to, .count = 1, .timeout_ns = ANSWER_LIMIT_NS,
				  .trace = r->trace };
		return world_ping(r->w, r->from, &p, &r->op, err);
	}
	struct request q = { .target = r->query->to, .proto = r->query->proto, .trace = r->trace,
			     .timeout_ns = ANSWER_LIMIT_NS, .once = true };
	return world_request(r->w, r->from, &q, &r->op, err);
}

static bool is_done(void *ctx)
{
	return op_done(ctx);
}

static int run_once(struct run *r, struct err *err)
{
	r->trace = trace_new();
	r->trace->keep_passed_over = false;
	int code = send_one(r, err);
	if (code)
		return code;
	world_run_while_not(r->w, is_done, r->op, world_now(r->w) + RUN_LIMIT_NS);
	if (r->target.name[0] && r->query->proto != PROTO_ICMP) /* what the name stood for */
		r->target.addr = op_result(r->op)->peer.addr;
	return 0;
}

/* ---- verdict ------------------------------------------------------------------------ */

static const struct trace_step *last_step(const struct trace *t)
{
	return t->count ? &t->steps[t->count - 1] : NULL;
}

/* The network's edge is modelled by a router that drops: for a cluster that is "it left
 * by a route, and nothing answers". */
static bool left_by_gateway(const struct trace *t)
{
	const struct trace_step *last = last_step(t);
	return last && last->node && strcmp(last->node, GATEWAY_LABEL) == 0;
}

static bool answered(const struct op_result *r, uint8_t proto)
{
	if (proto == PROTO_ICMP)
		return r->received > 0;
	if (proto == PROTO_UDP)
		return r->error == 0;
	return r->connected_ns > 0;
}

static bool error_came_back(const struct op_result *r)
{
	return r->error == ECONNREFUSED || r->error == ECONNRESET || r->error == EPERM ||
	       r->error == EACCES || r->icmp_from.family != NET_NONE;
}

static enum trace_verdict verdict_of(const struct run *r)
{
	const struct op_result *result = op_result(r->op);
	const struct trace *t = r->trace;
	if (answered(result, r->query->proto))
		return TRACE_DELIVERED;
	if (left_by_gateway(t))
		return TRACE_UNANSWERED;
	if (t->verdict == TRACE_DROPPED || t->verdict == TRACE_NO_ROUTE)
		return t->verdict;
	if (result->error == ENETUNREACH || (result->error == EHOSTUNREACH && !t->count))
		return TRACE_NO_ROUTE;
	if (t->verdict == TRACE_REJECTED || error_came_back(result))
		return TRACE_REJECTED;
	return TRACE_UNANSWERED;
}

/* ---- backend ------------------------------------------------------------------------ */

/* The endpoint of a slice with this address and port; its pod and node by reference. */
static bool find_endpoint(const struct world *w, struct trace_outcome *o)
{
	const struct kube_object *object;
	uint32_t cursor = 0;
	char text[NET_ADDR_TEXT];
	net_addr_text(&o->ip, text);
	while ((object = kube_store_next(w->store, KIND_ENDPOINT_SLICE, NULL, &cursor)) != NULL) {
		const struct kube_endpoint_slice *s = (const void *)object;
		bool port = false;
		for (uint32_t i = 0; i < s->ports.count; i++)
			port |= s->ports.items[i].port.set && s->ports.items[i].port.value == o->port;
		for (uint32_t i = 0; port && i < s->endpoints.count; i++) {
			const struct kube_endpoint *e = &s->endpoints.items[i];
			if (!e->addresses.count || strcmp(e->addresses.items[0], text) != 0)
				continue;
			if (kube_is(e->target.kind, "Pod") && e->target.name)
				snprintf(o->pod, sizeof o->pod, "%s/%s",
					 e->target.namespace ? e->target.namespace
							     : object->meta.namespace,
					 e->target.name);
			if (e->node_name)
				snprintf(o->node, sizeof o->node, "%s", e->node_name);
			return true;
		}
	}
	return false;
}

static bool describe(const struct world *w, struct trace_outcome *o)
{
	bool endpoint = find_endpoint(w, o);
	const struct place *p = place_by_addr(w, &o->ip);
	if (p && p->kind == PLACE_NODE)
		snprintf(o->node, sizeof o->node, "%s", p->node);
	if (!p || p->kind == PLACE_NODE)
		return endpoint;
	snprintf(o->node, sizeof o->node, "%s", p->node);
	if (p->kind == PLACE_OUTSIDE)
		o->node[0] = '\0';
	if (p->kind == PLACE_POD && (!p->implied || strchr(p->label, '/')))
		snprintf(o->pod, sizeof o->pod, "%s", p->label);
	return true;
}

/* A proxy in user space picks the endpoint itself: only the answer tells. */
static void backend_of_answer(const struct run *r, struct trace_outcome *o)
{
	const struct op_result *result = op_result(r->op);
	if (!*result->backend || result->backend_ip.family == NET_NONE)
		return;
	o->ip = result->backend_ip;
	o->port = result->backend_port;
	o->client_seen = result->seen.addr;
	o->has_backend = describe(r->w, o);
	o->masqueraded = true;
}

static void backend_of(const struct run *r, struct trace_outcome *o)
{
	const struct trace *t = r->trace;
	bool proxied = r->w->row->planner && r->w->row->planner->serve;
	if (t->dnat_addr.family != NET_NONE) {
		o->ip = t->dnat_addr;
		o->port = t->dnat_port;
		o->has_backend = describe(r->w, o);
		if (!o->has_backend && proxied)
			backend_of_answer(r, o);
		else
			o->has_backend = true;
		return;
	}
	const struct place *p = place_by_addr(r->w, &r->target.addr);
	o->ip = r->target.addr;
	o->port = r->query->proto == PROTO_ICMP ? 0 : r->target.port;
	if (p && p->kind == PLACE_POD)
		o->has_backend = describe(r->w, o);
	else if (p && strncmp(r->query->to, "pod/", 4) == 0) /* on the host network */
		o->has_backend = find_endpoint(r->w, o) || *p->node;
}

/* ---- outcome ------------------------------------------------------------------------- */

static void append(struct trace_outcome *o, const char *text)
{
	size_t used = strlen(o->reason);
	snprintf(o->reason + used, sizeof o->reason - used, "%s%s", used ? "; " : "", text);
}

static const char *own_reason(const struct run *r, const struct trace_outcome *o)
{
	const struct op_result *result = op_result(r->op);
	const struct trace *t = r->trace;
	switch (o->verdict) {
	case TRACE_DELIVERED:
		return "an answer came back to the client";
	case TRACE_REJECTED:
		return result->error == ECONNREFUSED && result->icmp_from.family == NET_NONE
			       ? "the client's connection was refused" : result->message;
	case TRACE_DROPPED:
		return "a rule dropped it";
	case TRACE_NO_ROUTE:
		return "there is no route for it";
	default:
		if (left_by_gateway(t))
			return "it left the cluster by the default route and nothing answers there";
		return t->delivered_in[0] ? "it was delivered, but no answer came back to the client"
					  : "no answer came back to the client";
	}
}

/* The evaluators' reason fits when they came to the same verdict. */
static void reason_of(const struct run *r, struct trace_outcome *o)
{
	const struct trace *t = r->trace;
	if (t->verdict == o->verdict && t->reason[0] && !left_by_gateway(t))
		append(o, t->reason);
	else
		append(o, own_reason(r, o));
	bool proxied = r->w->row->planner && r->w->row->planner->serve && !r->w->control;
	if (proxied && o->verdict == TRACE_DELIVERED && !o->has_backend &&
	    strncmp(t->delivered_in, "node/", 5) == 0)
		append(o, "kube-proxy took the connection and ended it: it reached no endpoint");
	if (t->undecidable) {
		char line[256];
		snprintf(line, sizeof line, "undecidable: svclab does not know \"%.200s\"",
			 t->undecidable);
		append(o, line);
	}
	if (kube_store_count(r->w->store, KIND_NETWORK_POLICY))
		append(o, "NetworkPolicy is not evaluated");
}

static void outcome_of(struct run *r, struct trace_outcome *o)
{
	const struct trace *t = r->trace;
	*o = (struct trace_outcome){ .probability = 1, .verdict = verdict_of(r),
				     .masqueraded = t->masqueraded };
	if (t->delivered_in[0])
		o->client_seen = t->source_seen;
	snprintf(o->entry_node, sizeof o->entry_node, "%s",
		 r->from->kind == PLACE_NODE || r->from->host ? r->from->node : t->entry_node);
	backend_of(r, o);
	reason_of(r, o);
	o->trace = r->trace;
	r->trace = NULL;
}

/* ---- runs ------------------------------------------------------------------------------ */

/* Ends a run: the next one starts with the same ports and sequence numbers, so nobody may
 * remember this one's connection. */
static void run_free(struct run *r)
{
	struct world *w = r->w;
	op_free(r->op);
	r->op = NULL;
	trace_free(r->trace);
	r->trace = NULL;
	void *value;
	for (uint32_t i = 0; w->executor && table_next(&w->places, &i, NULL, &value);)
		if ((*(struct place **)value)->attached)
			programs_drop(*(struct place **)value);
	for (uint32_t i = 0; i < w->node_count; i++)
		proxy_forget(w->nodes[i]->proxy);
	if (w->executor)
		w->row->executor->reset_flows(w->executor);
}

/* In a large snapshot pods are attached when a packet was sent to them. Dumps don't say
 * which pods there are: where the packet went, somebody may have to be made. */
static bool receiver_made(struct run *r)
{
	const struct trace *t = r->trace;
	if (answered(op_result(r->op), r->query->proto))
		return false;
	if (r->w->lazy) {
		struct place *p = place_by_addr(r->w, t->dnat_addr.family != NET_NONE ? &t->dnat_addr
										: &r->target.addr);
		return p && !p->attached && place_attach(p, NULL) == 0;
	}
	if (!r->w->dumps)
		return false;
	if (t->dnat_addr.family != NET_NONE)
		return dumps_answer(r->w, &t->dnat_addr, r->query->proto, t->dnat_port, true, r->notes);
	return dumps_answer(r->w, &r->target.addr, r->query->proto, r->target.port, false, r->notes);
}

static int one_outcome(struct run *r, struct trace_outcome *o, struct err *err)
{
	int code = run_once(r, err);
	if (!code && receiver_made(r)) {
		run_free(r);
		choice_restart(r->w->choice);
		code = run_once(r, err);
	}
	if (!code)
		outcome_of(r, o);
	run_free(r);
	return code;
}

static int all_outcomes(struct run *r, struct trace_report *out, struct err *err)
{
	struct world *w = r->w;
	struct trace_outcome o;
	w->row->executor->reset_flows(w->executor);
	if (!r->query->exhaustive) {
		int code = one_outcome(r, &o, err);
		if (!code)
			trace_report_add(out, &o);
		return code;
	}
	int code;
	choice_exhaust(w->choice, "backend", TRACE_RUNS_MAX);
	do {
		choice_restart(w->choice);
		code = one_outcome(r, &o, err);
		if (code)
			break;
		o.probability = choice_probability(w->choice);
		trace_report_add(out, &o);
	} while (choice_advance(w->choice));
	out->truncated = choice_truncated(w->choice);
	choice_exhaust_end(w->choice);
	if (out->count > 1 && w->row->planner && w->row->planner->forget)
		strbuf_puts(&out->notes, "a round robin begins anywhere: a snapshot does not say whose "
					 "turn it is\n");
	return code;
}

int world_trace(struct world *w, const struct trace_query *q, struct trace_report *out,
		struct err *err)
{
	struct run r = { .w = w, .query = q, .notes = &out->notes };
	char text[NET_ADDR_TEXT + 8];
	r.from = world_place(w, q->from, err);
	if (!r.from)
		return EINVAL;
	int code = world_target(w, r.from, q->to, q->proto, &r.target, err);
	if (!code)
		code = network_up(w, err);
	struct place *at = code ? NULL : place_by_addr(w, &r.target.addr);
	if (at)
		code = place_attach(at, err);
	if (!code)
		code = place_attach(r.from, err);
	if (code)
		return code;
	snprintf(out->from, sizeof out->from, "%s", r.from->name);
	snprintf(out->to, sizeof out->to, "%s", q->to);
	snprintf(out->proto, sizeof out->proto, "%s", proto_name(q->proto));
	snprintf(out->dataplane, sizeof out->dataplane, "%s", world_dataplane(w));
	if (r.target.name[0])
		snprintf(out->destination, sizeof out->destination, "%.60s", r.target.name);
	else if (q->proto == PROTO_ICMP)
		snprintf(out->destination, sizeof out->destination, "%s",
			 net_addr_text(&r.target.addr, text));
	else
		snprintf(out->destination, sizeof out->destination, "%s",
			 net_endpoint_text(&r.target.addr, r.target.port, text));
	return all_outcomes(&r, out, err);
}
