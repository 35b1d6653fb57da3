/* apps/ingress_status.c: the addresses that an Ingress controller writes into the status of
 * its Ingresses, as ingress-nginx does (internal/ingress/status/status.go). */
#include <stdlib.h>
#include <string.h>

#include "apps/ingress.h"
#include "core/arena.h"
#include "kube/admit.h"

struct found { /* addresses, each once */
	struct arena *arena;
	const char **items;
	uint32_t count, capacity;
};

static void add(struct found *f, const char *text, size_t length)
{
	const char *one = arena_strndup(f->arena, text, length);
	for (uint32_t i = 0; i < f->count; i++)
		if (strcmp(f->items[i], one) == 0)
			return;
	if (!length)
		return;
	if (f->count == f->capacity) {
		uint32_t want = f->capacity ? f->capacity * 2 : 8;
		const char **more = arena_array(f->arena, want, sizeof *more);
		if (f->count)
			memcpy(more, f->items, f->count * sizeof *more);
		f->items = more;
		f->capacity = want;
	}
	f->items[f->count++] = one;
}

static void add_text(struct found *f, const char *text)
{
	if (text)
		add(f, text, strlen(text));
}

/* A Service without external addresses is published by its ClusterIP, NodePort or not. */
static void of_service(const struct ingress_publisher *p, struct found *f)
{
	const char *slash = strchr(p->service, '/');
	if (!slash)
		return;
	const struct kube_service *s = (const void *)kube_store_get(
		p->store, KIND_SERVICE,
		arena_strndup(f->arena, p->service, (size_t)(slash - p->service)), slash + 1);
	if (!s)
		return;
	if (kube_is(s->spec.type, "ExternalName")) {
		add_text(f, s->spec.external_name);
		return;
	}
	bool balancer = kube_is(s->spec.type, "LoadBalancer");
	for (uint32_t i = 0; balancer && i < s->status.ingress.count; i++) {
		const struct kube_lb_ingress *one = &s->status.ingress.items[i];
		add_text(f, one->ip && *one->ip ? one->ip : one->hostname);
	}
	for (uint32_t i = 0; !kube_is(s->spec.type, "ClusterIP") && i < s->spec.external_ips.count; i++)
		add_text(f, s->spec.external_ips.items[i]);
	if (!balancer && !f->count)
		add_text(f, s->spec.cluster_ip);
}

static bool is_ready(const struct kube_pod *pod)
{
	for (uint32_t i = 0; i < pod->status.conditions.count; i++)
		if (kube_is(pod->status.conditions.items[i].type, "Ready"))
			return kube_is(pod->status.conditions.items[i].status, "True");
	return false;
}

/* Pods with all the labels of this one. */
static bool same_labels(const struct kube_pod *pod, const struct kube_pod *other)
{
	for (uint32_t i = 0; i < pod->object.meta.labels.count; i++) {
		const char *value = kube_map_get(&other->object.meta.labels,
						 pod->object.meta.labels.items[i].key);
		if (!value || strcmp(value, pod->object.meta.labels.items[i].value) != 0)
			return false;
	}
	return true;
}

static const char *node_address(const struct kube_node *n, const char *type)
{
	for (uint32_t i = 0; i < n->status.addresses.count; i++)
		if (kube_is(n->status.addresses.items[i].type, type))
			return n->status.addresses.items[i].address;
	return NULL;
}

/* Also finds whether this pod is the one that writes: the first ready one. */
static bool of_nodes(const struct ingress_publisher *p, struct found *f)
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	bool first = true, leads = true;
	while ((o = kube_store_next(p->store, KIND_POD, p->pod->object.meta.namespace, &cursor)) != NULL) {
		const struct kube_pod *pod = (const void *)o;
		if (!kube_is(pod->status.phase, "Running") || !is_ready(pod) || !same_labels(p->pod, pod))
			continue;
		if (first)
			leads = strcmp(o->meta.name, p->pod->object.meta.name) == 0;
		first = false;
		const struct kube_node *n =
			(const void *)kube_store_get(p->store, KIND_NODE, "", pod->spec.node_name);
		const char *a = n && !p->internal_ip ? node_address(n, "ExternalIP") : NULL;
		if (n)
			add_text(f, a ? a : node_address(n, "InternalIP"));
	}
	return leads;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool says(const struct kube_ingress *g, const struct found *f)
{
	if (g->ingress.count != f->count)
		return false;
	for (uint32_t i = 0; i < f->count; i++) {
		const struct kube_lb_ingress *one = &g->ingress.items[i];
		if (!kube_is(one->ip && *one->ip ? one->ip : one->hostname, f->items[i]))
			return false;
	}
	return true;
}

static void write_status(const struct ingress_publisher *p, const struct kube_object *o,
			 const struct found *f)
{
	struct kube_ingress *copy = (struct kube_ingress *)kube_copy(o);
	copy->ingress.count = f->count;
	copy->ingress.items = arena_array(copy->object.arena, f->count + 1, sizeof *copy->ingress.items);
	for (uint32_t i = 0; i < f->count; i++) {
		struct net_addr a;
		const char *text = kube_string(&copy->object, f->items[i]);
		copy->ingress.items[i] = net_addr_parse(text, &a)
						 ? (struct kube_lb_ingress){ .ip = text }
						 : (struct kube_lb_ingress){ .hostname = text };
	}
	copy->object.meta.resource_version = 0;
	kube_admit_update_status(p->admit, &copy->object, NULL);
}

void ingress_publish(const struct ingress_publisher *p)
{
	struct found f = { .arena = arena_new() };
	struct found nodes = { .arena = f.arena };
	bool leads = of_nodes(p, &nodes);
	if (p->addresses) {
		for (const char *at = p->addresses; *at; at += strspn(at, ", ")) {
			size_t n = strcspn(at, ", ");
			add(&f, at, n);
			at += n;
		}
	} else if (p->service) {
		of_service(p, &f);
	} else {
		f = nodes;
	}
	if (f.count > 1)
		qsort(f.items, f.count, sizeof *f.items, by_text);
	const struct kube_object *o;
	uint32_t cursor = 0;
	while (leads && (o = kube_store_next(p->store, KIND_INGRESS, NULL, &cursor)) != NULL)
		if (ingress_is_ours(p->store, &p->class, (const void *)o) && !says((const void *)o, &f))
			write_status(p, o, &f);
	arena_free(f.arena);
}
