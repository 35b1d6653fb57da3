/* world/migration_packets.c: the same packet through both modes. */
#include "world/migration_internal.h"

#include <stdio.h>
#include <string.h>

#include "world/tracing.h"

#define STRANGER "outside/198.51.100.77" /* a documentation address */

struct probe {
	char from[300], to[128];
	uint8_t proto;
};

struct seen { /* what of an outcome is compared */
	bool known;
	enum trace_verdict verdict;
	enum { SEEN_NOTHING, SEEN_OWN, SEEN_OTHER } client;
	bool left, closed; /* by the default route; by a proxy that has no endpoint */
};

/* ---- outcomes ----------------------------------------------------------------------- */

static struct seen measure(struct comparison *c, unsigned side, const struct probe *p)
{
	struct trace_query q = { .from = p->from, .to = p->to, .proto = p->proto };
	struct trace_report report = { 0 };
	struct err err = { "" };
	struct seen s = { 0 };
	struct world *w = c->worlds[side];
	if (world_trace(w, &q, &report, &err) == 0 && report.count) {
		const struct trace_outcome *o = &report.outcomes[0];
		const struct place *from = world_place(w, p->from, NULL);
		s = (struct seen){ .known = true, .verdict = o->verdict,
				   .left = strstr(o->reason, "left the cluster") != NULL,
				   .closed = strstr(o->reason, "reached no endpoint") != NULL };
		if (o->verdict == TRACE_DELIVERED && o->client_seen.family != NET_NONE && from) {
			struct net_addr own = place_addr(from, o->client_seen.family);
			s.client = net_addr_equal(&own, &o->client_seen) ? SEEN_OWN : SEEN_OTHER;
		}
	} else if (err.text[0]) {
		char line[800];
		snprintf(line, sizeof line, "a packet was not sent in mode %s: %s",
			 world_dataplane(w), err.text);
		migration_note(c, line);
	}
	trace_report_free(&report);
	return s;
}

static const char *words(const struct seen *s)
{
	switch (s->verdict) {
	case TRACE_DELIVERED:
		if (s->closed)
			return "connected by kube-proxy, then closed: there is no endpoint";
		if (s->client == SEEN_NOTHING)
			return "answered";
		return s->client == SEEN_OWN ? "delivered; the server sees the client's own address"
					     : "delivered; the server sees a node's address";
	case TRACE_REJECTED:
		return "refused at once";
	case TRACE_DROPPED:
		return "dropped: the client waits until it gives up";
	case TRACE_NO_ROUTE:
		return "no route";
	default:
		return s->left ? "leaves the cluster by the default route; the client waits until it "
				 "gives up"
			       : "no answer: the client waits until it gives up";
	}
}

static void try(struct comparison *c, const char *id, const char *service, const struct probe *p,
		const char *what, const char *advice)
{
	if (c->broken[0] || c->broken[1])
		return;
	struct seen before = measure(c, 0, p), after = measure(c, 1, p);
	if (!before.known || !after.known)
		return;
	const char *a = words(&before), *b = words(&after);
	if (strcmp(a, b) != 0)
		migration_add(c, id, service, what, a, b, advice);
}

/* ---- clients ------------------------------------------------------------------------- */

/* The first node with a kube-proxy; one that others only name has none. */
static const struct place *first_node(const struct comparison *c)
{
	for (uint32_t i = 0; i < c->worlds[0]->node_count; i++)
		if (!c->worlds[0]->nodes[i]->implied)
			return c->worlds[0]->nodes[i];
	return NULL;
}

/* A pod that sends, which is no endpoint of the port; on a node without endpoints of it
 * when `away`. false: there is none. */
static bool client_pod(const struct comparison *c, const struct subject *s, bool away,
		       const struct kube_pod **out)
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	while ((o = kube_store_next_created(c->worlds[0]->store, KIND_POD, &cursor)) != NULL) {
		const struct kube_pod *pod = (const void *)o;
		if (!pod->status.pod_ip || !pod->spec.node_name || pod->spec.host_network == TRI_TRUE ||
		    kube_is(pod->status.phase, "Succeeded") || kube_is(pod->status.phase, "Failed"))
			continue;
		const struct place *node = place_of_node(c->worlds[0], pod->spec.node_name);
		if (!node || node->implied)
			continue;
		if (s && subject_endpoints(c, s, away ? pod->spec.node_name : NULL,
					   away ? NULL : pod->status.pod_ip))
			continue;
		*out = pod;
		return true;
	}
	return false;
}

/* From a pod, or from the first node where no pod will do. */
static bool inside(const struct comparison *c, const struct subject *s, struct probe *p)
{
	const struct kube_pod *pod;
	if (client_pod(c, s, false, &pod))
		snprintf(p->from, sizeof p->from, "pod/%s/%s", pod->object.meta.namespace,
			 pod->object.meta.name);
	else if (first_node(c))
		snprintf(p->from, sizeof p->from, "%s", first_node(c)->name);
	else
		return false;
	return true;
}

