/* kube/validate_endpoints.c: EndpointSlice and Endpoints: see validate.h. */
#include <string.h>

#include "kube/validate.h"
#include "kube/validate_meta.h"

#define ENDPOINTS_MOST 1000
#define PORTS_MOST 20000
#define ADDRESSES_MOST 100
#define HINTS_MOST 8

static const char *const protocols[] = { "SCTP", "TCP", "UDP", NULL };
static const char *const address_types[] = { "FQDN", "IPv4", "IPv6", NULL };

static bool given(const char *text)
{
	return text && *text;
}

/* ---- EndpointSlice ------------------------------------------------------------------------ */

static void check_address(struct strbuf *errors, const struct field_path *at, const char *type,
			  const char *address)
{
	struct net_addr ip;
	bool parsed = address && net_addr_parse(address, &ip);
	if (kube_is(type, "FQDN")) {
		field_check(errors, at, address, rule_subdomain_1123);
		if (address && !strchr(address, '.'))
			field_invalid(
			    errors, at, address,
			    "should be a domain with at least two segments separated by dots");
		return;
	}
	if (!kube_is(type, "IPv4") && !kube_is(type, "IPv6"))
		return;
	if (!parsed || ip.family != (kube_is(type, "IPv4") ? NET_V4 : NET_V6))
		field_invalid(errors, at, address, "must be an %s address", type);
	else
		field_check_special_ip(errors, at, address);
}

static void check_hints(struct strbuf *errors, const struct field_path *at, const char *name,
			const struct kube_strings *hints)
{
	const struct field_path *list = CHILD(at, name);
	if (hints->count > HINTS_MOST) {
		field_too_many(errors, list, hints->count, HINTS_MOST);
		return;
	}
	for (uint32_t i = 0; i < hints->count; i++) {
		const struct field_path *item = ITEM(at, name, i);
		for (uint32_t j = 0; j < i; j++)
			if (kube_is(hints->items[i], hints->items[j])) {
				field_duplicate(errors, CHILD(item, "name"), hints->items[i]);
				break;
			}
		field_check(errors, CHILD(item, "name"), hints->items[i], rule_label_value);
	}
}

static void check_endpoint(struct strbuf *errors, const struct kube_endpoint_slice *s,
			   uint32_t index)
{
	const struct kube_endpoint *e = &s->endpoints.items[index];
	const struct field_path *at = ITEM(NULL, "endpoints", index);
	if (!e->addresses.count)
		field_required(errors, CHILD(at, "addresses"), "must contain at least 1 address");
	else if (e->addresses.count > ADDRESSES_MOST)
		field_too_many(errors, CHILD(at, "addresses"), e->addresses.count, ADDRESSES_MOST);
	for (uint32_t i = 0; i < e->addresses.count && e->addresses.count <= ADDRESSES_MOST; i++)
		check_address(errors, ITEM(at, "addresses", i), s->address_type,
			      e->addresses.items[i]);
	if (given(e->node_name))
		field_check(errors, CHILD(at, "nodeName"), e->node_name, rule_subdomain_1123);
	if (given(e->hostname))
		field_check(errors, CHILD(at, "hostname"), e->hostname, rule_label_1123);
	if (e->hints.set) {
		const struct field_path *hints = CHILD(at, "hints");
		check_hints(errors, hints, "forZones", &e->hints.zones);
		check_hints(errors, hints, "forNodes", &e->hints.nodes);
	}
}

static void check_slice_ports(struct strbuf *errors, const struct kube_endpoint_slice *s)
{
	if (s->ports.count > PORTS_MOST) {
		field_too_many(errors, FIELD("ports"), s->ports.count, PORTS_MOST);
		return;
	}
	for (uint32_t i = 0; i < s->ports.count; i++) {
		const struct kube_endpoint_port *p = &s->ports.items[i];
		const struct field_path *at = ITEM(NULL, "ports", i);
		if (given(p->name))
			field_check(errors, CHILD(at, "name"), p->name, rule_label_1123);
		for (uint32_t j = 0; j < i; j++)
			if (texts_equal(p->name, s->ports.items[j].name)) {
				field_duplicate(errors, CHILD(at, "name"), p->name);
				break;
			}
		if (!field_is_one_of(p->protocol, protocols))
			field_not_supported(errors, CHILD(at, "protocol"), p->protocol, protocols);
		if (given(p->app_protocol))
			field_check(errors, CHILD(at, "appProtocol"), p->app_protocol,
				    rule_qualified_name);
	}
}

