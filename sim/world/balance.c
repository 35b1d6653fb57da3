/* world/balance.c: load balancers that stand in front of the nodes.
 *
 * All are one machine on the nodes' LAN, at the address below the gateway's; it asks the
 * nodes' health from there: the health check node port of a Service with policy Local, else
 * kube-proxy's healthz (10256). Targets are all nodes without the label
 * node.kubernetes.io/exclude-from-external-load-balancers.
 *
 * A proxy (apps/balancer.h) has the virtual address as a host of its own on the LAN; it is
 * reached by hosts outside directly and by the cluster over the gateway. A passthrough has
 * none: it is the route of each host outside to the virtual address, by one of the healthy
 * nodes, chosen by the host's address; with no healthy node by one of all. IPv4 only.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/balancer.h"
#include "kube/control/balancer.h"
#include "world/internal.h"

#define EXCLUDE "node.kubernetes.io/exclude-from-external-load-balancers"
#define HEALTHZ_PORT 10256
#define PORTS_MAX 100
#define NODES_MAX 1024

struct balance { /* of one Service */
	struct world *world;
	struct balance *next;
	char *key;                     /* "namespace/name" */
	struct net_addr address;
	bool proxy, seen;
	struct balancer_port ports[PORTS_MAX];
	uint32_t port_count;
	uint16_t health_port;
	struct balancer *balancer;     /* NULL: it could not start */
};

struct balances {
	struct balance *list;
};

/* ---- the machine ------------------------------------------------------------------------- */

static struct place *own_place(struct world *w, const struct net_addr *a)
{
	char text[NET_ADDR_TEXT], name[NET_ADDR_TEXT + 16];
	struct err err;
	struct place *p = place_by_addr(w, a);
	if (p)
		return p->kind == PLACE_OUTSIDE ? p : NULL;
	snprintf(name, sizeof name, "outside/%s", net_addr_text(a, text));
	struct place_wish wish = { .kind = PLACE_OUTSIDE, .name = name, .label = name, .node = "",
				   .addrs = { *a } };
	if (place_add(w, &wish, &p, &err) != 0) {
		world_warn(w, "load balancer %s: %s", text, err.text);
		return NULL;
	}
	return p;
}

/* The address below the last of the LAN, which is the gateway's. */
static struct place *machine(struct world *w)
{
	struct net_addr a = net_prefix_last(&w->topology.lan[0]);
	if (a.family != NET_V4)
		return NULL;
	a.bytes[3]--;
	return own_place(w, &a);
}

/* ---- ways of the hosts outside ----------------------------------------------------------------- */

static void tell(struct balance *b, struct place *p)
{
	char address[NET_ADDR_TEXT], via[NET_ADDR_TEXT], line[128];
	struct net_addr healthy[NODES_MAX];
	struct err ignored;
	if (p->addrs[0].family != NET_V4 || net_addr_equal(&p->addrs[0], &b->address) ||
	    !b->balancer || p == machine(b->world))
		return;
	net_addr_text(&b->address, address);
	snprintf(line, sizeof line, "del %s/32\n", address);
	place_load_line(p, TX_ROUTE, line, &ignored); /* there may be none yet */
	uint32_t count = balancer_healthy(b->balancer, healthy, NODES_MAX, true);
	if (!b->proxy && !count)
		return;
	if (b->proxy) {
		snprintf(line, sizeof line, "add %s/32 dev eth0\n", address);
	} else {
		uint64_t hash = hash_bytes(p->addrs[0].bytes, 4, hash_bytes(b->address.bytes, 4, 0));
		snprintf(line, sizeof line, "add %s/32 via %s dev eth0\n", address,
			 net_addr_text(&healthy[hash % count], via));
	}
	if (place_load_line(p, TX_ROUTE, line, &ignored) != 0)
		world_warn(b->world, "%s: route to load balancer %s: %s", p->name, address,
			   ignored.text);
}

static void tell_all(void *ctx)
{
	struct balance *b = ctx;
	void *value;
	for (uint32_t i = 0; table_next(&b->world->places, &i, NULL, &value);) {
		struct place *p = *(struct place **)value;
		if (p->kind == PLACE_OUTSIDE && p->attached)
			tell(b, p);
	}
}

static void health_changed(void *ctx)
{
	struct balance *b = ctx;
	if (!b->proxy)
		tell_all(b);
}

void balances_tell(struct place *p)
{
	struct balances *all = p->world->balances;
	for (struct balance *b = all ? all->list : NULL; b; b = b->next)
		tell(b, p);
}

/* ---- Services ----------------------------------------------------------------------------------- */

