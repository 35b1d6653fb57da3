/* world/snapshot.c: manifests as they are become places, listeners and rules.
 *
 * Nothing is added: a node's addresses are loopback and its status.addresses (and what
 * the annotation svclab.dev/addresses lists, "cni0=10.244.1.1/24,docker0=172.17.0.1/16");
 * pods have the addresses of their status; every endpoint of a slice is a place that
 * answers, on the node that the slice names, also when no Pod has its address.
 * Containers listen on their containerPorts, or, with none declared, on the ports that
 * their endpoints name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/manifest.h"
#include "world/internal.h"

#define LAN_V4_BITS 24
#define LAN_V6_BITS 64
#define LAN_DELAY_NS (100 * NS_PER_US)
#define VETH_DELAY_NS (10 * NS_PER_US)
#define ADDRESSES_ANNOTATION "svclab.dev/addresses"

/* ---- the nodes' network ------------------------------------------------------ */

static unsigned common_bits(const struct net_addr *a, const struct net_addr *b, unsigned most)
{
	for (unsigned i = 0; i < most; i++)
		if ((a->bytes[i / 8] ^ b->bytes[i / 8]) & (0x80 >> (i % 8)))
			return i;
	return most;
}

void topology_from_nodes(struct world *w)
{
	struct topology *t = &w->topology;
	*t = (struct topology){ .lan_delay_ns = LAN_DELAY_NS, .veth_delay_ns = VETH_DELAY_NS };
	for (int f = 0; f < 2; f++) {
		uint8_t family = f ? NET_V6 : NET_V4;
		unsigned bits = f ? LAN_V6_BITS : LAN_V4_BITS;
		for (uint32_t i = 0; i < w->node_count; i++) {
			struct net_addr a = place_addr(w->nodes[i], family);
			if (a.family == NET_NONE)
				continue;
			if (t->lan[f].addr.family == NET_NONE)
				t->lan[f].addr = a;
			bits = common_bits(&t->lan[f].addr, &a, bits);
		}
		if (t->lan[f].addr.family == NET_NONE)
			continue;
		t->lan[f].bits = (uint8_t)bits;
		t->lan[f] = net_prefix_masked(&t->lan[f]);
	}
}

/* ---- nodes -------------------------------------------------------------------- */

static void take_address(struct place_wish *wish, struct net_addr *more, const struct net_addr *a)
{
	for (int k = 0; k < 2; k++) {
		if (net_addr_equal(&wish->addrs[k], a))
			return;
		if (wish->addrs[k].family == a->family)
			break;
		if (wish->addrs[k].family == NET_NONE) {
			wish->addrs[k] = *a;
			return;
		}
	}
	for (uint32_t k = 0; k < wish->more_count; k++)
		if (net_addr_equal(&more[k], a))
			return;
	more[wish->more_count++] = *a;
}

/* InternalIPs first: what other nodes route by. */
static void node_addresses(const struct kube_node *n, struct place_wish *wish, struct net_addr *more)
{
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < n->status.addresses.count; i++) {
			const struct kube_node_address *a = &n->status.addresses.items[i];
			struct net_addr addr;
			if (a->address && kube_is(a->type, "InternalIP") == !pass &&
			    net_addr_parse(a->address, &addr))
				take_address(wish, more, &addr);
		}
}

/* From the end of the nodes' network, where given nodes seldom are. */
static struct net_addr invented_address(struct world *w)
{
	static const struct net_prefix unknown = { { .family = NET_V4, .bytes = { 192, 168 } }, 24 };
	const struct net_prefix *lan = &unknown;
	for (int f = 1; f >= 0; f--)
		if (w->topology.lan[f].addr.family != NET_NONE)
			lan = &w->topology.lan[f];
	unsigned host_bits = net_family_bits(lan->addr.family) - lan->bits;
	uint64_t last = host_bits < 16 ? (UINT64_C(1) << host_bits) - 3 : 0xfffd;
	struct net_addr a = lan->addr;
	do
		net_prefix_nth(lan, last - w->invented++ % last, &a);
	while (place_by_addr(w, &a));
	return a;
}

