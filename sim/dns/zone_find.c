/* dns/zone_find.c: what the view has for a name (CoreDNS plugin/kubernetes:
 * kubernetes.go, reverse.go, ns.go). */
#include "dns/zone_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct zone_item *add_item(const struct zone_query *q, struct zone_items *out)
{
	if (out->count == out->capacity) {
		uint32_t capacity = out->capacity ? out->capacity * 2 : 4;
		struct zone_item *items = arena_array(q->arena, capacity, sizeof *items);
		if (out->count)
			memcpy(items, out->items, out->count * sizeof *items);
		out->items = items;
		out->capacity = capacity;
	}
	struct zone_item *item = &out->items[out->count++];
	memset(item, 0, sizeof *item);
	item->ttl = q->kube->ttl;
	return item;
}

void zone_item_host(struct zone_item *item, const char *host)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	item->host = host;
	if (!net_addr_parse(host, &item->addr)) {
		memset(&item->addr, 0, sizeof item->addr);
		return;
	}
	if (item->addr.family == NET_V6 && memcmp(item->addr.bytes, mapped, 12) == 0) {
		uint8_t v4[4];
		memcpy(v4, item->addr.bytes + 12, 4);
		memset(&item->addr, 0, sizeof item->addr);
		item->addr.family = NET_V4;
		memcpy(item->addr.bytes, v4, 4);
	}
}

/* ---- what is exposed --------------------------------------------------------- */

static bool configured(const struct dns_kube *k, const char *namespace)
{
	for (uint32_t i = 0; i < k->namespaces.count; i++)
		if (strcmp(k->namespaces.items[i], namespace) == 0)
			return true;
	return k->namespaces.count == 0;
}

static bool exposed(const struct dns_kube *k, const char *namespace)
{
	const struct kube_namespace *n = dns_view_namespace(k->view, namespace);
	return configured(k, namespace) && n &&
	       (!k->namespace_labels.set ||
		kube_selector_matches(&k->namespace_labels, &n->object.meta.labels));
}

static bool selected(const struct dns_kube *k, const struct kube_object *o)
{
	return !k->labels.set || kube_selector_matches(&k->labels, &o->meta.labels);
}

static const struct kube_service *find_service(const struct dns_kube *k, const char *namespace,
					       const char *name)
{
	const struct kube_service *s = dns_view_service(k->view, namespace, name);
	return s && selected(k, &s->object) ? s : NULL;
}

static bool headless(const struct kube_service *s)
{
	const char *first = s->spec.cluster_ips.count ? s->spec.cluster_ips.items[0] :
							s->spec.cluster_ip;
	return kube_is(first, "None");
}

static bool external(const struct kube_service *s)
{
	return kube_is(s->spec.type, "ExternalName");
}

static bool counts(const struct kube_endpoint *e)
{
	return e->conditions.ready != TRI_FALSE;
}

/* ---- endpoints ------------------------------------------------------------------ */

#define HOSTNAME_BYTES 256

static void endpoint_hostname(const struct dns_kube *k, const struct kube_endpoint *e,
			      const char *ip, char out[HOSTNAME_BYTES])
{
	const char *pod = e->target.name;
	if (e->hostname && e->hostname[0]) {
		snprintf(out, HOSTNAME_BYTES, "%s", e->hostname);
		return;
	}
	if (k->endpoint_pod_names && pod && pod[0] && strlen(pod) < 64) {
		snprintf(out, HOSTNAME_BYTES, "%s", pod);
		return;
	}
	size_t at = 0;
	bool v6 = !strchr(ip, '.');
	for (; ip[at] && at < HOSTNAME_BYTES - 2; at++)
		out[at] = ip[at] == '.' || ip[at] == ':' ? '-' : ip[at];
	if (v6 && at && out[at - 1] == '-')
		out[at++] = '0';
	out[at] = 0;
}

