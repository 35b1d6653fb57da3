/* kube/kubectl/describe_service.c: Services, Endpoints, slices, Ingresses. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/describe.h"

/* ---- endpoints of a port --------------------------------------------------------- */

static const char *address_port(struct call *c, const char *ip, long long port)
{
	return arena_printf(c->arena, strchr(ip, ':') ? "[%s]:%lld" : "%s:%lld", ip, port);
}

static const struct kube_endpoint_port *slice_port(const struct kube_endpoint_slice *s,
						   const char *name)
{
	for (uint32_t i = 0; i < s->ports.count; i++)
		if (strcmp(text_or(s->ports.items[i].name, ""), name) == 0)
			return &s->ports.items[i];
	return NULL;
}

const char *service_endpoints(struct call *c, const struct kube_service *s,
			      const struct kube_service_port *p)
{
	const struct kube_meta *m = &s->object.meta;
	const struct kube_endpoint_slice *slice;
	char *items[3];
	uint32_t count = 0, slices = 0;
	for (uint32_t i = 0;
	     (slice = kube_store_next_slice(c->k->store, m->namespace, m->name, &i));) {
		const struct kube_endpoint_port *port = slice_port(slice, text_or(p->name, ""));
		slices++;
		for (uint32_t j = 0; port && j < slice->endpoints.count; j++) {
			const struct kube_endpoint *e = &slice->endpoints.items[j];
			if (e->conditions.ready == TRI_FALSE)
				continue;
			for (uint32_t k = 0; k < e->addresses.count; k++, count++)
				if (count < 3)
					items[count] = (char *)address_port(
					    c, e->addresses.items[k], port->port.value);
		}
	}
	if (!slices)
		return "<none>";
	return words_shorten(c, items, count, 3);
}

/* ---- service --------------------------------------------------------------------- */

static void put_ports(struct describe *d, const struct kube_service *s)
{
	for (uint32_t i = 0; i < s->spec.ports.count; i++) {
		const struct kube_service_port *p = &s->spec.ports.items[i];
		const char *name = text_or(p->name, "<unset>"),
			   *protocol = text_or(p->protocol, "TCP");
		describe_put(d, 0, "Port:\t%s\t%d/%s\n", name, p->port, protocol);
		if (p->target_port.kind == 's')
			describe_put(d, 0, "TargetPort:\t%s/%s\n", p->target_port.string, protocol);
		else
			describe_put(d, 0, "TargetPort:\t%d/%s\n", p->target_port.number, protocol);
		if (p->node_port)
			describe_put(d, 0, "NodePort:\t%s\t%d/%s\n", name, p->node_port, protocol);
		describe_put(d, 0, "Endpoints:\t%s\n", service_endpoints(d->c, s, p));
	}
}

static void put_ingress(struct describe *d, const struct kube_service *s)
{
	if (!s->status.ingress.count)
		return;
	describe_put(d, 0, "LoadBalancer Ingress:\t");
	for (uint32_t i = 0; i < s->status.ingress.count; i++) {
		const struct kube_lb_ingress *g = &s->status.ingress.items[i];
		describe_put(d, 0, "%s%s", i ? ", " : "", text_or(g->ip, text_or(g->hostname, "")));
		if (g->ip && g->ip_mode)
			describe_put(d, 0, " (%s)", g->ip_mode);
	}
	describe_put(d, 0, "\n");
}

static void put_addresses(struct describe *d, const struct kube_service *s)
{
	if (s->spec.ip_family_policy)
		describe_put(d, 0, "IP Family Policy:\t%s\n", s->spec.ip_family_policy);
	describe_put(d, 0, "IP Families:\t%s\n",
		     words_join(d->c, &s->spec.ip_families, ",", "<none>"));
	describe_put(d, 0, "IP:\t%s\n", text_or(s->spec.cluster_ip, ""));
	describe_put(d, 0, "IPs:\t%s\n", words_join(d->c, &s->spec.cluster_ips, ",", "<none>"));
	if (s->spec.external_ips.count)
		describe_put(d, 0, "External IPs:\t%s\n",
			     words_join(d->c, &s->spec.external_ips, ",", ""));
	if (s->spec.load_balancer_ip)
		describe_put(d, 0, "Desired LoadBalancer IP:\t%s\n", s->spec.load_balancer_ip);
	if (s->spec.external_name)
		describe_put(d, 0, "External Name:\t%s\n", s->spec.external_name);
	put_ingress(d, s);
}

