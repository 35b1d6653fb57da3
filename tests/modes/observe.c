/* tests/modes/observe.c: see observe.h. */
#include "observe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine.h"
#include "dataplanes/registry.h"
#include "kube/control/control.h"
#include "world/tracing.h"

struct run { /* one mix on one dataplane */
	const struct mix *mix;
	struct world *world;
	struct op *open[MIX_PROBES]; /* kept connections */
	struct seen_all *out;
	struct err *err;
};

/* ---- the cluster --------------------------------------------------------------------------- */

static bool settled(void *ctx)
{
	struct world *w = ctx;
	return control_converged(world_control(w)) && control_endpoints_settled(world_control(w)) &&
	       world_synced(w);
}

static void settle(struct world *w)
{
	world_run(w, world_now(w) + 2 * NS_PER_S);
	world_run_while_not(w, settled, w, world_now(w) + 120 * NS_PER_S);
}

/* Pods get their states after all are ready: a pod that drains was a server once. */
static int put_states(struct run *r)
{
	int code = 0;
	for (unsigned i = 0; i < MIX_PODS && !code; i++) {
		const struct mix_pod *p = &r->mix->pods[i];
		char name[16];
		snprintf(name, sizeof name, "server-%u", i);
		if (p->there && (p->state == POD_UNREADY || p->state == POD_DRAINING_UNREADY))
			code = control_force_probe(world_control(r->world), "default", name, NULL,
						   PROBE_READINESS, FORCE_FAIL, r->err);
	}
	if (!code)
		settle(r->world);
	for (unsigned i = 0; i < MIX_PODS && !code; i++) {
		const struct mix_pod *p = &r->mix->pods[i];
		char name[16];
		snprintf(name, sizeof name, "server-%u", i);
		if (p->there && p->state >= POD_DRAINING)
			code = control_delete(world_control(r->world), KIND_POD, "default", name, -1,
					      r->err);
	}
	return code;
}

static int start(struct run *r, const char *mode)
{
	const struct mix *m = r->mix;
	static const char *const names[] = { "a", "b", "c" };
	struct node_options nodes[MIX_NODES] = { 0 };
	struct strbuf config = { 0 }, yaml = { 0 };
	for (unsigned i = 0; i < m->nodes; i++)
		nodes[i] = (struct node_options){ .name = names[i], .routed = m->routed };
	mix_proxy_config(m, &config);
	mix_yaml(m, &yaml);
	struct cluster_options cluster = { .nodes = nodes, .node_count = m->nodes, .no_dns = true,
					   .dual_stack = m->dual,
					   .proxy_config = config.length ? config.data : NULL };
	struct world_options options = { .registry = &dataplanes, .dataplane = mode, .seed = m->seed,
					 .version = strcmp(mode, "userspace") ? KUBE_1_34 : KUBE_1_25 };
	int code = world_new(&options, &r->world, r->err);
	if (!code)
		code = world_start(r->world, &cluster, r->err);
	if (!code)
		code = world_apply(r->world, strbuf_text(&yaml), yaml.length, "mix.yaml", NULL, r->err);
	if (!code)
		settle(r->world);
	if (!code)
		code = put_states(r);
	if (!code)
		settle(r->world);
	strbuf_free(&config);
	strbuf_free(&yaml);
	return code;
}

/* ---- probes ---------------------------------------------------------------------------------- */

static const char *cluster_ip(const struct run *r, const struct mix_probe *p)
{
	char name[8];
	snprintf(name, sizeof name, "s%u", p->service);
	const struct kube_service *s = (const void *)kube_store_get(world_store(r->world), KIND_SERVICE,
								     "default", name);
	if (!s)
		return NULL;
	for (uint32_t i = 0; i < s->spec.cluster_ips.count; i++)
		if ((strchr(s->spec.cluster_ips.items[i], ':') != NULL) == p->v6)
			return s->spec.cluster_ips.items[i];
	return NULL;
}

