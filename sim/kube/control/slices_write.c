/* kube/control/slices_write.c: planned slices become objects. */
#include <stdio.h>
#include <string.h>

#include "kube/control/slices.h"

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* ---- comparison ------------------------------------------------------------------ */

static bool same_hint(const struct kube_endpoint *e, const struct wanted *w)
{
	const char *zone = e->hints.set && e->hints.zones.count ? e->hints.zones.items[0] : NULL;
	const char *node = e->hints.set && e->hints.nodes.count ? e->hints.nodes.items[0] : NULL;
	return same_text(zone, w->hint_zone) && same_text(node, w->hint_node);
}

static bool labels_wanted(const struct slice_sync *s, const struct kube_map *have)
{
	const struct kube_map *from = &s->service->object.meta.labels;
	uint32_t count = 2 + service_headless(s->service);
	for (uint32_t i = 0; i < from->count; i++) {
		const char *key = from->items[i].key;
		if (kube_is(key, LABEL_SERVICE) || kube_is(key, LABEL_MANAGED_BY) ||
		    kube_is(key, LABEL_HEADLESS))
			continue;
		if (!same_text(kube_map_get(have, key), from->items[i].value))
			return false;
		count++;
	}
	return count == have->count &&
	       kube_is(kube_map_get(have, LABEL_SERVICE), s->service->object.meta.name) &&
	       (kube_map_get(have, LABEL_HEADLESS) != NULL) == service_headless(s->service);
}

static bool must_write(const struct slice_sync *s, const struct planned *p)
{
	if (p->changed || !p->existing)
		return true;
	for (uint32_t i = 0; i < p->endpoints.count; i++)
		if (!same_hint(&p->existing->endpoints.items[i], p->endpoints.items[i]))
			return true;
	return !labels_wanted(s, &p->existing->object.meta.labels);
}

/* ---- objects --------------------------------------------------------------------- */

static enum kube_tri tri(bool value)
{
	return value ? TRI_TRUE : TRI_FALSE;
}

static void put_endpoint(struct kube_object *o, struct kube_endpoint *e, const struct wanted *w)
{
	const struct kube_meta *pod = &w->pod->object.meta;
	strings_add(o, &e->addresses, w->ip);
	e->conditions.ready = tri(w->ready);
	e->conditions.serving = tri(w->serving);
	e->conditions.terminating = tri(w->terminating);
	e->hostname = w->hostname ? kube_string(o, w->hostname) : NULL;
	e->node_name = w->node ? kube_string(o, w->node) : NULL;
	e->zone = w->zone ? kube_string(o, w->zone) : NULL;
	e->target = (struct kube_object_ref){
		.kind = "Pod",
		.namespace = pod->namespace ? kube_string(o, pod->namespace) : NULL,
		.name = kube_string(o, pod->name),
		.uid = pod->uid ? kube_string(o, pod->uid) : NULL,
	};
	e->hints.set = w->hint_zone || w->hint_node;
	if (w->hint_zone)
		strings_add(o, &e->hints.zones, w->hint_zone);
	if (w->hint_node)
		strings_add(o, &e->hints.nodes, w->hint_node);
}

static void put_labels(const struct slice_sync *s, struct kube_object *o)
{
	const struct kube_map *from = &s->service->object.meta.labels;
	o->meta.labels = (struct kube_map){ 0 };
	for (uint32_t i = 0; i < from->count; i++)
		if (!kube_is(from->items[i].key, LABEL_HEADLESS))
			kube_map_set(o, &o->meta.labels, from->items[i].key, from->items[i].value);
	kube_map_set(o, &o->meta.labels, LABEL_SERVICE, s->service->object.meta.name);
	kube_map_set(o, &o->meta.labels, LABEL_MANAGED_BY, SLICE_MANAGER);
	if (service_headless(s->service))
		kube_map_set(o, &o->meta.labels, LABEL_HEADLESS, "");
}