void describe_service(struct describe *d, const struct kube_object *o)
{
	const struct kube_service *s = (const struct kube_service *)o;
	describe_put_name(d, o);
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "Selector:\t%s\n", pairs_text(d->c, &s->spec.selector, "<none>"));
	describe_put(d, 0, "Type:\t%s\n", text_or(s->spec.type, "ClusterIP"));
	put_addresses(d, s);
	put_ports(d, s);
	describe_put(d, 0, "Session Affinity:\t%s\n", text_or(s->spec.session_affinity, "None"));
	if (s->spec.external_traffic_policy)
		describe_put(d, 0, "External Traffic Policy:\t%s\n",
			     s->spec.external_traffic_policy);
	if (s->spec.internal_traffic_policy)
		describe_put(d, 0, "Internal Traffic Policy:\t%s\n",
			     s->spec.internal_traffic_policy);
	if (s->spec.health_check_node_port)
		describe_put(d, 0, "HealthCheck NodePort:\t%d\n", s->spec.health_check_node_port);
	if (s->spec.source_ranges.count)
		describe_put(d, 0, "LoadBalancer Source Ranges:\t%s\n",
			     words_join(d->c, &s->spec.source_ranges, ",", ""));
	if (s->spec.traffic_distribution)
		describe_put(d, 0, "Traffic Distribution:\t%s\n", s->spec.traffic_distribution);
	describe_put_events(d, o);
}

/* ---- endpoints ------------------------------------------------------------------- */

static const char *addresses(struct call *c, const struct kube_endpoint_address *items,
			     uint32_t count)
{
	struct strbuf b = { 0 };
	for (uint32_t i = 0; i < count; i++)
		strbuf_printf(&b, "%s%s", i ? "," : "", items[i].ip);
	const char *text = count ? arena_strdup(c->arena, strbuf_text(&b)) : "<none>";
	strbuf_free(&b);
	return text;
}

void describe_endpoints(struct describe *d, const struct kube_object *o)
{
	const struct kube_endpoints *e = (const struct kube_endpoints *)o;
	describe_put_name(d, o);
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "Subsets:\n");
	for (uint32_t i = 0; i < e->subsets.count; i++) {
		const struct kube_endpoints_subset *s = &e->subsets.items[i];
		describe_put(d, 1, "Addresses:\t%s\n",
			     addresses(d->c, s->addresses.items, s->addresses.count));
		describe_put(d, 1, "NotReadyAddresses:\t%s\n",
			     addresses(d->c, s->not_ready.items, s->not_ready.count));
		if (s->ports.count) {
			describe_put(d, 1, "Ports:\n");
			describe_put(d, 2, "Name\tPort\tProtocol\n");
			describe_put(d, 2, "----\t----\t--------\n");
		}
		for (uint32_t j = 0; j < s->ports.count; j++)
			describe_put(d, 2, "%s\t%lld\t%s\n",
				     text_or(s->ports.items[j].name, "<unset>"),
				     (long long)s->ports.items[j].port.value,
				     text_or(s->ports.items[j].protocol, "TCP"));
		describe_put(d, 0, "\n");
	}
	describe_put_events(d, o);
}