static bool wanted(const struct kube_service *s, struct balance *out)
{
	const char *class = s->spec.load_balancer_class;
	bool local = kube_is(s->spec.external_traffic_policy, "Local");
	out->proxy = kube_is(class, LB_CLASS_PROXY);
	if (!kube_is(s->spec.type, "LoadBalancer") || s->object.meta.deletion_ns ||
	    (!out->proxy && !kube_is(class, LB_CLASS_PASSTHROUGH)) || !s->status.ingress.count ||
	    !s->status.ingress.items[0].ip ||
	    !net_addr_parse(s->status.ingress.items[0].ip, &out->address) ||
	    out->address.family != NET_V4)
		return false;
	for (uint32_t i = 0; out->proxy && i < s->spec.ports.count && i < PORTS_MAX; i++)
		out->ports[out->port_count++] =
			(struct balancer_port){ (uint16_t)s->spec.ports.items[i].port,
						(uint16_t)s->spec.ports.items[i].node_port };
	out->health_port = local && s->spec.health_check_node_port
				   ? (uint16_t)s->spec.health_check_node_port : HEALTHZ_PORT;
	return true;
}

static bool same(const struct balance *a, const struct balance *b)
{
	return a->proxy == b->proxy && net_addr_equal(&a->address, &b->address) &&
	       a->health_port == b->health_port && a->port_count == b->port_count &&
	       memcmp(a->ports, b->ports, a->port_count * sizeof *a->ports) == 0;
}

static void stop(struct balance *b)
{
	balancer_stop(b->balancer);
	b->balancer = NULL;
	struct place *p = b->proxy ? place_by_addr(b->world, &b->address) : NULL;
	if (p && p->kind == PLACE_OUTSIDE)
		place_remove(p);
}

static void start(struct balance *b)
{
	struct world *w = b->world;
	struct place *back = machine(w), *front = b->proxy ? own_place(w, &b->address) : back;
	if (!back || !front)
		return;
	struct balancer_config config = {
		.front = place_sockets(front), .back = place_sockets(back), .engine = w->engine,
		.address = b->address, .ports = b->ports, .port_count = b->port_count,
		.health_port = b->health_port, .changed = health_changed, .ctx = b,
	};
	int code = balancer_start(&config, &b->balancer);
	if (code)
		world_warn(w, "load balancer of %s: cannot listen: %s", b->key, strerror(code));
}

static void set_targets(struct balance *b)
{
	struct world *w = b->world;
	struct net_addr targets[NODES_MAX];
	uint32_t count = 0;
	for (uint32_t i = 0; i < w->node_count && count < NODES_MAX; i++) {
		const struct kube_object *o = kube_store_get(w->store, KIND_NODE, "", w->nodes[i]->node);
		if (o && !kube_map_get(&o->meta.labels, EXCLUDE) && w->nodes[i]->addrs[0].family == NET_V4)
			targets[count++] = w->nodes[i]->addrs[0];
	}
	if (b->balancer)
		balancer_targets(b->balancer, targets, count);
}

static struct balance *balance_of(struct world *w, const char *key)
{
	struct balance **last = &w->balances->list;
	for (; *last; last = &(*last)->next)
		if (strcmp((*last)->key, key) == 0)
			return *last;
	struct balance *b = mem_alloc(sizeof *b);
	b->world = w;
	b->key = mem_strdup(key);
	*last = b;
	return b;
}

static void service_sync(struct world *w, const struct kube_service *s)
{
	struct balance now = { 0 };
	char key[520];
	if (!wanted(s, &now))
		return;
	if (!w->balances)
		w->balances = mem_alloc(sizeof *w->balances);
	snprintf(key, sizeof key, "%s/%s", s->object.meta.namespace, s->object.meta.name);
	struct balance *b = balance_of(w, key);
	b->seen = true;
	if (!b->balancer || !same(b, &now)) {
		stop(b);
		b->proxy = now.proxy;
		b->address = now.address;
		b->health_port = now.health_port;
		b->port_count = now.port_count;
		memcpy(b->ports, now.ports, sizeof b->ports);
		start(b);
		set_targets(b);
		tell_all(b);
	} else {
		set_targets(b);
	}
}

static void forget(struct balance **at)
{
	struct balance *b = *at;
	*at = b->next;
	stop(b);
	free(b->key);
	free(b);
}

static void sync_all(struct world *w)
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	while ((o = kube_store_next(w->store, KIND_SERVICE, NULL, &cursor)) != NULL)
		service_sync(w, (const void *)o);
	for (struct balance **at = w->balances ? &w->balances->list : NULL; at && *at;) {
		bool seen = (*at)->seen;
		(*at)->seen = false;
		if (seen)
			at = &(*at)->next;
		else
			forget(at);
	}
}

static bool has_class(const struct kube_object *o)
{
	const struct kube_service *s = (const void *)o;
	return o && o->kind == KIND_SERVICE &&
	       (kube_is(s->spec.load_balancer_class, LB_CLASS_PROXY) ||
		kube_is(s->spec.load_balancer_class, LB_CLASS_PASSTHROUGH));
}

void balances_heard(struct world *w, const struct kube_object *old, const struct kube_object *now)
{
	bool node = (now ? now : old)->kind == KIND_NODE;
	if (has_class(old) || has_class(now) || (node && w->balances))
		sync_all(w);
}

void balances_free(struct world *w)
{
	while (w->balances && w->balances->list)
		forget(&w->balances->list);
	free(w->balances);
	w->balances = NULL;
}