/* EP.SERVICE.NAMESPACE.svc.ZONE, or without EP; false: too long for a name. */
static bool service_target(const struct dns_name *zone, const struct kube_service *s,
			   const char *endpoint, struct dns_name *out)
{
	*out = *zone;
	return dns_name_prepend_text(out, "svc") &&
	       dns_name_prepend_text(out, s->object.meta.namespace) &&
	       dns_name_prepend_text(out, s->object.meta.name) &&
	       (!endpoint || dns_name_prepend_text(out, endpoint));
}

static bool port_matches(const struct zone_request *r, const char *name, const char *protocol)
{
	return (!r->port[0] || strcasecmp(r->port, name ? name : "") == 0) &&
	       (!r->protocol[0] || strcasecmp(r->protocol, protocol ? protocol : "") == 0);
}

static uint32_t add_address(const struct zone_query *q, const struct zone_request *r,
			    const struct kube_service *s, const struct kube_endpoint_slice *slice,
			    const char *ip, const char *hostname, struct zone_items *out)
{
	static const struct kube_endpoint_port none = { .port = { true, -1 } };
	const struct kube_endpoint_port *ports = slice->ports.count ? slice->ports.items : &none;
	uint32_t count = slice->ports.count ? slice->ports.count : 1, added = 0;
	struct dns_name target;
	if (!service_target(&q->zone, s, hostname, &target))
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		if (!port_matches(r, ports[i].name, ports[i].protocol))
			continue;
		struct zone_item *item = add_item(q, out);
		zone_item_host(item, ip);
		item->port = ports[i].port.set ? (int32_t)ports[i].port.value : -1;
		item->target = target;
		added++;
	}
	return added;
}

static uint32_t add_endpoints(const struct zone_query *q, const struct zone_request *r,
			      const struct kube_service *s, const char *topology_zone,
			      struct zone_items *out)
{
	const struct kube_endpoint_slice *const *slices;
	uint32_t count = q->kube->no_endpoints ? 0 :
			 dns_view_slices(q->kube->view, r->namespace, r->service, &slices);
	uint32_t added = 0;
	char hostname[HOSTNAME_BYTES];
	for (uint32_t i = 0; i < count; i++) {
		if (!selected(q->kube, &slices[i]->object))
			continue;
		for (uint32_t k = 0; k < slices[i]->endpoints.count; k++) {
			const struct kube_endpoint *e = &slices[i]->endpoints.items[k];
			if (!counts(e) || (topology_zone[0] &&
					   strcasecmp(e->zone ? e->zone : "", topology_zone) != 0))
				continue;
			for (uint32_t n = 0; n < e->addresses.count; n++) {
				endpoint_hostname(q->kube, e, e->addresses.items[n], hostname);
				if (r->endpoint[0] && strcasecmp(r->endpoint, hostname) != 0)
					continue;
				added += add_address(q, r, s, slices[i], e->addresses.items[n],
						     hostname, out);
			}
		}
	}
	return added;
}

static bool has_endpoints(const struct dns_kube *k, const struct zone_request *r)
{
	const struct kube_endpoint_slice *const *slices;
	uint32_t count = k->no_endpoints ? 0 :
			 dns_view_slices(k->view, r->namespace, r->service, &slices);
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t e = 0; selected(k, &slices[i]->object) &&
				     e < slices[i]->endpoints.count; e++)
			if (counts(&slices[i]->endpoints.items[e]) &&
			    slices[i]->endpoints.items[e].addresses.count)
				return true;
	return false;
}

/* ---- services ------------------------------------------------------------------- */

static void add_cluster_ips(const struct zone_query *q, const struct kube_service *s, int32_t port,
			    struct zone_items *out)
{
	const struct kube_strings *ips = &s->spec.cluster_ips;
	struct dns_name target;
	if (!service_target(&q->zone, s, NULL, &target))
		return;
	for (uint32_t i = 0; i < (ips->count ? ips->count : 1); i++) {
		const char *ip = ips->count ? ips->items[i] : s->spec.cluster_ip;
		struct zone_item *item = add_item(q, out);
		zone_item_host(item, ip ? ip : "");
		item->port = port;
		item->target = target;
	}
}