void trigger_time_set(struct kube_object *o, int64_t when_ns)
{
	struct kube_map kept = { 0 };
	for (uint32_t i = 0; i < o->meta.annotations.count; i++)
		if (!kube_is(o->meta.annotations.items[i].key, TRIGGER_TIME))
			kube_map_set(o, &kept, o->meta.annotations.items[i].key,
				     o->meta.annotations.items[i].value);
	o->meta.annotations = kept;
	if (when_ns == INT64_MAX)
		return;
	char text[KUBE_TIME_TEXT], full[KUBE_TIME_TEXT + 16], fraction[16] = "";
	kube_time_text(when_ns, text);
	long long rest = when_ns % NS_PER_S;
	if (rest > 0) {
		snprintf(fraction, sizeof fraction, ".%09lld", rest);
		for (size_t n = strlen(fraction); fraction[n - 1] == '0'; n--)
			fraction[n - 1] = '\0';
	}
	snprintf(full, sizeof full, "%.*s%sZ", (int)strcspn(text, "Z"), text, fraction);
	kube_map_set(o, &o->meta.annotations, TRIGGER_TIME, full);
}

int64_t trigger_time_min(int64_t earliest, const struct kube_pod *p, int64_t since_ns)
{
	const struct kube_condition *ready = condition_find(&p->status.conditions, "Ready");
	if (ready && ready->last_transition_ns > since_ns && ready->last_transition_ns < earliest)
		return ready->last_transition_ns;
	return earliest;
}

static void put_ports(struct kube_endpoint_slice *e, const struct port_group *g)
{
	struct kube_object *o = &e->object;
	e->ports.items = arena_array(o->arena, g->port_count ? g->port_count : 1,
				     sizeof *e->ports.items);
	e->ports.count = g->port_count;
	for (uint32_t i = 0; i < g->port_count; i++) {
		struct kube_endpoint_port *port = &e->ports.items[i];
		*port = g->ports[i];
		port->name = kube_string(o, text_or(port->name, ""));
		port->protocol = kube_string(o, text_or(port->protocol, "TCP"));
		if (port->app_protocol)
			port->app_protocol = kube_string(o, port->app_protocol);
	}
}

static struct kube_endpoint_slice *slice_make(struct slice_sync *s, const struct planned *p)
{
	struct kube_object *o =
		p->existing ? object_header(&p->existing->object) : kube_new(KIND_ENDPOINT_SLICE);
	struct kube_endpoint_slice *e = (struct kube_endpoint_slice *)o;
	e->address_type = kube_string(o, s->address_type);
	if (!p->existing) {
		char prefix[80];
		snprintf(prefix, sizeof prefix, "%.63s-", s->service->object.meta.name);
		o->meta.namespace =
		    kube_string(o, text_or(s->service->object.meta.namespace, "default"));
		o->meta.name = name_generate(s->c, o, prefix);
		o->meta.generate_name = kube_string(o, prefix);
		owner_add(o, &s->service->object, true);
	}
	put_labels(s, o);
	trigger_time_set(o, s->trigger_ns);
	put_ports(e, p->group);
	uint32_t n = p->endpoints.count;
	e->endpoints.items = arena_array(o->arena, n ? n : 1, sizeof *e->endpoints.items);
	e->endpoints.count = n;
	for (uint32_t i = 0; i < n; i++)
		put_endpoint(o, &e->endpoints.items[i], p->endpoints.items[i]);
	return e;
}

enum step { STEP_CREATE, STEP_UPDATE, STEP_DELETE };

static void write_step(struct slice_sync *s, struct planned *p, enum step step)
{
	if (p->removed) {
		if (step == STEP_DELETE && p->existing)
			control_remove(s->c, &p->existing->object);
		return;
	}
	if (step == STEP_DELETE || (step == STEP_UPDATE) != (p->existing != NULL))
		return;
	if (!must_write(s, p))
		return;
	struct kube_endpoint_slice *e = slice_make(s, p);
	if (step == STEP_UPDATE)
		control_update(s->c, &e->object, true);
	else if (control_create(s->c, &e->object, NULL))
		s->retry = true; /* the drawn name was taken */
}

void slices_write(struct slice_sync *s)
{
	for (int step = STEP_CREATE; step <= STEP_DELETE; step++)
		for (uint32_t i = 0; i < s->group_count; i++)
			for (uint32_t j = 0; j < s->groups[i]->slice_count; j++)
				write_step(s, s->groups[i]->slices[j], step);
}
