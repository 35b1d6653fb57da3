/* kube/defaults_service.c: Service, EndpointSlice, Endpoints: see defaults.h. */
#include <string.h>

#include "kube/defaults.h"

#define AFFINITY_TIMEOUT_S 10800

static void set_text(const char **member, const char *value)
{
	if (!*member || !**member)
		*member = value;
}

static void default_service_port(struct kube_service_port *p)
{
	set_text(&p->protocol, "TCP");
	struct int_or_string *target = &p->target_port;
	if (!target->kind || (target->kind == 'i' && target->number == 0) ||
	    (target->kind == 's' && !*target->string))
		*target = (struct int_or_string){ .kind = 'i', .number = p->port };
}

static bool port_is_complete(const struct kube_service_port *p)
{
	struct kube_service_port defaulted = *p;
	default_service_port(&defaulted);
	return defaulted.protocol == p->protocol &&
	       defaulted.target_port.kind == p->target_port.kind &&
	       defaulted.target_port.number == p->target_port.number;
}

static void default_ports(struct kube_object *o, struct kube_service *s)
{
	bool complete = true;
	for (uint32_t i = 0; i < s->spec.ports.count; i++)
		complete &= port_is_complete(&s->spec.ports.items[i]);
	if (complete)
		return;
	struct kube_service_port *items =
		arena_array(o->arena, s->spec.ports.count, sizeof *items);
	for (uint32_t i = 0; i < s->spec.ports.count; i++) {
		items[i] = s->spec.ports.items[i];
		default_service_port(&items[i]);
	}
	s->spec.ports.items = items;
}

static void default_addresses(struct kube_object *o, struct kube_service *s)
{
	bool one = s->spec.cluster_ip && *s->spec.cluster_ip;
	if (one && !s->spec.cluster_ips.count) {
		s->spec.cluster_ips.items = arena_array(o->arena, 1, sizeof(char *));
		s->spec.cluster_ips.items[0] = s->spec.cluster_ip;
		s->spec.cluster_ips.count = 1;
	} else if (!one && s->spec.cluster_ips.count) {
		s->spec.cluster_ip = s->spec.cluster_ips.items[0];
	}
}

static void default_ip_mode(struct kube_object *o, struct kube_service *s)
{
	struct kube_lb_ingress *items = NULL;
	for (uint32_t i = 0; i < s->status.ingress.count; i++) {
		if (!s->status.ingress.items[i].ip || s->status.ingress.items[i].ip_mode)
			continue;
		if (!items) {
			items = arena_array(o->arena, s->status.ingress.count, sizeof *items);
			memcpy(items, s->status.ingress.items,
			       s->status.ingress.count * sizeof *items);
			s->status.ingress.items = items;
		}
		items[i].ip_mode = "VIP";
	}
}

void kube_default_service(struct kube_object *o)
{
	struct kube_service *s = (struct kube_service *)o;
	set_text(&s->spec.type, "ClusterIP");
	set_text(&s->spec.session_affinity, "None");
	bool balancer = kube_is(s->spec.type, "LoadBalancer");
	bool external_name = kube_is(s->spec.type, "ExternalName");
	if (kube_is(s->spec.session_affinity, "None"))
		s->spec.affinity_timeout_s = (struct opt_int){ 0 };
	else if (kube_is(s->spec.session_affinity, "ClientIP") && !s->spec.affinity_timeout_s.set)
		s->spec.affinity_timeout_s = (struct opt_int){ true, AFFINITY_TIMEOUT_S };
	default_ports(o, s);
	if (balancer || kube_is(s->spec.type, "NodePort") ||
	    (kube_is(s->spec.type, "ClusterIP") && s->spec.external_ips.count))
		set_text(&s->spec.external_traffic_policy, "Cluster");
	if (!external_name)
		set_text(&s->spec.internal_traffic_policy, "Cluster");
	if (balancer && !s->spec.allocate_load_balancer_node_ports)
		s->spec.allocate_load_balancer_node_ports = TRI_TRUE;
	default_addresses(o, s);
	default_ip_mode(o, s);
}

/* `names`: slices give an unnamed port the name "", Endpoints leave it out. */
static struct kube_endpoint_port *endpoint_ports(struct kube_object *o,
						 struct kube_endpoint_port *items, uint32_t count,
						 bool names)
{
	bool complete = true;
	for (uint32_t i = 0; i < count; i++)
		complete &= items[i].protocol && *items[i].protocol && (items[i].name || !names);
	if (complete)
		return items;
	struct kube_endpoint_port *own = arena_array(o->arena, count, sizeof *own);
	for (uint32_t i = 0; i < count; i++) {
		own[i] = items[i];
		set_text(&own[i].protocol, "TCP");
		if (!own[i].name && names)
			own[i].name = "";
	}
	return own;
}

void kube_default_endpoint_slice(struct kube_object *o)
{
	struct kube_endpoint_slice *s = (struct kube_endpoint_slice *)o;
	s->ports.items = endpoint_ports(o, s->ports.items, s->ports.count, true);
}

void kube_default_endpoints(struct kube_object *o)
{
	struct kube_endpoints *e = (struct kube_endpoints *)o;
	struct kube_endpoints_subset *own = NULL;
	for (uint32_t i = 0; i < e->subsets.count; i++) {
		struct kube_endpoints_subset *subset = &e->subsets.items[i];
		struct kube_endpoint_port *ports =
			endpoint_ports(o, subset->ports.items, subset->ports.count, false);
		if (ports == subset->ports.items)
			continue;
		if (!own) {
			own = arena_array(o->arena, e->subsets.count, sizeof *own);
			memcpy(own, e->subsets.items, e->subsets.count * sizeof *own);
			e->subsets.items = own;
		}
		own[i].ports.items = ports;
	}
}
