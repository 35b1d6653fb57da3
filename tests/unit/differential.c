/* tests/unit/differential.c: the Linux model against real Linux, packet by packet.
 *
 * A cluster's rules, as our planners write them, are loaded into the model and into
 * network namespaces of this machine's kernel. Many clients dial many addresses; on
 * real Linux each is dialled several times. Every outcome that real Linux shows must be
 * one that the model's exhaustive trace has, with a fitting share.
 *
 * SVCLAB_DIFFERENTIAL names manifests whose every address is dialled (separated by
 * blanks), SVCLAB_MODE the mode; without it a few dials of one cluster are made. Without
 * network namespaces the test is skipped. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "core/arena.h"
#include "dataplanes/kernel/kernel.h"
#include "dataplanes/registry.h"
#include "kube/store.h"
#include "world/tracing.h"

#define TRIES 16
#define AT_ONCE 9u
#define TRIES_MAX 64
#define FEW 8u /* of so many dials one is made */

struct dial {
	char from[128], to[128];
	uint8_t proto;
	char seen[TRIES_MAX][320];
	struct op *ops[TRIES_MAX];
};

static struct dial *dials;
static uint32_t dial_count;
static uint8_t family; /* of the cluster */

static void add_dial(const char *from, const char *ip, int port, const char *protocol)
{
	char to[128];
	struct net_addr a;
	if (!ip || !net_addr_parse(ip, &a) || a.family != family || port <= 0 ||
	    kube_is(protocol, "SCTP"))
		return;
	net_endpoint_text(&a, (uint16_t)port, to);
	dials = mem_grow(dials, dial_count, dial_count + 1, sizeof *dials);
	struct dial *d = &dials[dial_count++];
	snprintf(d->from, sizeof d->from, "%s", from);
	snprintf(d->to, sizeof d->to, "%s", to);
	d->proto = kube_is(protocol, "UDP") ? PROTO_UDP : PROTO_TCP;
}

static void service_dials(struct world *w, const struct kube_service *s, const char *const *froms,
			  uint32_t count)
{
	const struct kube_object *o;
	for (uint32_t i = 0; i < s->spec.ports.count; i++) {
		const struct kube_service_port *p = &s->spec.ports.items[i];
		for (uint32_t f = 0; f < count; f++) {
			add_dial(froms[f], s->spec.cluster_ip, p->port, p->protocol);
			for (uint32_t k = 0; k < s->spec.external_ips.count; k++)
				add_dial(froms[f], s->spec.external_ips.items[k], p->port, p->protocol);
			for (uint32_t k = 0; k < s->status.ingress.count; k++)
				add_dial(froms[f], s->status.ingress.items[k].ip, p->port, p->protocol);
			uint32_t cursor = 0;
			while (p->node_port &&
			       (o = kube_store_next(world_store(w), KIND_NODE, NULL, &cursor)) != NULL) {
				const struct kube_node *n = (const void *)o;
				for (uint32_t k = 0; k < n->status.addresses.count; k++)
					add_dial(froms[f], n->status.addresses.items[k].address,
						 p->node_port, p->protocol);
			}
			if (i == 0)
				add_dial(froms[f], s->spec.cluster_ip, p->port + 1, p->protocol);
		}
	}
}

static struct world *open_world(const char *file, const char *mode, const char *on, int *code,
				struct err *err)
{
	struct world *w = NULL;
	struct world_options options = { .registry = &dataplanes, .dataplane = mode, .on = on,
					 .seed = 1, .version = KUBE_1_34, .snapshot = true };
	*code = world_new(&options, &w, err);
	if (!*code)
		*code = world_load(w, &file, 1, err);
	return w;
}

/* ---- real Linux ------------------------------------------------------------------------- */

static void result_name(const struct op *op, char out[320])
{
	const struct op_result *r = op_result(op);
	char seen[NET_ADDR_TEXT];
	if (r->error == 0 && r->http_status)
		snprintf(out, 320, "%s sees %s", r->backend, net_addr_text(&r->seen.addr, seen));
	else if (r->error == EPERM) /* what a rule of OUTPUT says to a datagram, DROP or REJECT */
		snprintf(out, 320, "not permitted");
	else if (r->error == ECONNREFUSED || r->error == ECONNRESET || r->error == EHOSTUNREACH)
		snprintf(out, 320, "refused");
	else if (r->error == ETIMEDOUT)
		snprintf(out, 320, "timeout");
	else
		snprintf(out, 320, "error %d", r->error);
}