static void aim(struct probe *p, const char *address, int port)
{
	snprintf(p->to, sizeof p->to, strchr(address, ':') ? "[%s]:%d" : "%s:%d", address, port);
}

/* A port that the Service does not define. */
static int undefined_port(const struct kube_service *s)
{
	for (int port = 7;; port++) {
		bool taken = false;
		for (uint32_t i = 0; i < s->spec.ports.count; i++)
			taken |= s->spec.ports.items[i].port == port;
		if (!taken)
			return port;
	}
}

static const struct place *node_without(const struct comparison *c, const struct subject *s)
{
	for (uint32_t i = 0; i < c->worlds[0]->node_count; i++)
		if (!c->worlds[0]->nodes[i]->implied &&
		    !subject_endpoints(c, s, c->worlds[0]->nodes[i]->node, NULL))
			return c->worlds[0]->nodes[i];
	return NULL;
}

static bool either(const struct comparison *c, enum mode mode)
{
	return c->modes[0] == mode || c->modes[1] == mode;
}

/* ---- ClusterIPs ------------------------------------------------------------------------ */

static void cluster_ip(struct comparison *c, const struct subject *s)
{
	struct probe p = { .proto = s->proto };
	const struct kube_pod *pod;
	if (!s->internal_local && inside(c, s, &p)) {
		const char *id = s->endpoints ? "USR-01" : "USR-04";
		if (!either(c, MODE_USERSPACE))
			id = s->endpoints ? "CIP-01" : "NEP-04";
		aim(&p, s->address, s->port->port);
		try(c, id, s->name, &p,
		    "A client in the cluster connects to the ClusterIP.",
		    "Check logs and access rules that rely on the client's address.");
	}
	if (s->internal_local && client_pod(c, s, true, &pod) && s->endpoints) {
		snprintf(p.from, sizeof p.from, "pod/%s/%s", pod->object.meta.namespace,
			 pod->object.meta.name);
		aim(&p, s->address, s->port->port);
		bool others = s->port->node_port || s->virtual_ip || s->external_ip;
		try(c, !either(c, MODE_IPVS) ? "POL-07" : others ? "POL-09" : "POL-08", s->name, &p,
		    "A client on a node without an endpoint, internalTrafficPolicy Local.",
		    "Put an endpoint on every node that has clients, for instance with a DaemonSet.");
	}
}

static void undefined(struct comparison *c, const struct subject *s)
{
	struct probe p = { .proto = PROTO_TCP };
	if (!s->first || !inside(c, s, &p))
		return;
	aim(&p, s->address, undefined_port(s->service));
	try(c, "CIP-04", s->name, &p, "A port of the ClusterIP that the Service does not define.",
	    "Look for clients and scanners that use undefined ports and wait for a time-out.");
	p.proto = PROTO_ICMP;
	snprintf(p.to, sizeof p.to, "%s", s->address);
	try(c, either(c, MODE_IPVS) ? "ICM-02" : "ICM-01", s->name, &p, "Ping of the ClusterIP.",
	    "Monitor Services by a connection to a port, not by ping.");
}

/* ---- NodePorts --------------------------------------------------------------------------- */

static void loopback(struct comparison *c, const struct subject *s)
{
	struct probe p = { .proto = s->proto };
	snprintf(p.from, sizeof p.from, "%s", first_node(c)->name);
	aim(&p, "127.0.0.1", s->port->node_port);
	try(c, "NPT-04", s->name, &p, "NodePort at 127.0.0.1, from the node itself.",
	    "Make programs on nodes (registries, agents) use the node's own address.");
}

/* Manifests do not tell whether the CNI gives nodes an address among their pods. */
static void unknown_gateway(struct comparison *c, const struct subject *s)
{
	static const char *const how[] = { "served", "refused at once" };
	bool before = c->modes[0] == MODE_NFTABLES, after = c->modes[1] == MODE_NFTABLES;
	bool addresses = c->configuration && c->configuration->node_port_addresses.count;
	if (before != after && !addresses)
		migration_add(c, "NPT-03", s->name,
			      "NodePort at the pods' gateway address, where the CNI gives nodes one, from a "
			      "pod.",
			      how[before], how[after],
			      "Make pods use the node's primary address (status.hostIP) or the ClusterIP.");
}

static void gateway(struct comparison *c, const struct subject *s)
{
	struct probe p = { .proto = s->proto };
	const struct kube_pod *pod;
	struct net_addr a;
	char text[NET_ADDR_TEXT];
	if (!client_pod(c, s, false, &pod))
		return;
	const struct place *node = place_of_node(c->worlds[0], pod->spec.node_name);
	if (!node)
		return;
	if (node->routed) {
		unknown_gateway(c, s);
		return;
	}
	if (!net_prefix_nth(&node->pod_cidrs[0], 1, &a))
		return;
	snprintf(p.from, sizeof p.from, "pod/%s/%s", pod->object.meta.namespace,
		 pod->object.meta.name);
	aim(&p, net_addr_text(&a, text), s->port->node_port);
	try(c, "NPT-03", s->name, &p, "NodePort at the pods' gateway address, from a pod of the node.",
	    "Make pods use the node's primary address (status.hostIP) or the ClusterIP.");
}

