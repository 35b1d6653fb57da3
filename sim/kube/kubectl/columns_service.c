/* kube/kubectl/columns_service.c: cells of Services, Endpoints and EndpointSlices. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "kube/kubectl/internal.h"

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *balancer_ip(struct call *c, const struct kube_service *s)
{
	struct kube_strings l = { 0 };
	uint32_t n = s->status.ingress.count, all = 0;
	const char **items =
	    arena_array(c->arena, n + s->spec.external_ips.count + 1, sizeof *items);
	for (uint32_t i = 0; i < n; i++) {
		const struct kube_lb_ingress *g = &s->status.ingress.items[i];
		const char *text = text_or(g->ip, text_or(g->hostname, NULL));
		if (text)
			items[all++] = text;
	}
	if (all > 1)
		qsort(items, all, sizeof *items, by_text);
	for (uint32_t i = 0; i < all; i++)
		if (!l.count || strcmp(items[l.count - 1], items[i]) != 0)
			items[l.count++] = items[i];
	for (uint32_t i = 0; i < s->spec.external_ips.count; i++)
		items[l.count++] = s->spec.external_ips.items[i];
	l.items = items;
	return words_join(c, &l, ",", "<pending>");
}

const char *external_ip(struct call *c, const struct kube_service *s)
{
	if (kube_is(s->spec.type, "ExternalName"))
		return text_or(s->spec.external_name, "<none>");
	if (kube_is(s->spec.type, "LoadBalancer"))
		return balancer_ip(c, s);
	return words_join(c, &s->spec.external_ips, ",", "<none>");
}

static const char *ports(struct call *c, const struct kube_service *s)
{
	struct strbuf b = { 0 };
	if (!s->spec.ports.count)
		return "<none>";
	for (uint32_t i = 0; i < s->spec.ports.count; i++) {
		const struct kube_service_port *p = &s->spec.ports.items[i];
		strbuf_printf(&b, "%s%d", i ? "," : "", p->port);
		if (p->node_port > 0)
			strbuf_printf(&b, ":%d", p->node_port);
		strbuf_printf(&b, "/%s", text_or(p->protocol, "TCP"));
	}
	const char *text = arena_strdup(c->arena, strbuf_text(&b));
	strbuf_free(&b);
	return text;
}

void row_service(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_service *s = (const struct kube_service *)o;
	row_cell(r, o->meta.name);
	row_cell(r, text_or(s->spec.type, "ClusterIP"));
	row_cell(r, s->spec.cluster_ips.count ? s->spec.cluster_ips.items[0]
					      : text_or(s->spec.cluster_ip, "<none>"));
	row_cell(r, external_ip(c, s));
	row_cell(r, ports(c, s));
	row_cell(r, age_of(c, o->meta.creation_ns));
	row_cell(r, pairs_text(c, &s->spec.selector, "<none>"));
}

/* ---- endpoints ------------------------------------------------------------------- */

static const char *address_port(struct call *c, const char *ip, const struct kube_endpoint_port *p)
{
	if (!p)
		return ip;
	if (strchr(ip, ':'))
		return arena_printf(c->arena, "[%s]:%lld", ip, (long long)p->port.value);
	return arena_printf(c->arena, "%s:%lld", ip, (long long)p->port.value);
}

void row_endpoints(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_endpoints *e = (const struct kube_endpoints *)o;
	uint32_t count = 0, n = 0;
	for (uint32_t i = 0; i < e->subsets.count; i++) {
		const struct kube_endpoints_subset *s = &e->subsets.items[i];
		count += s->addresses.count * (s->ports.count ? s->ports.count : 1);
	}
	char **items = arena_array(c->arena, count + 1, sizeof *items);
	for (uint32_t i = 0; i < e->subsets.count; i++) {
		const struct kube_endpoints_subset *s = &e->subsets.items[i];
		uint32_t rows = s->ports.count ? s->ports.count : 1;
		for (uint32_t j = 0; j < rows; j++)
			for (uint32_t k = 0; k < s->addresses.count; k++)
				items[n++] = (char *)address_port(
					c, s->addresses.items[k].ip,
					s->ports.count ? &s->ports.items[j] : NULL);
	}
	row_cell(r, o->meta.name);
	row_cell(r, e->subsets.count ? words_shorten(c, items, n, 3) : "<none>");
	row_cell(r, age_of(c, o->meta.creation_ns));
}

static const char *slice_ports(struct call *c, const struct kube_endpoint_slice *s)
{
	char **items = arena_array(c->arena, s->ports.count + 1, sizeof *items);
	if (!s->ports.count)
		return "<unset>";
	for (uint32_t i = 0; i < s->ports.count; i++) {
		const struct kube_endpoint_port *p = &s->ports.items[i];
		items[i] = p->port.set ? arena_printf(c->arena, "%lld", (long long)p->port.value)
				       : arena_strdup(c->arena, text_or(p->name, "*"));
	}
	return words_shorten(c, items, s->ports.count, 3);
}

void row_slice(struct call *c, const struct kube_object *o, struct row *r)
{
	const struct kube_endpoint_slice *s = (const struct kube_endpoint_slice *)o;
	uint32_t count = 0, n = 0;
	for (uint32_t i = 0; i < s->endpoints.count; i++)
		count += s->endpoints.items[i].addresses.count;
	char **items = arena_array(c->arena, count + 1, sizeof *items);
	for (uint32_t i = 0; i < s->endpoints.count; i++)
		for (uint32_t j = 0; j < s->endpoints.items[i].addresses.count; j++)
			items[n++] = (char *)s->endpoints.items[i].addresses.items[j];
	row_cell(r, o->meta.name);
	row_cell(r, text_or(s->address_type, ""));
	row_cell(r, slice_ports(c, s));
	row_cell(r, n ? words_shorten(c, items, n, 3) : "<unset>");
	row_cell(r, age_of(c, o->meta.creation_ns));
}
