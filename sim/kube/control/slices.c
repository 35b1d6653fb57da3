/* kube/control/slices.c: when a Service is synced and which endpoints it should have. */
#include "kube/control/slices.h"

#include <stdlib.h>
#include <string.h>

/* ---- triggers -------------------------------------------------------------------- */

static int64_t batch_delay(const struct control *c)
{
	return control_reaction(c) + c->options.endpoints_batch;
}

static void enqueue(struct control *c, const char *namespace, const char *name, int64_t delay)
{
	queue_add(&c->slices, namespace, name, delay);
	queue_add(&c->endpoints, namespace, name, delay);
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_strings(const struct kube_strings *a, const struct kube_strings *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

/* Whether endpoints can differ between two states of a pod. */
static bool relevant(const struct kube_pod *a, const struct kube_pod *b)
{
	return !maps_equal(&a->object.meta.labels, &b->object.meta.labels) ||
	       !a->object.meta.deletion_ns != !b->object.meta.deletion_ns ||
	       pod_ready(a) != pod_ready(b) || !same_text(a->spec.hostname, b->spec.hostname) ||
	       !same_text(a->spec.subdomain, b->spec.subdomain) ||
	       !same_text(a->spec.node_name, b->spec.node_name) ||
	       !same_text(a->status.pod_ip, b->status.pod_ip) ||
	       !same_strings(&a->status.pod_ips, &b->status.pod_ips);
}

static void enqueue_services_of(struct control *c, const struct kube_pod *p)
{
	struct object_list services = { 0 };
	index_services(&c->index, p->object.meta.namespace, &p->object.meta.labels, &services);
	for (uint32_t i = 0; i < services.count; i++)
		enqueue(c, services.items[i]->meta.namespace, services.items[i]->meta.name,
			batch_delay(c));
	object_list_free(&services);
}

void slices_pod_changed(struct control *c, const struct kube_pod *old, const struct kube_pod *now)
{
	if (old && now && !relevant(old, now))
		return;
	if (now)
		enqueue_services_of(c, now);
	if (old && (!now || !maps_equal(&old->object.meta.labels, &now->object.meta.labels)))
		enqueue_services_of(c, old);
}

void slices_service_changed(struct control *c, const struct kube_service *old,
			    const struct kube_service *now)
{
	const struct kube_service *s = now ? now : old;
	enqueue(c, s->object.meta.namespace, s->object.meta.name, control_reaction(c));
	queue_add(&c->mirrors, s->object.meta.namespace, s->object.meta.name, control_reaction(c));
}

/* A slice that somebody else touched is put right a second later. */
void slices_slice_changed(struct control *c, const struct kube_endpoint_slice *s)
{
	const char *service = kube_map_get(&s->object.meta.labels, LABEL_SERVICE);
	if (c->writing_slices || !service ||
	    !kube_is(kube_map_get(&s->object.meta.labels, LABEL_MANAGED_BY), SLICE_MANAGER))
		return;
	int64_t delay = c->options.endpoints_batch > NS_PER_S ? c->options.endpoints_batch
							      : NS_PER_S;
	queue_add(&c->slices, s->object.meta.namespace, service, delay);
}

/* ---- what a pod offers ----------------------------------------------------------- */

bool service_headless(const struct kube_service *s)
{
	return !s->spec.cluster_ip || !*s->spec.cluster_ip ||
	       kube_is(s->spec.cluster_ip, "None");
}

uint8_t address_family(const char *text)
{
	return strchr(text, ':') ? NET_V6 : NET_V4;
}

const char *pod_address(const struct kube_pod *p, uint8_t family)
{
	for (uint32_t i = 0; i < p->status.pod_ips.count; i++)
		if (address_family(p->status.pod_ips.items[i]) == family)
			return p->status.pod_ips.items[i];
	const char *ip = p->status.pod_ip;
	return ip && *ip && !p->status.pod_ips.count && address_family(ip) == family ? ip : NULL;
}

static int32_t named_port(const struct kube_containers *l, const char *name, const char *protocol,
			  bool sidecars_only)
{
	for (uint32_t i = 0; i < l->count; i++) {
		const struct kube_container *k = &l->items[i];
		if (sidecars_only && !kube_is(k->restart_policy, "Always"))
			continue;
		for (uint32_t j = 0; j < k->ports.count; j++)
			if (kube_is(k->ports.items[j].name, name) &&
			    strcmp(text_or(k->ports.items[j].protocol, "TCP"), protocol) == 0)
				return k->ports.items[j].container_port;
	}
	return 0;
}

int32_t service_target_port(const struct kube_service_port *port, const struct kube_pod *pod)
{
	const struct int_or_string *t = &port->target_port;
	const char *protocol = text_or(port->protocol, "TCP");
	if (t->kind != 's')
		return t->kind == 'i' && t->number ? t->number : port->port;
	int32_t number = named_port(&pod->spec.containers, t->string, protocol, false);
	return number ? number
		      : named_port(&pod->spec.init_containers, t->string, protocol, true);
}

/* ---- gathering ------------------------------------------------------------------- */

void wanted_add(struct slice_sync *s, struct wanted_list *l, struct wanted *w)
{
	if (l->count == l->capacity) {
		uint32_t capacity = l->capacity ? 2 * l->capacity : 16;
		struct wanted **items = arena_array(s->arena, capacity, sizeof *items);
		if (l->count)
			memcpy(items, l->items, l->count * sizeof *items);
		l->items = items;
		l->capacity = capacity;
	}
	l->items[l->count++] = w;
}

static int by_port(const void *a, const void *b)
{
	const struct kube_endpoint_port *p = *(const struct kube_endpoint_port *const *)a;
	const struct kube_endpoint_port *q = *(const struct kube_endpoint_port *const *)b;
	int order = strcmp(text_or(p->name, ""), text_or(q->name, ""));
	if (!order)
		order = strcmp(text_or(p->protocol, ""), text_or(q->protocol, ""));
	return order ? order : (p->port.value > q->port.value) - (p->port.value < q->port.value);
}

/* Ports in one text, whatever their order. */
static char *ports_key(struct slice_sync *s, const struct kube_endpoint_port *ports,
		       uint32_t count)
{
	const struct kube_endpoint_port **sorted =
		arena_array(s->arena, count ? count : 1, sizeof(void *));
	struct strbuf text = { 0 };
	for (uint32_t i = 0; i < count; i++)
		sorted[i] = &ports[i];
	if (count > 1)
		qsort(sorted, count, sizeof *sorted, by_port);
	for (uint32_t i = 0; i < count; i++)
		strbuf_printf(&text, "%s %s %lld %s\n", text_or(sorted[i]->name, ""),
			      text_or(sorted[i]->protocol, "TCP"), (long long)sorted[i]->port.value,
			      text_or(sorted[i]->app_protocol, ""));
	char *key = arena_strdup(s->arena, strbuf_text(&text));
	strbuf_free(&text);
	return key;
}

struct port_group *group_need(struct slice_sync *s, const struct kube_endpoint_port *ports,
			      uint32_t count)
{
	char *key = ports_key(s, ports, count);
	for (uint32_t i = 0; i < s->group_count; i++)
		if (strcmp(s->groups[i]->key, key) == 0)
			return s->groups[i];
	struct port_group **groups = arena_array(s->arena, s->group_count + 1, sizeof *groups);
	if (s->group_count)
		memcpy(groups, s->groups, s->group_count * sizeof *groups);
	struct port_group *g = arena_alloc(s->arena, sizeof *g);
	g->key = key;
	g->port_count = count;
	g->ports = arena_array(s->arena, count ? count : 1, sizeof *g->ports);
	if (count)
		memcpy(g->ports, ports, count * sizeof *ports);
	groups[s->group_count++] = g;
	s->groups = groups;
	return g;
}

static struct port_group *group_of_pod(struct slice_sync *s, const struct kube_pod *p)
{
	uint32_t n = s->service->spec.ports.count, count = 0;
	struct kube_endpoint_port *ports = arena_array(s->arena, n ? n : 1, sizeof *ports);
	for (uint32_t i = 0; i < n; i++) {
		const struct kube_service_port *port = &s->service->spec.ports.items[i];
		int32_t number = service_target_port(port, p);
		if (!number)
			continue;
		ports[count++] = (struct kube_endpoint_port){
			.name = text_or(port->name, ""),
			.protocol = text_or(port->protocol, "TCP"),
			.app_protocol = port->app_protocol,
			.port = { true, number },
		};
	}
	return group_need(s, ports, count);
}

static void want(struct slice_sync *s, const struct kube_pod *p)
{
	const char *ip = pod_address(p, s->family);
	if (!ip || kube_is(p->status.phase, "Failed") || kube_is(p->status.phase, "Succeeded"))
		return;
	bool publish = s->service->spec.publish_not_ready_addresses == TRI_TRUE;
	const struct kube_node *node =
	    index_node_object(&s->c->index, text_or(p->spec.node_name, ""));
	if (!node && !publish && s->c->engine) {
		s->retry = true;
		return;
	}
	struct wanted *w = arena_alloc(s->arena, sizeof *w);
	w->pod = p;
	w->ip = ip;
	w->node = p->spec.node_name;
	w->zone = node ? kube_map_get(&node->object.meta.labels, LABEL_ZONE) : NULL;
	w->serving = pod_ready(p);
	w->terminating = p->object.meta.deletion_ns != 0;
	w->ready = publish || (w->serving && !w->terminating);
	if (p->spec.hostname && *p->spec.hostname &&
	    kube_is(p->spec.subdomain, s->service->object.meta.name))
		w->hostname = p->spec.hostname;
	wanted_add(s, &group_of_pod(s, p)->wanted, w);
}

static void find_existing(struct slice_sync *s)
{
	const struct kube_endpoint_slice *e;
	const struct kube_meta *m = &s->service->object.meta;
	for (uint32_t i = 0; (e = kube_store_next_slice(s->c->store, m->namespace, m->name, &i));)
		if (kube_is(kube_map_get(&e->object.meta.labels, LABEL_MANAGED_BY), SLICE_MANAGER))
			object_list_add(&s->existing, kube_ref(&e->object));
}

static void sync_family(struct slice_sync *s, const struct object_list *pods, const char *family)
{
	s->family = kube_is(family, "IPv6") ? NET_V6 : NET_V4;
	s->address_type = family;
	s->groups = NULL;
	s->group_count = 0;
	for (uint32_t i = 0; i < pods->count; i++)
		want(s, (const struct kube_pod *)pods->items[i]);
	slices_pack(s);
	slices_hint(s);
	s->c->writing_slices = true;
	slices_write(s);
	s->c->writing_slices = false;
}

/* Slices of a family that the Service no longer has. */
static void drop_other_families(struct slice_sync *s, const struct kube_strings *families)
{
	for (uint32_t i = 0; i < s->existing.count; i++) {
		const struct kube_endpoint_slice *e = (const void *)s->existing.items[i];
		bool kept = families->count == 0 && kube_is(e->address_type, "IPv4");
		for (uint32_t j = 0; j < families->count; j++)
			kept = kept || kube_is(e->address_type, families->items[j]);
		if (kept)
			continue;
		s->c->writing_slices = true;
		control_remove(s->c, &e->object);
		s->c->writing_slices = false;
	}
}

static void sync_service(struct slice_sync *s)
{
	const struct kube_strings *families = &s->service->spec.ip_families;
	struct object_list pods = { 0 };
	index_select(&s->c->index, s->service->object.meta.namespace, &s->service->spec.selector,
		     &pods);
	if (s->record->synced_ns < 0)
		s->trigger_ns = s->service->object.meta.creation_ns;
	for (uint32_t i = 0; i < pods.count && s->record->synced_ns >= 0; i++)
		s->trigger_ns = trigger_time_min(s->trigger_ns,
						 (const struct kube_pod *)pods.items[i],
						 s->record->synced_ns);
	find_existing(s);
	for (uint32_t i = 0; i < families->count; i++)
		sync_family(s, &pods, families->items[i]);
	if (!families->count)
		sync_family(s, &pods, "IPv4");
	drop_other_families(s, families);
	s->record->synced_ns = control_now(s->c);
	for (uint32_t i = 0; i < s->existing.count; i++)
		kube_unref((struct kube_object *)s->existing.items[i]);
	object_list_free(&s->existing);
	object_list_free(&pods);
}

void slices_sync(struct control *c, const char *namespace, const char *name)
{
	struct service_record *r = index_service(&c->index, namespace, name);
	if (!r)
		return; /* its slices follow it by owner reference */
	const struct kube_service *service = (const struct kube_service *)r->record.now;
	if (!service->spec.selector.count || kube_is(service->spec.type, "ExternalName"))
		return;
	struct slice_sync s = {
		.c = c, .arena = arena_new(), .service = service, .record = r,
		.trigger_ns = INT64_MAX,
	};
	kube_ref(&service->object);
	sync_service(&s);
	kube_unref((struct kube_object *)&service->object);
	arena_free(s.arena);
	if (s.retry)
		queue_add(&c->slices, namespace, name, NS_PER_S);
}