/* The contract's TO of a probe; false: the Service has no such address (any more). */
static bool aim(const struct run *r, const struct mix_probe *p, char to[96])
{
	static const char *const names[] = { "node/a", "node/b", "node/c" };
	char node[NET_ADDR_TEXT] = "", gateway[NET_ADDR_TEXT] = "";
	const char *own = cluster_ip(r, p);
	const struct place *n = world_place(r->world, names[p->node], NULL);
	const struct kube_node *client = (const void *)kube_store_get(
		world_store(r->world), KIND_NODE, NULL, names[p->client == CLIENT_SERVER ? 0 : p->at] + 5);
	struct net_prefix cidr;
	struct net_addr a = place_addr(n, p->v6 ? NET_V6 : NET_V4);
	if (!own || (p->front == FRONT_GATEWAY && r->mix->routed))
		return false;
	net_addr_text(&a, node);
	if (client && client->spec.pod_cidr && net_prefix_parse(client->spec.pod_cidr, &cidr) &&
	    net_prefix_nth(&cidr, 1, &a))
		net_addr_text(&a, gateway);
	mix_to(p, own, node, gateway, to);
	return true;
}

static uint8_t protocol(const struct run *r, const struct mix_probe *p)
{
	if (p->front == FRONT_PING)
		return p->v6 ? PROTO_ICMP6 : PROTO_ICMP;
	return r->mix->services[p->service].udp ? PROTO_UDP : PROTO_TCP;
}

static enum seen_class class_of(const struct trace_outcome *o)
{
	switch (o->verdict) {
	case TRACE_DELIVERED:
		return strstr(o->reason, "reached no endpoint") ? SEEN_CLOSED : SEEN_DELIVERED;
	case TRACE_REJECTED:
		return SEEN_REFUSED;
	case TRACE_DROPPED:
		return SEEN_DROPPED;
	default:
		return SEEN_SILENT;
	}
}

static void add_outcome(const struct run *r, const char *from, const struct trace_outcome *o,
			struct seen *s)
{
	enum seen_class class = class_of(o);
	unsigned pod;
	s->classes |= 1u << class;
	if (class != SEEN_DELIVERED)
		return;
	if (!o->has_backend && strcmp(world_dataplane(r->world), "userspace") == 0) {
		s->classes = (s->classes & ~(1u << class)) | 1u << SEEN_CLOSED;
		return;
	}
	if (sscanf(o->pod, "default/server-%u", &pod) == 1 && pod < MIX_PODS)
		s->backends |= 1u << pod;
	else
		s->backends |= 1u << 31;
	const struct place *client = world_place(r->world, from, NULL);
	struct net_addr own = place_addr(client, o->client_seen.family);
	if (net_addr_equal(&own, &o->client_seen))
		s->own = true;
	else
		s->other = true;
}

static int ask(struct run *r, const struct mix_probe *p, struct seen *s)
{
	char from[64], to[96];
	struct trace_report report = { 0 };
	if (!p->there || !aim(r, p, to))
		return 0;
	struct trace_query q = { .from = mix_from(p, from), .to = to,
				 .proto = protocol(r, p), .exhaustive = true };
	int code = world_trace(r->world, &q, &report, r->err);
	for (uint32_t i = 0; i < report.count && !code; i++)
		add_outcome(r, from, &report.outcomes[i], s);
	trace_report_free(&report);
	return code;
}

/* ---- what lasts -------------------------------------------------------------------------------- */

static struct op *connection(struct run *r, const struct mix_probe *p, bool keep)
{
	char from[64], to[96];
	struct op *op = NULL;
	struct place *client = world_place(r->world, mix_from(p, from), NULL);
	struct request q = { .target = to, .timeout_ns = 3 * NS_PER_S, .keep_open = keep };
	if (!client || !aim(r, p, to) || world_request(r->world, client, &q, &op, r->err))
		return NULL;
	world_run_op(r->world, op);
	return op;
}

static bool worth_keeping(const struct run *r, unsigned i)
{
	const struct mix_probe *p = &r->mix->probes[i];
	return p->there && !r->mix->services[p->service].udp && p->front != FRONT_PING &&
	       p->front != FRONT_UNDEFINED && r->out->before[i].classes == 1u << SEEN_DELIVERED;
}

static void stick(struct run *r, unsigned i)
{
	char first[192] = "";
	r->out->sticks[i] = LASTS;
	for (int n = 0; n < 4; n++) {
		struct op *op = connection(r, &r->mix->probes[i], false);
		if (op && !*first)
			snprintf(first, sizeof first, "%s", op_result(op)->backend);
		if (!op || strcmp(first, op_result(op)->backend) != 0)
			r->out->sticks[i] = ENDS;
		op_free(op);
	}
}

