/* kube/admit_service.c: see admit_service.h. */
#include "kube/admit_service.h"

#include <string.h>

#include "kube/field_error.h"
#include "kube/validate.h"

#define HEADLESS "None"

struct allocation {
	struct kube_allocator *allocator;
	struct kube_service *service;
	const struct kube_service *old;
	struct strbuf *errors, *internal;
};

/* ---- what a type has --------------------------------------------------------------- */

static bool type_is(const struct kube_service *s, const char *type)
{
	return kube_is(s->spec.type, type);
}

/* Before defaulting, no type is ClusterIP. */
static bool has_cluster_ip(const struct kube_service *s)
{
	return !s->spec.type || !*s->spec.type || type_is(s, "ClusterIP") ||
	       type_is(s, "NodePort") || type_is(s, "LoadBalancer");
}

static bool wants_node_ports(const struct kube_service *s)
{
	return type_is(s, "NodePort") || type_is(s, "LoadBalancer");
}

static bool wants_health_port(const struct kube_service *s)
{
	return type_is(s, "LoadBalancer") && kube_is(s->spec.external_traffic_policy, "Local");
}

static bool wants_external_traffic(const struct kube_service *s)
{
	return wants_node_ports(s) || (type_is(s, "ClusterIP") && s->spec.external_ips.count);
}

static bool headless(const struct kube_service *s)
{
	return s->spec.cluster_ips.count && kube_is(s->spec.cluster_ips.items[0], HEADLESS);
}

static bool given(const char *text)
{
	return text && *text;
}

static bool same_strings(const struct kube_strings *a, const struct kube_strings *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!kube_is(a->items[i], b->items[i]))
			return false;
	return true;
}

static struct kube_strings copy_strings(struct kube_service *s, const struct kube_strings *from)
{
	struct kube_strings copy = { arena_array(s->object.arena, from->count, sizeof(char *)),
				     from->count };
	for (uint32_t i = 0; i < from->count; i++)
		copy.items[i] = kube_string(&s->object, from->items[i]);
	return copy;
}

static void push_string(struct kube_service *s, struct kube_strings *list, const char *text)
{
	const char **items = arena_array(s->object.arena, list->count + 1, sizeof *items);
	if (list->count)
		memcpy(items, list->items, list->count * sizeof *items);
	items[list->count++] = kube_string(&s->object, text);
	list->items = items;
}

/* The ports, in an array of the object's own: a load may share them. */
static void own_ports(struct kube_service *s)
{
	struct kube_service_port *items =
		arena_array(s->object.arena, s->spec.ports.count, sizeof *items);
	if (s->spec.ports.count)
		memcpy(items, s->spec.ports.items, s->spec.ports.count * sizeof *items);
	s->spec.ports.items = items;
}

/* ---- update: take over, drop -------------------------------------------------------- */

static bool port_used(const struct kube_service *s, int32_t port)
{
	for (uint32_t i = 0; port && i < s->spec.ports.count; i++)
		if (s->spec.ports.items[i].node_port == port)
			return true;
	return false;
}

static void take_over_node_ports(struct kube_service *s, const struct kube_service *old)
{
	for (uint32_t i = 0; i < s->spec.ports.count; i++) {
		struct kube_service_port *p = &s->spec.ports.items[i];
		for (uint32_t j = 0; !p->node_port && j < old->spec.ports.count; j++) {
			const struct kube_service_port *before = &old->spec.ports.items[j];
			bool same_name = strcmp(p->name ? p->name : "",
						before->name ? before->name : "") == 0;
			if (same_name && !port_used(s, before->node_port))
				p->node_port = before->node_port;
		}
	}
}

static void take_over_addresses(struct kube_service *s, const struct kube_service *old)
{
	if (s->spec.cluster_ips.count ||
	    (given(s->spec.cluster_ip) && !kube_is(s->spec.cluster_ip, old->spec.cluster_ip)))
		return;
	s->spec.cluster_ip = kube_string(&s->object, old->spec.cluster_ip);
	s->spec.cluster_ips = copy_strings(s, &old->spec.cluster_ips);
}

