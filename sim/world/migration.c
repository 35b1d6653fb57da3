/* world/migration.c: see migration.h: the walk over the cluster, and the list. */
#include "world/migration_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const mode_names[MODE_COUNT] = { "iptables", "ipvs", "nftables", "userspace" };

void migration_add(struct comparison *c, const char *id, const char *service, const char *what,
		   const char *before, const char *after, const char *advice)
{
	struct migration *m = c->out;
	m->changes = mem_grow(m->changes, m->count, m->count + 1, sizeof *m->changes);
	m->changes[m->count++] = (struct migration_change){
		id, arena_strdup(m->memory, service), what, arena_strdup(m->memory, before),
		arena_strdup(m->memory, after), advice };
}

void migration_note(struct comparison *c, const char *line)
{
	if (strstr(strbuf_text(&c->out->notes), line))
		return;
	strbuf_puts(&c->out->notes, line);
	strbuf_putc(&c->out->notes, '\n');
}

/* ---- Services --------------------------------------------------------------------- */

static bool usable(const struct kube_endpoint *e)
{
	return e->conditions.ready != TRI_FALSE ||
	       (e->conditions.terminating == TRI_TRUE && e->conditions.serving != TRI_FALSE);
}

static bool slice_has_port(const struct kube_endpoint_slice *s, const struct kube_service_port *p)
{
	for (uint32_t i = 0; i < s->ports.count; i++) {
		const struct kube_endpoint_port *e = &s->ports.items[i];
		const char *proto = e->protocol ? e->protocol : "TCP";
		if (strcmp(e->name ? e->name : "", p->name ? p->name : "") == 0 &&
		    strcmp(proto, p->protocol ? p->protocol : "TCP") == 0)
			return true;
	}
	return false;
}

uint32_t subject_endpoints(const struct comparison *c, const struct subject *s, const char *node,
			   const char *address)
{
	const struct kube_meta *meta = &s->service->object.meta;
	const struct kube_endpoint_slice *slice;
	uint32_t cursor = 0, count = 0;
	while ((slice = kube_store_next_slice(c->worlds[0]->store, meta->namespace, meta->name,
					      &cursor)) != NULL)
		for (uint32_t i = 0; slice_has_port(slice, s->port) && i < slice->endpoints.count; i++) {
			const struct kube_endpoint *e = &slice->endpoints.items[i];
			count += usable(e) && (!node || kube_is(e->node_name, node)) &&
				 (!address || (e->addresses.count &&
					       strcmp(e->addresses.items[0], address) == 0));
		}
	return count;
}

static bool has_rules(const struct kube_service *s)
{
	return !kube_is(s->spec.type, "ExternalName") && s->spec.cluster_ip && *s->spec.cluster_ip &&
	       strcmp(s->spec.cluster_ip, "None") != 0;
}

static void describe(const struct comparison *c, const struct kube_service *service, uint32_t at,
		     struct subject *s)
{
	const struct kube_service_port *p = &service->spec.ports.items[at];
	const struct kube_meta *meta = &service->object.meta;
	char number[16];
	snprintf(number, sizeof number, "%d", p->port);
	*s = (struct subject){
		.service = service, .port = p, .address = service->spec.cluster_ip, .first = at == 0,
		.name = arena_printf(c->out->memory, "%s/%s:%s", meta->namespace, meta->name,
				     p->name && *p->name ? p->name : number),
		.proto = kube_is(p->protocol, "UDP") ? PROTO_UDP
			 : kube_is(p->protocol, "SCTP") ? PROTO_SCTP : PROTO_TCP,
		.affinity = kube_is(service->spec.session_affinity, "ClientIP"),
		.external_local = kube_is(service->spec.external_traffic_policy, "Local"),
		.internal_local = kube_is(service->spec.internal_traffic_policy, "Local"),
		.external_ip = service->spec.external_ips.count ? service->spec.external_ips.items[0]
								: NULL,
	};
	for (uint32_t i = 0; i < service->status.ingress.count && !s->virtual_ip; i++) {
		const struct kube_lb_ingress *l = &service->status.ingress.items[i];
		if (kube_is(service->spec.type, "LoadBalancer") && l->ip &&
		    !kube_is(l->ip_mode, "Proxy"))
			s->virtual_ip = l->ip;
	}
	s->endpoints = subject_endpoints(c, s, NULL, NULL);
}

static void compare_services(struct comparison *c)
{
	const struct kube_object *o;
	uint32_t cursor = 0;
	while ((o = kube_store_next(c->worlds[0]->store, KIND_SERVICE, NULL, &cursor)) != NULL) {
		const struct kube_service *service = (const void *)o;
		if (!has_rules(service))
			continue;
		c->proxied++;
		for (uint32_t i = 0; i < service->spec.ports.count; i++) {
			struct subject s;
			describe(c, service, i, &s);
			packets_compare_port(c, &s);
			fields_compare_port(c, &s);
		}
	}
}

/* Loads both modes' rules, as a kube-proxy that starts does. */
static void load(struct comparison *c)
{
	for (int i = 0; i < 2; i++) {
		struct err err = { "" };
		c->broken[i] = network_up(c->worlds[i], &err) != 0;
		if (!c->broken[i])
			continue;
		migration_note(c, arena_printf(c->out->memory,
					       "no packets were sent: the rules of mode %s do not load: %s",
					       mode_names[c->modes[i]], err.text));
	}
}

/* ---- the whole --------------------------------------------------------------------- */

static int by_behaviour(const void *a, const void *b)
{
	const struct migration_change *x = a, *y = b;
	int order = strcmp(x->id, y->id);
	if (!order)
		order = strcmp(x->what, y->what);
	if (!order)
		order = strcmp(x->before, y->before);
	if (!order)
		order = strcmp(x->after, y->after);
	return order ? order : strcmp(x->service, y->service);
}

static int mode_of(const struct world *w, enum mode *out, struct err *err)
{
	for (unsigned i = 0; i < MODE_COUNT; i++)
		if (strcmp(world_dataplane(w), mode_names[i]) == 0) {
			*out = i;
			return 0;
		}
	return err_set(err, EINVAL, "mode \"%s\": expected iptables, ipvs, nftables or userspace",
		       world_dataplane(w));
}

int migration_compare(struct world *from, struct world *to, const char *const *dumps,
		      uint32_t dump_count, struct migration *out, struct err *err)
{
	struct comparison c = { .worlds = { from, to }, .out = out };
	uint32_t cursor = 0;
	out->memory = arena_new();
	int code = mode_of(from, &c.modes[0], err);
	if (!code)
		code = mode_of(to, &c.modes[1], err);
	if (code)
		return code;
	out->from = mode_names[c.modes[0]];
	out->to = mode_names[c.modes[1]];
	c.configuration = (const void *)kube_store_next_created(
		from->store, KIND_KUBE_PROXY_CONFIGURATION, &cursor);
	if (c.modes[0] != c.modes[1]) {
		load(&c);
		compare_services(&c);
		if (c.proxied) {
			packets_compare_cluster(&c);
			fields_compare_cluster(&c);
			nodes_compare(&c);
		}
	}
	code = dumps_compare(&c, dumps, dump_count, err);
	if (out->count)
		qsort(out->changes, out->count, sizeof *out->changes, by_behaviour);
	return code;
}

void migration_free(struct migration *m)
{
	free(m->changes);
	strbuf_free(&m->notes);
	arena_free(m->memory);
	*m = (struct migration){ 0 };
}