static void node_port(struct comparison *c, const struct subject *s)
{
	struct probe p = { .from = STRANGER, .proto = s->proto };
	if (!s->port->node_port || !first_node(c))
		return;
	loopback(c, s);
	gateway(c, s);
	const struct place *node = node_without(c, s);
	bool local = s->external_local && s->endpoints && node;
	char text[NET_ADDR_TEXT];
	if (!local)
		node = first_node(c);
	aim(&p, net_addr_text(&node->addrs[node->addrs[0].family == NET_NONE], text),
	    s->port->node_port);
	if (local)
		try(c, either(c, MODE_IPVS) ? "POL-03" : "POL-02", s->name, &p,
		    "From outside to a node without an endpoint, externalTrafficPolicy Local.",
		    "Let load balancers use the health check node port, so that they leave out such "
		    "nodes.");
	else
		try(c, s->endpoints ? "NPT-09" : "NEP-05", s->name, &p, "From outside to the NodePort of a node.",
		    "Check the path of outside clients before the change.");
}

/* ---- addresses from outside ------------------------------------------------------------------ */

static void outside_address(struct comparison *c, const struct subject *s, const char *address,
			    const char *id)
{
	struct probe p = { .from = STRANGER, .proto = s->proto };
	aim(&p, address, s->port->port);
	try(c, id, s->name, &p, "From outside to the load balancer or external address.",
	    "Check the path of outside clients before the change.");
	if (inside(c, s, &p)) {
		try(c, strcmp(id, "EXI-03") == 0 ? "EXI-01" : s->service->spec.source_ranges.count
								 ? "LBR-06" : "LBR-03",
		    s->name, &p, "From a pod to the load balancer or external address.",
		    "Make pods use the ClusterIP.");
		snprintf(p.from, sizeof p.from, "%s", first_node(c)->name);
		try(c, s->service->spec.source_ranges.count ? "LBR-08"
		       : !s->endpoints ? "NEP-06" : s->external_local ? "POL-05" : "LBR-03",
		    s->name, &p,
		    "From a node to the load balancer or external address.",
		    "Make programs on nodes use the ClusterIP.");
	}
}

static void ranges_place(struct comparison *c, const struct subject *s)
{
	static const char *const where[MODE_COUNT] = {
		"in iptables' filter table, after the rules' choice (KUBE-PROXY-FIREWALL)",
		"by ipsets in iptables' filter table, after IPVS (KUBE-PROXY-FIREWALL)",
		"in nftables before any translation, at priority -110", "nowhere: they are ignored" };
	if (s->virtual_ip && s->service->spec.source_ranges.count)
		migration_add(c, "LBR-05", s->name, "Where loadBalancerSourceRanges are enforced.",
			      where[c->modes[0]], where[c->modes[1]],
			      "Adapt tools that read the counters or logs of these rules.");
}

void packets_compare_port(struct comparison *c, const struct subject *s)
{
	cluster_ip(c, s);
	undefined(c, s);
	node_port(c, s);
	if (s->virtual_ip && first_node(c))
		outside_address(c, s, s->virtual_ip,
				s->service->spec.source_ranges.count
					? (s->endpoints ? "LBR-04" : "LBR-09") : "LBR-02");
	if (s->external_ip && first_node(c))
		outside_address(c, s, s->external_ip, "EXI-03");
	ranges_place(c, s);
}

/* ---- the Services' range ------------------------------------------------------------------------ */

static bool allocated(const struct comparison *c, const char *address)
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	while ((o = kube_store_next(c->worlds[0]->store, KIND_SERVICE, NULL, &cursor)) != NULL)
		if (kube_is(((const struct kube_service *)o)->spec.cluster_ip, address))
			return true;
	return false;
}

void packets_compare_cluster(struct comparison *c)
{
	struct probe p = { .proto = PROTO_TCP };
	uint32_t cursor = 0;
	const struct kube_service_cidr *range = (const void *)kube_store_next(
		c->worlds[0]->store, KIND_SERVICE_CIDR, NULL, &cursor);
	struct net_prefix prefix;
	struct net_addr a;
	char text[NET_ADDR_TEXT];
	if (!first_node(c))
		migration_note(c, "no packets were sent: no Node is given, so no kube-proxy runs");
	if (!range || !range->cidrs.count || !net_prefix_parse(range->cidrs.items[0], &prefix) ||
	    !inside(c, NULL, &p))
		return;
	for (uint32_t n = 2; net_prefix_nth(&prefix, n, &a); n++)
		if (!allocated(c, net_addr_text(&a, text))) {
			aim(&p, text, 80);
			try(c, "CIP-05", "", &p, "An address of the Services' range that no Service has.",
			    "Find clients that use addresses of deleted Services.");
			return;
		}
}