static int add_node(struct world *w, const struct kube_node *n, struct err *err)
{
	char name[300], text[NET_ADDR_TEXT];
	struct net_addr *more = mem_array(n->status.addresses.count + 1, sizeof *more);
	struct place *p = NULL;
	snprintf(name, sizeof name, "node/%s", n->object.meta.name);
	struct place_wish wish = { .kind = PLACE_NODE, .name = name, .label = n->object.meta.name,
				   .node = n->object.meta.name, .more = more, .routed = true };
	node_addresses(n, &wish, more);
	if (wish.addrs[0].family == NET_NONE) {
		wish.addrs[0] = invented_address(w);
		world_warn(w, "node %s has no address in status.addresses: it is given %s",
			   n->object.meta.name, net_addr_text(&wish.addrs[0], text));
	}
	for (uint32_t i = 0; i < n->spec.pod_cidrs.count && i < 2; i++)
		net_prefix_parse(n->spec.pod_cidrs.items[i], &wish.pod_cidrs[i]);
	if (!n->spec.pod_cidrs.count && n->spec.pod_cidr)
		net_prefix_parse(n->spec.pod_cidr, &wish.pod_cidrs[0]);
	const char *extra = kube_map_get(&n->object.meta.annotations, ADDRESSES_ANNOTATION);
	wish.routed = !extra || !strstr(extra, "cni0=");
	int code = place_add(w, &wish, &p, err);
	free(more);
	return code || !extra ? code : place_extra_addresses(p, extra, err);
}

static int add_nodes(struct world *w, struct err *err)
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	int code = 0;
	while (!code && (o = kube_store_next_created(w->store, KIND_NODE, &cursor)) != NULL)
		code = add_node(w, (const void *)o, err);
	return code;
}

/* A node that objects name and nobody describes: it carries pods, but no kube-proxy. */
static struct place *implied_node(struct world *w, const char *node, struct err *err)
{
	struct place *p = place_of_node(w, node);
	char name[300], text[NET_ADDR_TEXT];
	if (p)
		return p;
	snprintf(name, sizeof name, "node/%s", node);
	struct place_wish wish = { .kind = PLACE_NODE, .name = name, .label = node, .node = node,
				   .addrs = { invented_address(w) }, .routed = true,
				   .implied = true };
	if (place_add(w, &wish, &p, err) != 0)
		return NULL;
	world_warn(w, "node %s is named but not given: it is placed at %s, without kube-proxy", node,
		   net_addr_text(&wish.addrs[0], text));
	return p;
}

/* ---- pods --------------------------------------------------------------------- */

static void pod_addresses(const struct kube_pod *pod, struct net_addr out[2])
{
	struct net_addr a;
	uint32_t n = 0;
	if (pod->status.pod_ip && net_addr_parse(pod->status.pod_ip, &a))
		out[n++] = a;
	for (uint32_t i = 0; i < pod->status.pod_ips.count && n < 2; i++)
		if (net_addr_parse(pod->status.pod_ips.items[i], &a) &&
		    (n == 0 || out[0].family != a.family))
			out[n++] = a;
}

static bool finished(const struct kube_pod *pod)
{
	return kube_is(pod->status.phase, "Succeeded") || kube_is(pod->status.phase, "Failed");
}

static void listen_on(struct place *p, const struct kube_containers *list, bool *declared)
{
	for (uint32_t i = 0; i < list->count; i++)
		for (uint32_t k = 0; k < list->items[i].ports.count; k++) {
			const struct kube_container_port *port = &list->items[i].ports.items[k];
			*declared = true;
			program_add(p, 0, proto_number(port->protocol ? port->protocol : "TCP"),
				    (uint16_t)port->container_port, NULL);
		}
}

static int add_pod(struct world *w, const struct kube_pod *pod, struct err *err)
{
	const struct kube_meta *m = &pod->object.meta;
	char name[400], label[400];
	struct place *p = NULL;
	snprintf(name, sizeof name, "pod/%s/%s", m->namespace, m->name);
	snprintf(label, sizeof label, "%s/%s", m->namespace, m->name);
	struct place_wish wish = { .kind = PLACE_POD, .name = name, .label = label,
				   .node = pod->spec.node_name,
				   .host_network = pod->spec.host_network == TRI_TRUE };
	pod_addresses(pod, wish.addrs);
	if (!wish.node || finished(pod) || (wish.addrs[0].family == NET_NONE && !wish.host_network))
		return 0;
	if (!implied_node(w, wish.node, err))
		return EINVAL;
	int code = place_add(w, &wish, &p, err);
	if (code == EEXIST) { /* an old pod's record, left behind with its address */
		world_warn(w, "%s: this pod is left out", err ? err->text : name);
		return 0;
	}
	if (code)
		return code;
	bool declared = false;
	listen_on(p, &pod->spec.containers, &declared);
	return 0;
}

static int add_pods(struct world *w, struct err *err)
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	int code = 0;
	while (!code && (o = kube_store_next_created(w->store, KIND_POD, &cursor)) != NULL)
		code = add_pod(w, (const void *)o, err);
	return code;
}

/* ---- endpoints ------------------------------------------------------------------ */