void admit_service_take_over(struct kube_service *s, const struct kube_service *old)
{
	own_ports(s);
	if (has_cluster_ip(s) && has_cluster_ip(old)) {
		take_over_addresses(s, old);
		if (!s->spec.ip_families.count)
			s->spec.ip_families = copy_strings(s, &old->spec.ip_families);
		if (!given(s->spec.ip_family_policy))
			s->spec.ip_family_policy =
				kube_string(&s->object, old->spec.ip_family_policy);
	}
	if (wants_node_ports(s) && wants_node_ports(old))
		take_over_node_ports(s, old);
	if (wants_health_port(s) && wants_health_port(old) && !s->spec.health_check_node_port)
		s->spec.health_check_node_port = old->spec.health_check_node_port;
}

static bool same_node_ports(const struct kube_service *s, const struct kube_service *old)
{
	for (uint32_t i = 0; i < s->spec.ports.count; i++)
		if (s->spec.ports.items[i].node_port &&
		    !port_used(old, s->spec.ports.items[i].node_port))
			return false;
	return true;
}

/* A changed type drops what only the old one had, if the user left it as it was. */
static void drop_by_type(struct kube_service *s, const struct kube_service *old)
{
	if (has_cluster_ip(old) && !has_cluster_ip(s) &&
	    same_strings(&s->spec.cluster_ips, &old->spec.cluster_ips)) {
		s->spec.cluster_ip = NULL;
		s->spec.cluster_ips = s->spec.ip_families = (struct kube_strings){ 0 };
		s->spec.ip_family_policy = NULL;
	}
	if (wants_node_ports(old) && !wants_node_ports(s) && same_node_ports(s, old))
		for (uint32_t i = 0; i < s->spec.ports.count; i++)
			s->spec.ports.items[i].node_port = 0;
	if (wants_health_port(old) && !wants_health_port(s) &&
	    s->spec.health_check_node_port == old->spec.health_check_node_port)
		s->spec.health_check_node_port = 0;
	if (wants_external_traffic(old) && !wants_external_traffic(s) &&
	    kube_is(s->spec.external_traffic_policy, old->spec.external_traffic_policy))
		s->spec.external_traffic_policy = NULL;
	if (type_is(old, "LoadBalancer") && !type_is(s, "LoadBalancer")) {
		if (s->spec.allocate_load_balancer_node_ports ==
		    old->spec.allocate_load_balancer_node_ports)
			s->spec.allocate_load_balancer_node_ports = TRI_UNSET;
		if (kube_is(s->spec.load_balancer_class, old->spec.load_balancer_class))
			s->spec.load_balancer_class = NULL;
	}
}

/* ---- families ------------------------------------------------------------------------- */

static const char *family_name(uint8_t family)
{
	return family == NET_V6 ? "IPv6" : "IPv4";
}

static bool configured(const struct kube_allocator *a, const char *name)
{
	uint8_t families[2];
	uint32_t count = kube_allocator_families(a, families);
	for (uint32_t i = 0; i < count; i++)
		if (kube_is(name, family_name(families[i])))
			return true;
	return false;
}

static void families_from_addresses(struct allocation *w)
{
	struct kube_service *s = w->service;
	for (uint32_t i = s->spec.ip_families.count; i < s->spec.cluster_ips.count; i++) {
		struct net_addr ip;
		if (!net_addr_parse(s->spec.cluster_ips.items[i], &ip))
			return;
		const char *name = family_name(ip.family);
		struct field_path at = { NULL, "spec.clusterIPs", i };
		if (configured(w->allocator, name))
			push_string(s, &s->spec.ip_families, name);
		else
			field_invalid_strings(w->errors, &at, &s->spec.cluster_ips,
					      "%s is not configured on this cluster", name);
	}
}

static void add_other_family(struct kube_service *s)
{
	if (s->spec.ip_families.count == 1)
		push_string(s, &s->spec.ip_families,
			    kube_is(s->spec.ip_families.items[0], "IPv4") ? "IPv6" : "IPv4");
}