static bool all_done(void *ctx)
{
	const struct dial *d = ctx;
	for (int i = 0; i < TRIES; i++)
		if (!op_done(d->ops[i]))
			return false;
	return true;
}

static void run_real(struct world *w, struct dial *from, uint32_t count, int64_t timeout_ns)
{
	for (uint32_t k = 0; k < count; k++) {
		struct dial *d = &from[k];
		struct err err = { "" };
		struct place *p = world_place(w, d->from, &err);
		struct request r = { .target = d->to, .proto = d->proto, 
				     .timeout_ns = timeout_ns };
		for (int i = 0; i < TRIES; i++) {
			int code = p ? world_request(w, p, &r, &d->ops[i], &err) : EINVAL;
			check_note(code == 0, __FILE__, __LINE__, "%s", err.text);
		}
	}
	for (uint32_t k = 0; k < count; k++)
		world_run_while_not(w, all_done, &from[k], world_now(w) + 10 * NS_PER_S);
	for (uint32_t k = 0; k < count; k++)
		for (int i = 0; i < TRIES; i++) {
			result_name(from[k].ops[i], from[k].seen[i]);
			op_free(from[k].ops[i]);
		}
}

/* ---- the model ---------------------------------------------------------------------------- */

static void outcome_name(struct world *w, const struct trace_outcome *o, uint8_t proto,
			 const char *from, char out[320])
{
	bool at_output = proto == PROTO_UDP && strncmp(from, "node/", 5) == 0;
	char ip[NET_ADDR_TEXT], seen[NET_ADDR_TEXT];
	const char *name = o->pod;
	/* A pod without object; a program on the host network has its node's name. */
	if (o->has_backend &&
	    place_kind_of(world_place(w, net_addr_text(&o->ip, ip), NULL)) == PLACE_NODE)
		name = o->node;
	else if (!*name)
		name = ip;
	if (o->verdict == TRACE_DELIVERED)
		snprintf(out, 320, "%s sees %s", name, net_addr_text(&o->client_seen, seen));
	else if (at_output && (o->verdict == TRACE_REJECTED || o->verdict == TRACE_DROPPED))
		snprintf(out, 320, "not permitted");
	else if (o->verdict == TRACE_REJECTED)
		snprintf(out, 320, "refused");
	else
		snprintf(out, 320, "timeout");
}

static void compare(struct world *model, const struct dial *d, const char *file)
{
	struct trace_report report = { 0 };
	struct err err = { "" };
	struct trace_query q = { .from = d->from, .to = d->to, .proto = d->proto, .exhaustive = true };
	int code = world_trace(model, &q, &report, &err);
	if (!check_note(code == 0, __FILE__, __LINE__, "%s", err.text))
		return;
	bool unknown = false;
	int late = 0;
	for (int i = 0; i < TRIES; i++)
		late += strcmp(d->seen[i], "timeout") == 0;
	for (int i = 0; i < TRIES; i++) {
		/* A busy machine loses a packet now and then. */
		bool known = late <= TRIES / 4 && strcmp(d->seen[i], "timeout") == 0;
		for (uint32_t k = 0; k < report.count; k++) {
			char name[320];
			outcome_name(model, &report.outcomes[k], d->proto, d->from, name);
			known |= strcmp(name, d->seen[i]) == 0;
		}
		if (!known && !unknown) {
			char name[320];
			outcome_name(model, &report.outcomes[0], d->proto, d->from, name);
			check_note(false, __FILE__, __LINE__, "%s %s -> %s %s: real \"%s\", model %u, first \"%s\"",
				   file, d->from, d->to, proto_name(d->proto), d->seen[i], report.count,
				   name);
			unknown = true;
		}
	}
	trace_report_free(&report);
}

/* ---- clusters ------------------------------------------------------------------------------- */

