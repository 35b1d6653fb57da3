/* kube/control/endpoints.c: the Endpoints object of a Service with a selector.
 *
 * Ports that lead to the same set of addresses share a subset. Terminating pods are
 * left out at once; only the first IP family is there; above 1000 addresses the rest is
 * cut off, ready ones kept first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kube/control/slices.h"

#define CAPACITY 1000u
#define OVER_CAPACITY "endpoints.kubernetes.io/over-capacity"

struct address {
	const struct kube_pod *pod;
	const char *ip;
	bool ready;
};

struct port_addresses { /* one resolved port */
	const char *name, *protocol, *app_protocol;
	int32_t number;
	struct address *items;
	uint32_t count;
	bool merged;
};

struct endpoints_sync {
	struct control *c;
	struct arena *arena;
	const struct kube_service *service;
	struct port_addresses *ports;
	uint32_t port_count, port_capacity, pod_count;
};

static struct port_addresses *port_need(struct endpoints_sync *s,
					const struct kube_service_port *port, int32_t number)
{
	const char *name = port ? text_or(port->name, "") : NULL;
	const char *protocol = port ? text_or(port->protocol, "TCP") : "";
	for (uint32_t i = 0; i < s->port_count; i++) {
		struct port_addresses *p = &s->ports[i];
		if (p->number == number && strcmp(p->protocol, protocol) == 0 &&
		    strcmp(text_or(p->name, ""), text_or(name, "")) == 0)
			return p;
	}
	if (s->port_count == s->port_capacity) {
		uint32_t capacity = s->port_capacity ? 2 * s->port_capacity : 8;
		struct port_addresses *ports = arena_array(s->arena, capacity, sizeof *ports);
		if (s->port_count)
			memcpy(ports, s->ports, s->port_count * sizeof *ports);
		s->ports = ports;
		s->port_capacity = capacity;
	}
	struct port_addresses *p = &s->ports[s->port_count++];
	*p = (struct port_addresses){ .name = name, .protocol = protocol, .number = number };
	p->app_protocol = port ? port->app_protocol : NULL;
	p->items = arena_array(s->arena, s->pod_count, sizeof *p->items);
	return p;
}

static void add_pod(struct endpoints_sync *s, const struct kube_pod *p, uint8_t family)
{
	bool publish = s->service->spec.publish_not_ready_addresses == TRI_TRUE;
	const char *ip = pod_address(p, family);
	if (!ip || kube_is(p->status.phase, "Failed") || kube_is(p->status.phase, "Succeeded"))
		return;
	if (p->object.meta.deletion_ns && !publish)
		return;
	struct address a = { p, ip, publish || pod_ready(p) };
	uint32_t n = s->service->spec.ports.count;
	for (uint32_t i = 0; i < n; i++) {
		const struct kube_service_port *port = &s->service->spec.ports.items[i];
		int32_t number = service_target_port(port, p);
		if (!number)
			continue;
		struct port_addresses *to = port_need(s, port, number);
		to->items[to->count++] = a;
	}
	if (!n) { /* a headless Service may have no ports */
		struct port_addresses *to = port_need(s, NULL, 0);
		to->items[to->count++] = a;
	}
}

static int by_ip(const void *a, const void *b)
{
	const struct address *p = a, *q = b;
	int order = strcmp(p->ip, q->ip);
	return order ? order : strcmp(text_or(p->pod->object.meta.uid, ""),
				      text_or(q->pod->object.meta.uid, ""));
}

static bool same_addresses(const struct port_addresses *a, const struct port_addresses *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (a->items[i].pod != b->items[i].pod)
			return false;
	return true;
}