static void check_families(struct allocation *w, uint32_t cluster_families)
{
	const struct kube_service *s = w->service;
	if (kube_is(s->spec.ip_family_policy, "RequireDualStack") && cluster_families < 2)
		field_invalid(w->errors, FIELD("spec.ipFamilyPolicy"), s->spec.ip_family_policy,
			      "this cluster is not configured for dual-stack services");
	for (uint32_t i = 0; i < s->spec.ip_families.count; i++) {
		struct field_path at = { NULL, "spec.ipFamilies", i };
		if (!configured(w->allocator, s->spec.ip_families.items[i]))
			field_invalid(w->errors, &at, s->spec.ip_families.items[i],
				      "not configured on this cluster");
	}
}

static void init_families(struct allocation *w)
{
	struct kube_service *s = w->service;
	uint8_t families[2];
	uint32_t count = kube_allocator_families(w->allocator, families);
	bool no_selector = headless(s) && !s->spec.selector.count;
	if (type_is(s, "ExternalName"))
		return;
	validate_service_addresses(s, w->old, w->errors);
	if (w->errors->length)
		return;
	if (!headless(s))
		families_from_addresses(w);
	if (w->errors->length)
		return;
	if (no_selector) { /* somebody else writes its endpoints, of whatever family */
		if (!s->spec.ip_families.count)
			push_string(s, &s->spec.ip_families, family_name(families[0]));
		if (!given(s->spec.ip_family_policy))
			s->spec.ip_family_policy = "RequireDualStack";
		if (!kube_is(s->spec.ip_family_policy, "SingleStack"))
			add_other_family(s);
		return;
	}
	check_families(w, count);
	if (w->errors->length)
		return;
	if (!s->spec.ip_families.count)
		push_string(s, &s->spec.ip_families, family_name(families[0]));
	if (!given(s->spec.ip_family_policy))
		s->spec.ip_family_policy = "SingleStack";
	if (count == 2 && !kube_is(s->spec.ip_family_policy, "SingleStack"))
		add_other_family(s);
}

/* ---- addresses --------------------------------------------------------------------------- */

static void claim_given(struct allocation *w, uint32_t index)
{
	struct kube_service *s = w->service;
	const char *text = s->spec.cluster_ips.items[index];
	struct net_addr ip;
	if (w->old)
		for (uint32_t i = 0; i < w->old->spec.cluster_ips.count; i++)
			if (!type_is(w->old, "ExternalName") &&
			    kube_is(text, w->old->spec.cluster_ips.items[i]))
				return;
	if (!net_addr_parse(text, &ip))
		return;
	enum kube_allocation result = kube_claim_address(w->allocator, &ip);
	if (result != ALLOCATED)
		field_invalid_strings(
		    w->errors, FIELD("spec.clusterIPs"), &s->spec.cluster_ips,
		    "failed to allocate IP %s: %s", text,
		    result == ALLOCATION_TAKEN
			? "provided IP is already allocated"
			: "the provided network does not match the current range");
}

static void allocate_addresses(struct allocation *w)
{
	struct kube_service *s = w->service;
	if (!has_cluster_ip(s) || headless(s))
		return;
	/* An update to SingleStack gives the second family back. */
	if (kube_is(s->spec.ip_family_policy, "SingleStack") && w->old &&
	    s->spec.cluster_ips.count == 2) {
		s->spec.cluster_ips.count = 1;
		if (s->spec.ip_families.count == 2)
			s->spec.ip_families.count = 1;
	}
	for (uint32_t i = 0; i < s->spec.cluster_ips.count && !w->errors->length; i++)
		claim_given(w, i);
	for (uint32_t i = s->spec.cluster_ips.count;
	     i < s->spec.ip_families.count && !w->errors->length; i++) {
		struct net_addr ip;
		char text[NET_ADDR_TEXT];
		uint8_t family = kube_is(s->spec.ip_families.items[i], "IPv6") ? NET_V6 : NET_V4;
		if (kube_allocate_address(w->allocator, family, &ip) != ALLOCATED) {
			strbuf_puts(w->internal, "failed to allocate a serviceIP: range is full");
			return;
		}
		push_string(s, &s->spec.cluster_ips, net_addr_text(&ip, text));
	}
	if (s->spec.cluster_ips.count)
		s->spec.cluster_ip = s->spec.cluster_ips.items[0];
}

/* ---- node ports ------------------------------------------------------------------------------ */