static uint32_t senders(struct world *w, const char **froms, struct arena *arena, uint32_t max)
{
	const struct kube_object *o;
	uint32_t cursor = 0, n = 0;
	char text[NET_ADDR_TEXT];
	froms[n++] = family == NET_V4 ? "outside/198.18.7.7" : "outside/2001:db8::7";
	while ((o = kube_store_next_created(world_store(w), KIND_NODE, &cursor)) != NULL && n < max - 2) {
		const struct kube_node *node = (const void *)o;
		struct net_prefix range;
		struct net_addr a;
		froms[n++] = arena_printf(arena, "node/%s", o->meta.name);
		if (node->spec.pod_cidr && net_prefix_parse(node->spec.pod_cidr, &range) &&
		    net_prefix_nth(&range, 250, &a))
			froms[n++] = arena_strdup(arena, net_addr_text(&a, text));
	}
	cursor = 0;
	while ((o = kube_store_next_created(world_store(w), KIND_ENDPOINT_SLICE, &cursor)) != NULL) {
		const struct kube_endpoint_slice *s = (const void *)o;
		if (!s->endpoints.count || !s->endpoints.items[0].node_name ||
		    !kube_is(s->address_type, family == NET_V4 ? "IPv4" : "IPv6"))
			continue;
		froms[n++] = arena_strdup(arena, s->endpoints.items[0].addresses.items[0]);
		break;
	}
	return n;
}

static void keep_few(void)
{
	uint32_t kept = 0;
	for (uint32_t i = 3; i < dial_count; i += FEW)
		dials[kept++] = dials[i];
	dial_count = kept;
}

static void cluster(const char *file, const char *mode, bool few)
{
	struct err err = { "" };
	int code, code2;
	struct err why = { "" };
	int64_t off = 0;
	if (netns_executor.supports(mode, &why) != 0) {
		printf("# skipped: %s\n", why.text);
		return;
	}
	struct world *real = open_world(file, mode, "netns", &code, &err);
	struct world *model = open_world(file, mode, NULL, &code2, &err);
	const char *froms[16];
	struct arena *arena = arena_new();
	dial_count = 0;
	dials = NULL;
	for (uint32_t i = 0; !code && i < kube_store_count(world_store(model), KIND_NODE); i++) {
		uint32_t at = 0;
		const struct kube_object *o = NULL;
		char name[300];
		for (uint32_t k = 0; k <= i; k++)
			o = kube_store_next_created(world_store(model), KIND_NODE, &at);
		snprintf(name, sizeof name, "node/%s", o->meta.name);
		/* Refusals are limited by Linux: here many come at once. */
		code = world_sysctl(real, world_place(real, name, NULL), "net.ipv4.icmp_ratelimit", &off,
				    true, &err);
	}
	if (check_note(!code && !code2, __FILE__, __LINE__, "%s: %s", file, err.text)) {
		const struct kube_object *o;
		uint32_t cursor = 0;
		family = NET_V4;
		while ((o = kube_store_next(world_store(model), KIND_SERVICE, NULL, &cursor)) != NULL) {
			const char *ip = ((const struct kube_service *)o)->spec.cluster_ip;
			if (ip && strchr(ip, ':'))
				family = NET_V6;
		}
		cursor = 0;
		uint32_t count = senders(model, froms, arena, 12);
		while ((o = kube_store_next(world_store(model), KIND_SERVICE, NULL, &cursor)) != NULL)
			service_dials(model, (const void *)o, froms, count);
		if (few)
			keep_few();
		for (uint32_t at = 0; at < dial_count; at += AT_ONCE)
			run_real(real, &dials[at], dial_count - at < AT_ONCE ? dial_count - at : AT_ONCE,
				 few ? 3 * NS_PER_S / 2 : 3 * NS_PER_S);
		for (uint32_t i = 0; i < dial_count; i++)
			compare(model, &dials[i], file);
		printf("# %s: %u dials\n", file, dial_count);
	}
	free(dials);
	arena_free(arena);
	world_free(model);
	world_free(real);
}

static void clusters(void)
{
	const char *more = getenv("SVCLAB_DIFFERENTIAL"), *mode = getenv("SVCLAB_MODE");
	char *list = mem_strdup(more ? more : "tests/golden/probes/five-0.yaml");
	for (char *save = NULL, *file = strtok_r(list, " ", &save); file;
	     file = strtok_r(NULL, " ", &save))
		cluster(file, mode ? mode : "iptables", !more);
	free(list);
}

static const struct check tests[] = {
	{ "packets fare in the Linux model as on real Linux", clusters },
};

CHECK_MAIN(tests)
