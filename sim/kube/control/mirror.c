/* kube/control/mirror.c: slices for hand-made Endpoints.
 *
 * Only for a Service of the same name without selector. Of the conditions only `ready`
 * is set; addresses of the two families go to different slices.
 */
#include <stdio.h>
#include <string.h>

#include "kube/control/slices.h"

#define MIRROR_MANAGER "endpointslicemirroring-controller.k8s.io"
#define SKIP_LABEL "endpointslice.kubernetes.io/skip-mirror"
#define LEADER_ANNOTATION "control-plane.alpha.kubernetes.io/leader"
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"
#define SUBSET_LIMIT 1000u

static bool mirrored(const struct kube_endpoints *e, const struct kube_service *s)
{
	return e && s && !s->spec.selector.count && !kube_is(s->spec.type, "ExternalName") &&
	       !kube_is(kube_map_get(&e->object.meta.labels, SKIP_LABEL), "true") &&
	       !kube_map_get(&e->object.meta.annotations, LEADER_ANNOTATION);
}

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_ports(const struct kube_endpoint_slice *a, const struct kube_endpoint_slice *b)
{
	if (a->ports.count != b->ports.count)
		return false;
	for (uint32_t i = 0; i < a->ports.count; i++)
		if (a->ports.items[i].port.value != b->ports.items[i].port.value ||
		    !same_text(a->ports.items[i].name, b->ports.items[i].name) ||
		    !same_text(a->ports.items[i].protocol, b->ports.items[i].protocol))
			return false;
	return true;
}

static bool same_slice(const struct kube_endpoint_slice *a, const struct kube_endpoint_slice *b)
{
	if (a->endpoints.count != b->endpoints.count ||
	    !maps_equal(&a->object.meta.labels, &b->object.meta.labels))
		return false;
	for (uint32_t i = 0; i < a->endpoints.count; i++) {
		const struct kube_endpoint *p = &a->endpoints.items[i], *q = &b->endpoints.items[i];
		if (!same_text(p->addresses.items[0], q->addresses.items[0]) ||
		    p->conditions.ready != q->conditions.ready ||
		    !same_text(p->hostname, q->hostname) ||
		    !same_text(p->node_name, q->node_name) ||
		    !same_text(p->target.uid, q->target.uid))
			return false;
	}
	return true;
}

static void put(struct kube_endpoint_slice *to, const struct kube_endpoint_address *a, bool ready)
{
	struct kube_object *o = &to->object;
	struct kube_endpoint *e = &to->endpoints.items[to->endpoints.count++];
	strings_add(o, &e->addresses, a->ip);
	e->conditions.ready = ready ? TRI_TRUE : TRI_FALSE;
	e->hostname = a->hostname ? kube_string(o, a->hostname) : NULL;
	e->node_name = a->node_name ? kube_string(o, a->node_name) : NULL;
	if (a->target.kind)
		e->target = (struct kube_object_ref){
			.kind = kube_string(o, a->target.kind),
			.namespace = kube_string(o, text_or(a->target.namespace, "")),
			.name = kube_string(o, text_or(a->target.name, "")),
			.uid = kube_string(o, text_or(a->target.uid, "")),
		};
}

static void put_labels(struct kube_object *o, const struct kube_endpoints *e)
{
	const struct kube_meta *m = &e->object.meta;
	for (uint32_t i = 0; i < m->labels.count; i++)
		kube_map_set(o, &o->meta.labels, m->labels.items[i].key, m->labels.items[i].value);
	kube_map_set(o, &o->meta.labels, LABEL_SERVICE, m->name);
	kube_map_set(o, &o->meta.labels, LABEL_MANAGED_BY, MIRROR_MANAGER);
	for (uint32_t i = 0; i < m->annotations.count; i++)
		if (!kube_is(m->annotations.items[i].key, LAST_APPLIED) &&
		    !kube_is(m->annotations.items[i].key, TRIGGER_TIME))
			kube_map_set(o, &o->meta.annotations, m->annotations.items[i].key,
				     m->annotations.items[i].value);
}