static void put_address(struct kube_object *o, struct kube_endpoint_address *e,
			const struct kube_service *service, const struct address *a)
{
	const struct kube_meta *pod = &a->pod->object.meta;
	e->ip = kube_string(o, a->ip);
	if (a->pod->spec.node_name)
		e->node_name = kube_string(o, a->pod->spec.node_name);
	if (a->pod->spec.hostname && kube_is(a->pod->spec.subdomain, service->object.meta.name))
		e->hostname = kube_string(o, a->pod->spec.hostname);
	e->target = (struct kube_object_ref){
		.kind = "Pod",
		.namespace = kube_string(o, text_or(pod->namespace, "default")),
		.name = kube_string(o, pod->name),
		.uid = kube_string(o, text_or(pod->uid, "")),
	};
}

static void put_subset(struct endpoints_sync *s, struct kube_endpoints *e, uint32_t first,
		       uint32_t *room)
{
	struct kube_object *o = &e->object;
	struct kube_endpoints_subset *subset = &e->subsets.items[e->subsets.count++];
	struct port_addresses *from = &s->ports[first];
	subset->ports.items = arena_array(o->arena, s->port_count, sizeof *subset->ports.items);
	for (uint32_t i = first; i < s->port_count; i++) {
		struct port_addresses *p = &s->ports[i];
		if (p->merged || !same_addresses(from, p))
			continue;
		p->merged = true;
		if (!p->number)
			continue;
		subset->ports.items[subset->ports.count++] = (struct kube_endpoint_port){
			.name = p->name && *p->name ? kube_string(o, p->name) : NULL,
			.protocol = kube_string(o, p->protocol),
			.app_protocol = p->app_protocol ? kube_string(o, p->app_protocol) : NULL,
			.port = { true, p->number },
		};
	}
	subset->addresses.items =
	    arena_array(o->arena, from->count, sizeof *subset->addresses.items);
	subset->not_ready.items =
	    arena_array(o->arena, from->count, sizeof *subset->not_ready.items);
	for (int pass = 0; pass < 2; pass++)
		for (uint32_t i = 0; i < from->count && *room; i++) {
			const struct address *a = &from->items[i];
			if (a->ready != (pass == 0))
				continue;
			put_address(o,
				    a->ready ? &subset->addresses.items[subset->addresses.count++]
					     : &subset->not_ready.items[subset->not_ready.count++],
				    s->service, a);
			--*room;
		}
}

static void put_labels(const struct endpoints_sync *s, struct kube_object *o)
{
	const struct kube_map *from = &s->service->object.meta.labels;
	for (uint32_t i = 0; i < from->count; i++)
		kube_map_set(o, &o->meta.labels, from->items[i].key, from->items[i].value);
	kube_map_set(o, &o->meta.labels, "endpoints.kubernetes.io/managed-by",
		     "endpoint-controller");
	if (service_headless(s->service))
		kube_map_set(o, &o->meta.labels, LABEL_HEADLESS, "");
}

static struct kube_endpoints *endpoints_make(struct endpoints_sync *s)
{
	struct kube_endpoints *e = (struct kube_endpoints *)kube_new(KIND_ENDPOINTS);
	struct kube_object *o = &e->object;
	uint32_t room = CAPACITY, all = 0;
	o->meta.name = kube_string(o, s->service->object.meta.name);
	o->meta.namespace = kube_string(o, text_or(s->service->object.meta.namespace, "default"));
	put_labels(s, o);
	e->subsets.items = arena_array(o->arena, s->port_count + 1, sizeof *e->subsets.items);
	for (uint32_t i = 0; i < s->port_count; i++)
		if (s->ports[i].count > 1)
			qsort(s->ports[i].items, s->ports[i].count, sizeof *s->ports[i].items,
			      by_ip);
	for (uint32_t i = 0; i < s->port_count; i++) {
		if (s->ports[i].merged)
			continue;
		all += s->ports[i].count;
		put_subset(s, e, i, &room);
	}
	if (all > CAPACITY)
		kube_map_set(o, &o->meta.annotations, OVER_CAPACITY, "truncated");
	return e;
}