void describe_slice(struct describe *d, const struct kube_object *o)
{
	const struct kube_endpoint_slice *s = (const struct kube_endpoint_slice *)o;
	describe_put_name(d, o);
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put(d, 0, "AddressType:\t%s\n", text_or(s->address_type, ""));
	if (!s->ports.count) {
		describe_put(d, 0, "Ports: <unset>\n");
	} else {
		describe_put(d, 0, "Ports:\n");
		describe_put(d, 1, "Name\tPort\tProtocol\n");
		describe_put(d, 1, "----\t----\t--------\n");
	}
	for (uint32_t i = 0; i < s->ports.count; i++) {
		const struct kube_endpoint_port *p = &s->ports.items[i];
		describe_put(d, 1, "%s\t", text_or(p->name, "<unset>"));
		if (p->port.set)
			describe_put(d, 0, "%lld\t%s\n", (long long)p->port.value,
				     text_or(p->protocol, "TCP"));
		else
			describe_put(d, 0, "<unset>\t%s\n", text_or(p->protocol, "TCP"));
	}
	describe_put(d, 0, s->endpoints.count ? "Endpoints:\n" : "Endpoints: <none>\n");
	for (uint32_t i = 0; i < s->endpoints.count; i++) {
		const struct kube_endpoint *e = &s->endpoints.items[i];
		describe_put(d, 1, "- Addresses:\t%s\n", words_join(d->c, &e->addresses, ",", ""));
		describe_put(d, 2, "Conditions:\n");
		describe_put(d, 3, "Ready:\t%s\n",
			     e->conditions.ready == TRI_TRUE	? "true"
			     : e->conditions.ready == TRI_FALSE ? "false"
								: "<unset>");
		describe_put(d, 2, "Hostname:\t%s\n", text_or(e->hostname, "<unset>"));
		if (e->target.kind)
			describe_put(d, 2, "TargetRef:\t%s/%s\n", e->target.kind,
				     text_or(e->target.name, ""));
		describe_put(d, 2, "NodeName:\t%s\n", text_or(e->node_name, "<unset>"));
		describe_put(d, 2, "Zone:\t%s\n", text_or(e->zone, "<unset>"));
	}
	describe_put_events(d, o);
}

/* ---- ingress --------------------------------------------------------------------- */

static const char *backend_text(struct call *c, const struct kube_object *o,
				const struct kube_ingress_backend *b)
{
	const struct kube_service *s = b->service ? (const struct kube_service *)kube_store_get(
		c->k->store, KIND_SERVICE, o->meta.namespace, b->service) : NULL;
	const char *port =
	    b->port_name ? b->port_name : arena_printf(c->arena, "%d", b->port_number);
	const char *name = arena_printf(c->arena, "%s:%s", text_or(b->service, ""), port);
	if (!s)
		return arena_printf(c->arena, "%s (<error: services \"%s\" not found>)", name,
				    text_or(b->service, ""));
	for (uint32_t i = 0; i < s->spec.ports.count; i++) {
		const struct kube_service_port *p = &s->spec.ports.items[i];
		if (b->port_name ? kube_is(p->name, b->port_name) : p->port == b->port_number)
			return arena_printf(c->arena, "%s (%s)", name, service_endpoints(c, s, p));
	}
	return arena_printf(c->arena, "%s ()", name);
}

void describe_ingress(struct describe *d, const struct kube_object *o)
{
	const struct kube_ingress *g = (const struct kube_ingress *)o;
	struct strbuf b = { 0 };
	for (uint32_t i = 0; i < g->ingress.count; i++)
		strbuf_printf(
		    &b, "%s%s", i ? "," : "",
		    text_or(g->ingress.items[i].ip, text_or(g->ingress.items[i].hostname, "")));
	describe_put(d, 0, "Name:\t%s\n", o->meta.name);
	describe_put_pairs(d, "", "Labels", &o->meta.labels, false);
	describe_put(d, 0, "Namespace:\t%s\n", text_or(o->meta.namespace, ""));
	describe_put(d, 0, "Address:\t%s\n", strbuf_text(&b));
	strbuf_free(&b);
	describe_put(d, 0, "Ingress Class:\t%s\n", text_or(g->class_name, "<none>"));
	describe_put(d, 0, "Default backend:\t%s\n",
		     g->default_backend.set ? backend_text(d->c, o, &g->default_backend)
					    : "<default>");
	describe_put(d, 0, "Rules:\n");
	describe_put(d, 1, "Host\tPath\tBackends\n");
	describe_put(d, 1, "----\t----\t--------\n");
	for (uint32_t i = 0; i < g->rules.count; i++) {
		const struct kube_ingress_rule *r = &g->rules.items[i];
		describe_put(d, 1, "%s\t\n", text_or(r->host, "*"));
		for (uint32_t j = 0; j < r->paths.count; j++)
			describe_put(d, 1, "\t%s \t%s\n", text_or(r->paths.items[j].path, ""),
				     backend_text(d->c, o, &r->paths.items[j].backend));
	}
	if (!g->rules.count)
		describe_put(d, 1, "*\t*\t%s\n", backend_text(d->c, o, &g->default_backend));
	describe_put_annotations(d, "", &o->meta.annotations);
	describe_put_events(d, o);
}