/* The slice of a subset for one family, or NULL when it has no such addresses. */
static struct kube_endpoint_slice *slice_make(const struct kube_endpoints *e,
					      const struct kube_endpoints_subset *subset,
					      uint8_t family)
{
	struct kube_endpoint_slice *s = (void *)kube_new(KIND_ENDPOINT_SLICE);
	struct kube_object *o = &s->object;
	uint32_t n = subset->addresses.count + subset->not_ready.count;
	s->endpoints.items = arena_array(o->arena, n + 1, sizeof *s->endpoints.items);
	for (uint32_t i = 0; i < n && s->endpoints.count < SUBSET_LIMIT; i++) {
		bool ready = i < subset->addresses.count;
		const struct kube_endpoint_address *a =
			ready ? &subset->addresses.items[i]
			      : &subset->not_ready.items[i - subset->addresses.count];
		if (a->ip && address_family(a->ip) == family)
			put(s, a, ready);
	}
	if (!s->endpoints.count) {
		kube_unref(o);
		return NULL;
	}
	s->address_type = family == NET_V6 ? "IPv6" : "IPv4";
	s->ports.count = subset->ports.count;
	s->ports.items = arena_array(o->arena, subset->ports.count + 1, sizeof *s->ports.items);
	for (uint32_t i = 0; i < subset->ports.count; i++) {
		const struct kube_endpoint_port *p = &subset->ports.items[i];
		s->ports.items[i] = (struct kube_endpoint_port){
			.name = kube_string(o, text_or(p->name, "")),
			.protocol = kube_string(o, text_or(p->protocol, "TCP")),
			.app_protocol = p->app_protocol ? kube_string(o, p->app_protocol) : NULL,
			.port = p->port,
		};
	}
	put_labels(o, e);
	return s;
}

/* Writes a wanted slice over the existing one with its ports, which is then kept. */
static void write_slice(struct control *c, const struct kube_endpoints *e,
			struct kube_endpoint_slice *s, struct object_list *existing)
{
	struct kube_object *o = &s->object;
	o->meta.namespace = kube_string(o, text_or(e->object.meta.namespace, "default"));
	for (uint32_t i = 0; i < existing->count; i++) {
		const struct kube_endpoint_slice *old = (const void *)existing->items[i];
		if (!old || !kube_is(old->address_type, s->address_type) || !same_ports(old, s))
			continue;
		existing->items[i] = NULL;
		if (same_slice(old, s)) {
			kube_unref(o);
		} else {
			const struct kube_meta *m = &old->object.meta;
			o->meta.name = kube_string(o, m->name);
			o->meta.uid = kube_string(o, m->uid);
			o->meta.creation_ns = m->creation_ns;
			owner_add(o, &e->object, true);
			control_update(c, o, true);
		}
		kube_unref((struct kube_object *)&old->object);
		return;
	}
	char prefix[80];
	snprintf(prefix, sizeof prefix, "%.63s-", e->object.meta.name);
	o->meta.name = name_generate(c, o, prefix);
	o->meta.generate_name = kube_string(o, prefix);
	owner_add(o, &e->object, true);
	control_create(c, o, NULL);
}

static void mirror(struct control *c, const char *namespace, const char *name, bool any_service)
{
	const struct kube_endpoints *e = (const struct kube_endpoints *)kube_store_get(
		c->store, KIND_ENDPOINTS, namespace, name);
	const struct kube_service *service = (const struct kube_service *)kube_store_get(
		c->store, KIND_SERVICE, namespace, name);
	struct object_list existing = { 0 };
	const struct kube_endpoint_slice *slice;
	for (uint32_t i = 0; (slice = kube_store_next_slice(c->store, namespace, name, &i));)
		if (kube_is(kube_map_get(&slice->object.meta.labels, LABEL_MANAGED_BY),
			    MIRROR_MANAGER))
			object_list_add(&existing, kube_ref(&slice->object));
	bool wanted = any_service ? e != NULL : mirrored(e, service);
	for (uint32_t i = 0; wanted && i < e->subsets.count; i++)
		for (int family = 0; family < 2; family++) {
			struct kube_endpoint_slice *s = slice_make(e, &e->subsets.items[i],
								   family ? NET_V6 : NET_V4);
			if (s)
				write_slice(c, e, s, &existing);
		}
	for (uint32_t i = 0; i < existing.count; i++) {
		if (!existing.items[i])
			continue;
		control_remove(c, existing.items[i]);
		kube_unref((struct kube_object *)existing.items[i]);
	}
	object_list_free(&existing);
}

void mirror_sync(struct control *c, const char *namespace, const char *name)
{
	mirror(c, namespace, name, false);
}

void mirror_endpoints(struct control *c, const char *namespace, const char *name)
{
	mirror(c, namespace, name, true);
}