static bool cluster_ip_service(const struct zone_query *q, const struct zone_request *r,
			       const struct kube_service *s, struct zone_items *out)
{
	bool found = false;
	if (!s->spec.ports.count && !r->port[0] && !r->protocol[0]) {
		add_cluster_ips(q, s, -1, out);
		return true;
	}
	for (uint32_t i = 0; i < s->spec.ports.count; i++) {
		const struct kube_service_port *p = &s->spec.ports.items[i];
		if (!port_matches(r, p->name, p->protocol))
			continue;
		found = true;
		add_cluster_ips(q, s, p->port, out);
	}
	return found;
}

static bool external_service(const struct zone_query *q, const struct zone_request *r,
			     const struct kube_service *s, struct zone_items *out)
{
	struct zone_item item = { 0 };
	if (r->endpoint[0] || r->port[0] || r->protocol[0] || r->topology_zone[0])
		return false;
	zone_item_host(&item, s->spec.external_name ? s->spec.external_name : "");
	if (item.addr.family != NET_NONE)
		return false;
	item.ttl = q->kube->ttl;
	*add_item(q, out) = item;
	return true;
}

static bool find_services(const struct zone_query *q, const struct zone_request *r,
			  struct zone_items *out)
{
	if (!r->service[0])
		return true;
	const struct kube_service *s = find_service(q->kube, r->namespace, r->service);
	if (!s)
		return false;
	if (q->kube->ignore_empty_service && !external(s) && !headless(s) &&
	    !has_endpoints(q->kube, r))
		return false;
	if (external(s))
		return external_service(q, r, s, out);
	if (r->topology_zone[0] && !headless(s))
		return false;
	if (!headless(s) && !r->endpoint[0])
		return cluster_ip_service(q, r, s, out);
	uint32_t added = add_endpoints(q, r, s, r->topology_zone, out);
	if (!added && r->prefer)
		added = add_endpoints(q, r, s, "", out);
	return added || r->topology_zone[0];
}

/* ---- pods ------------------------------------------------------------------------ */

/* The address a pod name spells: three single dashes are IPv4, else IPv6. */
static const char *pod_ip(struct arena *a, const char *name)
{
	unsigned dashes = 0;
	for (const char *p = name; *p; p++)
		dashes += *p == '-';
	char by = dashes == 3 && !strstr(name, "--") ? '.' : ':';
	char *ip = arena_strdup(a, name);
	for (char *p = ip; *p; p++)
		if (*p == '-')
			*p = by;
	return ip;
}

static void add_pod(const struct zone_query *q, const struct zone_request *r, const char *ip,
		    struct zone_items *out)
{
	struct zone_item *item = add_item(q, out);
	zone_item_host(item, ip);
	item->target = q->zone;
	if (!dns_name_prepend_text(&item->target, "pod") ||
	    !dns_name_prepend_text(&item->target, r->namespace) ||
	    !dns_name_prepend_text(&item->target, r->service))
		out->count--;
}

static bool find_pods(const struct zone_query *q, const struct zone_request *r,
		      struct zone_items *out)
{
	const struct kube_pod *const *pods;
	struct net_addr addr;
	if (q->kube->pods == DNS_PODS_DISABLED)
		return false;
	if (!r->service[0])
		return true;
	const char *ip = pod_ip(q->arena, r->service);
	if (!net_addr_parse(ip, &addr))
		return false;
	if (q->kube->pods == DNS_PODS_INSECURE) {
		add_pod(q, r, ip, out);
		return true;
	}
	uint32_t count = dns_view_pods_by_ip(q->kube->view, &addr, &pods);
	bool found = false;
	for (uint32_t i = 0; i < count; i++) {
		if (!selected(q->kube, &pods[i]->object) || !kube_is(pods[i]->status.pod_ip, ip) ||
		    strcasecmp(pods[i]->object.meta.namespace, r->namespace) != 0)
			continue;
		add_pod(q, r, ip, out);
		found = true;
	}
	return found;
}

/* ---- the zone's servers ------------------------------------------------------------ */

static void add_server(const struct zone_query *q, const struct dns_name *target,
		       const struct net_addr *addr, struct zone_items *out)
{
	struct zone_item *item = add_item(q, out);
	item->addr = *addr;
	item->target = *target;
}