/* Ports of one Service with the same number share a node port (53 over UDP and TCP). */
static int32_t shared_node_port(const struct kube_service *s, uint32_t before)
{
	for (uint32_t i = 0; i < before; i++)
		if (s->spec.ports.items[i].port == s->spec.ports.items[before].port)
			return s->spec.ports.items[i].node_port;
	return 0;
}

static void claim_node_port(struct allocation *w, uint32_t index)
{
	const struct kube_service_port *p = &w->service->spec.ports.items[index];
	struct field_path list = { NULL, "spec.ports", index };
	struct field_path at = { &list, "nodePort", NO_INDEX };
	uint16_t first, last;
	if (p->node_port == shared_node_port(w->service, index) ||
	    (w->old && port_used(w->old, p->node_port)))
		return;
	kube_allocator_port_range(w->allocator, &first, &last);
	enum kube_allocation result =
		p->node_port < 0 || p->node_port > 65535 ?
			ALLOCATION_OUTSIDE :
			kube_claim_port(w->allocator, (uint16_t)p->node_port);
	if (result == ALLOCATION_TAKEN)
		field_invalid_int(w->errors, &at, p->node_port,
				  "provided port is already allocated");
	else if (result == ALLOCATION_OUTSIDE)
		field_invalid_int(
		    w->errors, &at, p->node_port,
		    "provided port is not in the valid range. The range of valid ports is "
		    "%u-%u",
		    first, last);
}

static void allocate_node_ports(struct allocation *w)
{
	struct kube_service *s = w->service;
	if (!wants_node_ports(s))
		return;
	bool dynamic = !type_is(s, "LoadBalancer") ||
		       s->spec.allocate_load_balancer_node_ports != TRI_FALSE;
	for (uint32_t i = 0; i < s->spec.ports.count && !w->errors->length; i++) {
		struct kube_service_port *p = &s->spec.ports.items[i];
		uint16_t port;
		if (p->node_port) {
			claim_node_port(w, i);
			continue;
		}
		if (!dynamic)
			continue;
		p->node_port = shared_node_port(s, i);
		if (p->node_port)
			continue;
		if (kube_allocate_port(w->allocator, &port) != ALLOCATED) {
			strbuf_puts(w->internal, "failed to allocate a nodePort: range is full");
			return;
		}
		p->node_port = port;
	}
}

static void allocate_health_port(struct allocation *w)
{
	struct kube_service *s = w->service;
	int32_t wanted = s->spec.health_check_node_port;
	uint16_t port, first, last;
	if (!wants_health_port(s) ||
	    (w->old && wanted == w->old->spec.health_check_node_port && wanted))
		return;
	if (!wanted) {
		if (kube_allocate_port(w->allocator, &port) == ALLOCATED)
			s->spec.health_check_node_port = port;
		else
			strbuf_puts(w->internal,
				    "failed to allocate a HealthCheck NodePort 0: range is full");
		return;
	}
	enum kube_allocation result = wanted < 0 || wanted > 65535 ?
					      ALLOCATION_OUTSIDE :
					      kube_claim_port(w->allocator, (uint16_t)wanted);
	kube_allocator_port_range(w->allocator, &first, &last);
	if (result == ALLOCATION_TAKEN)
		strbuf_printf(w->internal, "failed to allocate requested HealthCheck NodePort %d: "
			      "provided port is already allocated", wanted);
	else if (result == ALLOCATION_OUTSIDE)
		strbuf_printf(
		    w->internal,
		    "failed to allocate requested HealthCheck NodePort %d: "
		    "provided port is not in the valid range. The range of valid ports is "
		    "%u-%u",
		    wanted, first, last);
}

void admit_service(struct kube_allocator *a, struct kube_service *s,
		   const struct kube_service *old, struct strbuf *errors, struct strbuf *internal)
{
	struct allocation w = { a, s, old, errors, internal };
	own_ports(s);
	if (old)
		drop_by_type(s, old);
	init_families(&w);
	if (!errors->length)
		allocate_addresses(&w);
	if (!errors->length && !internal->length)
		allocate_node_ports(&w);
	if (!errors->length && !internal->length)
		allocate_health_port(&w);
	if (errors->length || internal->length)
		kube_allocator_settle(a);
}