static void keep_all(struct run *r)
{
	for (unsigned i = 0; i < MIX_PROBES; i++) {
		if (!worth_keeping(r, i))
			continue;
		if (r->mix->services[r->mix->probes[i].service].affinity)
			stick(r, i);
		r->open[i] = connection(r, &r->mix->probes[i], true);
		r->out->kept[i] = r->open[i] && op_result(r->open[i])->error == 0 ? LASTS : LASTS_NOT_ASKED;
	}
}

static int relabel(struct run *r)
{
	struct mix other = *r->mix;
	struct strbuf yaml = { 0 };
	for (unsigned i = 0; i < MIX_PODS; i++) {
		other.pods[i].there &= r->mix->pods[i].group == 0 && r->mix->pods[i].state < POD_DRAINING;
		other.pods[i].group = 9;
	}
	for (unsigned i = 0; i < MIX_SERVICES; i++)
		other.services[i].there = false;
	mix_yaml(&other, &yaml);
	int code = world_apply(r->world, strbuf_text(&yaml), yaml.length, "relabel.yaml", NULL, r->err);
	strbuf_free(&yaml);
	return code;
}

static int unready(struct run *r)
{
	int code = 0;
	for (unsigned i = 0; i < MIX_PODS && !code; i++) {
		char name[16];
		snprintf(name, sizeof name, "server-%u", i);
		if (r->mix->pods[i].there && r->mix->pods[i].group == 0)
			code = control_force_probe(world_control(r->world), "default", name, NULL,
						   PROBE_READINESS, FORCE_FAIL, r->err);
	}
	return code;
}

static int change(struct run *r)
{
	int code = 0;
	switch (r->mix->change) {
	case CHANGE_LABEL:
		code = relabel(r);
		break;
	case CHANGE_UNREADY:
		code = unready(r);
		break;
	case CHANGE_SERVICE:
		if (r->mix->services[0].there)
			code = control_delete(world_control(r->world), KIND_SERVICE, "default", "s0", -1,
					      r->err);
		break;
	case CHANGE_RESTART:
		code = world_restart_kube_proxy(r->world, "a", r->err);
		break;
	default:
		break;
	}
	if (!code)
		settle(r->world);
	return code;
}

static void look_again(struct run *r)
{
	for (unsigned i = 0; i < MIX_PROBES; i++) {
		struct op *op = r->open[i];
		if (r->out->kept[i] != LASTS_NOT_ASKED) {
			if (op_again(op, "/", NULL, r->err) == 0)
				world_run_op(r->world, op);
			if (op_result(op)->error || !op_result(op)->http_status)
				r->out->kept[i] = ENDS;
			op_close(op, true);
		}
		op_free(op);
	}
	world_run(r->world, world_now(r->world) + NS_PER_S);
}

int observe(const struct mix *m, const char *mode, struct seen_all *out, struct err *err)
{
	struct run r = { .mix = m, .out = out, .err = err };
	memset(out, 0, sizeof *out);
	int code = start(&r, mode);
	for (unsigned i = 0; i < MIX_PROBES && !code; i++)
		code = ask(&r, &m->probes[i], &out->before[i]);
	if (!code)
		keep_all(&r);
	if (!code)
		code = change(&r);
	if (!code) {
		look_again(&r);
		for (unsigned i = 0; i < MIX_PROBES && m->change && !code; i++)
			code = ask(&r, &m->probes[i], &out->after[i]);
	}
	world_free(r.world);
	return code;
}

/* ---- words ----------------------------------------------------------------------------------------- */

void seen_text(const struct seen *s, struct strbuf *out)
{
	static const char *const words[SEEN_CLASSES] = { "", "delivered", "connected, then closed",
							 "refused", "dropped", "unanswered" };
	const char *separator = "";
	if (!s->classes)
		strbuf_puts(out, "not asked");
	for (unsigned c = 1; c < SEEN_CLASSES; c++) {
		if (!(s->classes & 1u << c))
			continue;
		strbuf_printf(out, "%s%s", separator, words[c]);
		separator = " or ";
		if (c != SEEN_DELIVERED)
			continue;
		strbuf_puts(out, " to");
		for (unsigned i = 0; i < MIX_PODS; i++)
			if (s->backends & 1u << i)
				strbuf_printf(out, " server-%u", i);
		if (s->backends & 1u << 31)
			strbuf_puts(out, " somebody else");
		strbuf_printf(out, ", who see%s%s%s", s->own ? " the client" : "",
			      s->own && s->other ? " or" : "", s->other ? " another address" : "");
	}
}