static void add_server_service(const struct zone_query *q, const struct kube_service *s,
			       const struct kube_endpoint_slice *slice, struct zone_items *out)
{
	struct zone_item host = { 0 };
	struct dns_name target;
	char hostname[HOSTNAME_BYTES];
	const struct kube_strings *ips = &s->spec.cluster_ips;
	for (uint32_t i = 0; !headless(s) && i < ips->count; i++) {
		zone_item_host(&host, ips->items[i]);
		if (host.addr.family != NET_NONE && service_target(&q->zone, s, NULL, &target))
			add_server(q, &target, &host.addr, out);
	}
	for (uint32_t i = 0; headless(s) && i < slice->endpoints.count; i++) {
		const struct kube_endpoint *e = &slice->endpoints.items[i];
		for (uint32_t k = 0; counts(e) && k < e->addresses.count; k++) {
			endpoint_hostname(q->kube, e, e->addresses.items[k], hostname);
			zone_item_host(&host, e->addresses.items[k]);
			if (service_target(&q->zone, s, hostname, &target))
				add_server(q, &target, &host.addr, out);
		}
	}
}

void zone_servers(const struct zone_query *q, struct zone_items *out)
{
	const struct dns_kube *k = q->kube;
	bool found = false;
	for (uint32_t i = 0; i < k->local_count; i++) {
		const struct kube_endpoint_slice *const *slices;
		uint32_t count = k->no_endpoints ? 0 :
				 dns_view_slices_by_ip(k->view, &k->local[i], &slices);
		for (uint32_t n = 0; n < count; n++) {
			if (!selected(k, &slices[n]->object))
				continue;
			found = true;
			const char *name = kube_map_get(&slices[n]->object.meta.labels,
							"kubernetes.io/service-name");
			const struct kube_service *s =
			    name ? find_service(k, slices[n]->object.meta.namespace, name) : NULL;
			if (s)
				add_server_service(q, s, slices[n], out);
		}
	}
	const struct kube_service *kube_dns = find_service(k, "kube-system", "kube-dns");
	if (!found && k->is_kube_dns && kube_dns) {
		add_server_service(q, kube_dns,
				   &(struct kube_endpoint_slice){ .endpoints.count = 0 }, out);
		return;
	}
	struct dns_name own = q->zone;
	if (found || !dns_name_prepend_text(&own, "ns.dns"))
		return;
	for (uint32_t i = 0; i < k->local_count; i++)
		add_server(q, &own, &k->local[i], out);
}

/* "ns.dns." and the zone behind it, as text and with the case of the question's zone:
 * a zone spelt with capitals never matches. */
static bool is_default_server(const struct zone_query *q, const struct dns_name *name)
{
	char text[DNS_NAME_TEXT], zone[DNS_NAME_TEXT];
	struct dns_name low = *name;
	dns_name_lower(&low);
	dns_name_text(&low, text);
	dns_name_text(&q->zone, zone);
	return strncmp(text, "ns.dns.", 7) == 0 && strstr(text, zone) == text + 7;
}

static bool is_version_name(const struct zone_query *q, const struct dns_name *name)
{
	static const struct dns_name version = { 13, "\13dns-version" };
	return dns_name_labels(name) == q->zone_labels + 1 &&
	       strncasecmp((const char *)name->bytes, (const char *)version.bytes, 12) == 0;
}

/* ---- entry points ------------------------------------------------------------------- */

static bool records(const struct zone_query *q, const struct dns_name *name,
		    struct zone_items *out)
{
	static const struct dns_name v4 = { 14, "\7in-addr\4arpa" };
	static const struct dns_name v6 = { 10, "\3ip6\4arpa" };
	struct zone_request r;
	if (!zone_parse(name, q->zone_labels, q->kube->zonal, &r))
		return false;
	if (!r.pod && !r.svc)
		return true;
	if (dns_name_under(name, &v4) || dns_name_under(name, &v6))
		return false;
	if (!exposed(q->kube, r.namespace))
		return false;
	return r.pod ? find_pods(q, &r, out) : find_services(q, &r, out);
}