void kube_validate_endpoint_slice(const struct kube_object *o, const struct kube_object *before,
				  struct strbuf *errors)
{
	const struct kube_endpoint_slice *s = (const struct kube_endpoint_slice *)o;
	const struct kube_endpoint_slice *old = (const struct kube_endpoint_slice *)before;
	validate_meta(errors, o, before, rule_subdomain_1123);
	if (old && !texts_equal(s->address_type, old->address_type))
		field_invalid(errors, FIELD("addressType"), s->address_type, "%s", TEXT_IMMUTABLE);
	if (!given(s->address_type))
		field_required(errors, FIELD("addressType"), NULL);
	else if (!field_is_one_of(s->address_type, address_types))
		field_not_supported(errors, FIELD("addressType"), s->address_type, address_types);
	if (s->endpoints.count > ENDPOINTS_MOST)
		field_too_many(errors, FIELD("endpoints"), s->endpoints.count, ENDPOINTS_MOST);
	else
		for (uint32_t i = 0; i < s->endpoints.count; i++)
			check_endpoint(errors, s, i);
	check_slice_ports(errors, s);
}

/* ---- Endpoints ------------------------------------------------------------------------------ */

static void check_endpoint_address(struct strbuf *errors, const struct field_path *at,
				   const struct kube_endpoint_address *a)
{
	field_check_ip(errors, CHILD(at, "ip"), a->ip);
	if (given(a->hostname))
		field_check(errors, CHILD(at, "hostname"), a->hostname, rule_label_1123);
	if (given(a->node_name))
		field_check(errors, CHILD(at, "nodeName"), a->node_name, rule_subdomain_1123);
	field_check_special_ip(errors, CHILD(at, "ip"), a->ip);
}

static void check_subset(struct strbuf *errors, const struct field_path *at,
			 const struct kube_endpoints_subset *s)
{
	if (!s->addresses.count && !s->not_ready.count)
		field_required(errors, at, "must specify `addresses` or `notReadyAddresses`");
	for (uint32_t i = 0; i < s->addresses.count; i++)
		check_endpoint_address(errors, ITEM(at, "addresses", i), &s->addresses.items[i]);
	for (uint32_t i = 0; i < s->not_ready.count; i++)
		check_endpoint_address(errors, ITEM(at, "notReadyAddresses", i),
				       &s->not_ready.items[i]);
	for (uint32_t i = 0; i < s->ports.count; i++) {
		const struct kube_endpoint_port *p = &s->ports.items[i];
		const struct field_path *port = ITEM(at, "ports", i);
		if (s->ports.count > 1 && !given(p->name))
			field_required(errors, CHILD(port, "name"), NULL);
		else if (given(p->name))
			field_check(errors, CHILD(port, "name"), p->name, rule_label_1123);
		field_check_port(errors, CHILD(port, "port"), p->port.set ? p->port.value : 0);
		if (!given(p->protocol))
			field_required(errors, CHILD(port, "protocol"), NULL);
		else if (!field_is_one_of(p->protocol, protocols))
			field_not_supported(errors, CHILD(port, "protocol"), p->protocol,
					    protocols);
		if (given(p->app_protocol))
			field_check(errors, CHILD(port, "appProtocol"), p->app_protocol,
				    rule_qualified_name);
	}
}

void kube_validate_endpoints(const struct kube_object *o, const struct kube_object *before,
			     struct strbuf *errors)
{
	const struct kube_endpoints *e = (const struct kube_endpoints *)o;
	validate_meta(errors, o, before, rule_subdomain_1123);
	for (uint32_t i = 0; i < e->subsets.count; i++)
		check_subset(errors, ITEM(NULL, "subsets", i), &e->subsets.items[i]);
}