/* ---- comparison ------------------------------------------------------------------ */

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_list(const struct kube_endpoint_address *a, const struct kube_endpoint_address *b,
		      uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!same_text(a[i].ip, b[i].ip) || !same_text(a[i].hostname, b[i].hostname) ||
		    !same_text(a[i].node_name, b[i].node_name) ||
		    !same_text(a[i].target.uid, b[i].target.uid))
			return false;
	return true;
}

static bool same_subset(const struct kube_endpoints_subset *a,
			const struct kube_endpoints_subset *b)
{
	if (a->addresses.count != b->addresses.count || a->not_ready.count != b->not_ready.count ||
	    a->ports.count != b->ports.count)
		return false;
	for (uint32_t i = 0; i < a->ports.count; i++) {
		const struct kube_endpoint_port *p = &a->ports.items[i], *q = &b->ports.items[i];
		if (p->port.value != q->port.value || !same_text(p->name, q->name) ||
		    !same_text(p->protocol, q->protocol) ||
		    !same_text(p->app_protocol, q->app_protocol))
			return false;
	}
	return same_list(a->addresses.items, b->addresses.items, a->addresses.count) &&
	       same_list(a->not_ready.items, b->not_ready.items, a->not_ready.count);
}

static bool same_endpoints(const struct kube_endpoints *a, const struct kube_endpoints *b)
{
	if (a->subsets.count != b->subsets.count ||
	    !maps_equal(&a->object.meta.labels, &b->object.meta.labels))
		return false;
	for (uint32_t i = 0; i < a->subsets.count; i++)
		if (!same_subset(&a->subsets.items[i], &b->subsets.items[i]))
			return false;
	return true;
}

static void endpoints_write(struct endpoints_sync *s, struct kube_endpoints *e, int64_t trigger_ns)
{
	struct kube_object *o = &e->object;
	const struct kube_endpoints *old = (const struct kube_endpoints *)kube_store_get(
		s->c->store, KIND_ENDPOINTS, o->meta.namespace, o->meta.name);
	if (old && same_endpoints(old, e)) {
		kube_unref(o);
		return;
	}
	trigger_time_set(o, trigger_ns);
	if (!old) {
		control_create(s->c, o, NULL);
		return;
	}
	o->meta.uid = kube_string(o, old->object.meta.uid);
	o->meta.creation_ns = old->object.meta.creation_ns;
	control_update(s->c, o, false);
}

void endpoints_sync(struct control *c, const char *namespace, const char *name)
{
	struct service_record *r = index_service(&c->index, namespace, name);
	if (!r) {
		const struct kube_object *left =
			kube_store_get(c->store, KIND_ENDPOINTS, namespace, name);
		if (left)
			control_remove(c, left);
		return;
	}
	const struct kube_service *service = (const struct kube_service *)r->record.now;
	if (!service->spec.selector.count || kube_is(service->spec.type, "ExternalName"))
		return;
	struct object_list pods = { 0 };
	index_select(&c->index, namespace, &service->spec.selector, &pods);
	struct endpoints_sync s = { .c = c, .arena = arena_new(), .service = service,
				    .pod_count = pods.count + 1 };
	const char *family = service->spec.ip_families.count ? service->spec.ip_families.items[0]
							     : "IPv4";
	int64_t trigger = r->endpoints_synced_ns < 0 ? service->object.meta.creation_ns : INT64_MAX;
	for (uint32_t i = 0; i < pods.count; i++) {
		const struct kube_pod *p = (const struct kube_pod *)pods.items[i];
		add_pod(&s, p, kube_is(family, "IPv6") ? NET_V6 : NET_V4);
		if (r->endpoints_synced_ns >= 0)
			trigger = trigger_time_min(trigger, p, r->endpoints_synced_ns);
	}
	r->endpoints_synced_ns = control_now(c);
	endpoints_write(&s, endpoints_make(&s), trigger);
	arena_free(s.arena);
	object_list_free(&pods);
}