static bool declares_ports(const struct kube_pod *pod)
{
	for (uint32_t i = 0; pod && i < pod->spec.containers.count; i++)
		if (pod->spec.containers.items[i].ports.count)
			return true;
	return false;
}

/* The pod behind an endpoint: by the slice's reference, then by address. */
static const struct kube_pod *endpoint_pod(const struct world *w, const struct kube_endpoint *e,
					   const char *namespace, const struct net_addr *a)
{
	const struct kube_object *o = NULL;
	if (kube_is(e->target.kind, "Pod") && e->target.name)
		o = kube_store_get(w->store, KIND_POD,
				   e->target.namespace ? e->target.namespace : namespace,
				   e->target.name);
	return o ? (const void *)o : kube_store_pod_by_ip(w->store, a);
}

static struct place *endpoint_place(struct world *w, const struct kube_endpoint *e,
				    const char *namespace, const struct net_addr *a, struct err *err)
{
	struct place *p = place_by_addr(w, a);
	char name[400], text[NET_ADDR_TEXT];
	if (p)
		return p;
	net_addr_text(a, text);
	if (kube_is(e->target.kind, "Pod") && e->target.name)
		snprintf(name, sizeof name, "pod/%s/%s",
			 e->target.namespace ? e->target.namespace : namespace, e->target.name);
	else
		snprintf(name, sizeof name, "%s/%s", e->node_name ? "pod" : "outside", text);
	if (place_find(w, name))
		snprintf(name, sizeof name, "pod/%s", text);
	struct place_wish wish = { .kind = PLACE_POD, .name = name, .addrs = { *a },
				   .label = strncmp(name, "pod/", 4) == 0 ? name + 4 : name,
				   .node = e->node_name, .implied = true };
	if (!e->node_name) { /* an address outside the cluster, or on nobody knows which node */
		wish.kind = PLACE_OUTSIDE;
		for (uint32_t i = 0; i < w->node_count; i++)
			for (int f = 0; f < 2; f++)
				if (net_prefix_contains(&w->nodes[i]->pod_cidrs[f], a)) {
					wish.kind = PLACE_POD;
					wish.node = w->nodes[i]->node;
				}
		if (!wish.node)
			wish.node = w->node_count ? w->nodes[0]->node : "";
	} else if (!implied_node(w, wish.node, err)) {
		return NULL;
	}
	return place_add(w, &wish, &p, err) == 0 ? p : NULL;
}

static int add_endpoint(struct world *w, const struct kube_endpoint_slice *slice,
			const struct kube_endpoint *e, struct err *err)
{
	for (uint32_t i = 0; i < e->addresses.count; i++) {
		struct net_addr a;
		if (!net_addr_parse(e->addresses.items[i], &a) || net_addr_is_loopback(&a))
			continue;
		const char *namespace = slice->object.meta.namespace;
		const struct kube_pod *pod = endpoint_pod(w, e, namespace, &a);
		struct place *p = endpoint_place(w, e, namespace, &a, err);
		if (!p)
			return EINVAL;
		if (declares_ports(pod))
			continue;
		for (uint32_t k = 0; k < slice->ports.count; k++) {
			const struct kube_endpoint_port *port = &slice->ports.items[k];
			if (port->port.set && port->port.value > 0)
				program_add(p, 0, proto_number(port->protocol ? port->protocol : "TCP"),
					    (uint16_t)port->port.value, NULL);
		}
	}
	return 0;
}

static int add_endpoints(struct world *w, struct err *err)
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	while ((o = kube_store_next_created(w->store, KIND_ENDPOINT_SLICE, &cursor)) != NULL) {
		const struct kube_endpoint_slice *slice = (const void *)o;
		if (kube_is(slice->address_type, "FQDN"))
			continue;
		for (uint32_t i = 0; i < slice->endpoints.count; i++) {
			int code = add_endpoint(w, slice, &slice->endpoints.items[i], err);
			if (code)
				return code;
		}
	}
	return 0;
}

int snapshot_places(struct world *w, struct err *err)
{
	int code = world_choose_mode(w, err);
	if (!code)
		code = add_nodes(w, err);
	if (code)
		return code;
	topology_from_nodes(w);
	for (uint32_t i = 0; i < w->node_count; i++)
		proxy_new(w->nodes[i]);
	code = add_pods(w, err);
	return code ? code : add_endpoints(w, err);
}

int world_load(struct world *w, const char *const *files, uint32_t count, struct err *err)
{
	int code = manifest_load(w->store, files, count, w->options.warnings, err);
	if (!code)
		code = control_fill_snapshot(w->store, w->choice, w->options.warnings, err);
	return code ? code : snapshot_places(w, err);
}