static bool text_services(const struct zone_query *q, const struct dns_name *name,
			  struct zone_items *out)
{
	struct zone_items found = { 0 };
	struct zone_request r;
	if (is_version_name(q, name)) {
		struct zone_item *item = add_item(q, out);
		item->text = "1.1.0";
		item->ttl = 28800;
		return true;
	}
	bool exists = records(q, name, &found);
	if (found.count)
		return true;
	return exists && q->kube->zonal && zone_parse(name, q->zone_labels, true, &r) &&
	       r.topology_zone[0];
}

bool zone_services(const struct zone_query *q, const struct dns_name *name, uint16_t type,
		   struct zone_items *out)
{
	if (type == DNS_TXT)
		return text_services(q, name, out);
	if (is_default_server(q, name)) {
		struct zone_items servers = { 0 };
		zone_servers(q, &servers);
		for (uint32_t i = 0; i < servers.count; i++) {
			uint16_t is = servers.items[i].addr.family == NET_V4 ? DNS_A : DNS_AAAA;
			if (is == type)
				*add_item(q, out) = servers.items[i];
		}
		return true;
	}
	if (!records(q, name, out))
		return false;
	if (type != DNS_SRV)
		return true;
	uint32_t kept = 0;
	for (uint32_t i = 0; i < out->count; i++)
		if (out->items[i].addr.family != NET_NONE)
			out->items[kept++] = out->items[i];
	out->count = kept;
	return true;
}

static void reverse_endpoints(const struct zone_query *q, const struct net_addr *ip,
			      const struct dns_name *primary, struct zone_items *out)
{
	const struct dns_kube *k = q->kube;
	const struct kube_endpoint_slice *const *slices;
	char hostname[HOSTNAME_BYTES];
	uint32_t count = k->no_endpoints ? 0 : dns_view_slices_by_ip(k->view, ip, &slices);
	for (uint32_t i = 0; i < count; i++) {
		const struct kube_meta *meta = &slices[i]->object.meta;
		const char *service = kube_map_get(&meta->labels, "kubernetes.io/service-name");
		if (!selected(k, &slices[i]->object) ||
		    (k->namespaces.count && !exposed(k, meta->namespace)))
			continue;
		for (uint32_t e = 0; e < slices[i]->endpoints.count; e++) {
			const struct kube_endpoint *endpoint = &slices[i]->endpoints.items[e];
			for (uint32_t n = 0; counts(endpoint) && n < endpoint->addresses.count;
			     n++) {
				struct zone_item host = { 0 };
				zone_item_host(&host, endpoint->addresses.items[n]);
				if (!net_addr_equal(&host.addr, ip))
					continue;
				endpoint_hostname(k, endpoint, endpoint->addresses.items[n],
						  hostname);
				struct dns_name target = *primary;
				if (service && dns_name_prepend_text(&target, "svc") &&
				    dns_name_prepend_text(&target, meta->namespace) &&
				    dns_name_prepend_text(&target, service) &&
				    dns_name_prepend_text(&target, hostname))
					add_item(q, out)->target = target;
			}
		}
	}
}

bool zone_reverse(const struct zone_query *q, const struct dns_name *name, struct zone_items *out)
{
	const struct dns_kube *k = q->kube;
	const struct dns_name *primary = &k->zones.items[k->primary];
	const struct kube_service *const *services;
	struct zone_items ignored = { 0 };
	struct net_addr ip;
	if (!dns_name_address(name, &ip))
		return records(q, name, &ignored);
	uint32_t count = dns_view_services_by_ip(k->view, &ip, &services);
	for (uint32_t i = 0; i < count; i++) {
		const struct kube_meta *meta = &services[i]->object.meta;
		struct dns_name target;
		if (!selected(k, &services[i]->object) ||
		    (k->namespaces.count && !exposed(k, meta->namespace)) ||
		    !service_target(primary, services[i], NULL, &target))
			continue;
		add_item(q, out)->target = target;
		return true;
	}
	reverse_endpoints(q, &ip, primary, out);
	return out->count > 0;
}
