/* kubeproxy/service.c: Service and slices into service ports and endpoints.
 *
 * A service is made twice: first on a scratch arena to learn its size, then in one
 * allocation of just that size. Ten thousand of them cost no more than their bytes.
 */
#include "dataplanes/kubeproxy/service.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplanes/kubeproxy/lenient.h"
#include "dataplanes/kubeproxy/naming.h"
#include "net/packet.h"

#define AFFINITY_SECONDS 10800
#define ENDPOINT_TEXT (NET_ADDR_TEXT + 8)
#define BLANKS " \t\n\v\f\r"

struct maker {
	const struct kube_store *store;
	const struct kube_service *object;
	uint8_t family;
	struct arena *scratch;
	char *memory;      /* NULL: first round, count only */
	size_t used, size;
	struct service *s;
};

static void *take(struct maker *m, size_t size)
{
	size = (size + 15) & ~(size_t)15;
	void *p = m->memory ? m->memory + m->used : arena_alloc(m->scratch, size);
	m->used += size;
	assert(!m->memory || m->used <= m->size);
	return p;
}

static const char *take_text(struct maker *m, const char *text)
{
	size_t n = strlen(text) + 1;
	return memcpy(take(m, n), text, n);
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

/* ---- service ports ----------------------------------------------------------------- */

static const char *cluster_ip(const struct kube_service *s, uint8_t family, struct net_addr *out)
{
	for (uint32_t i = 0; i < s->spec.cluster_ips.count; i++)
		if (lenient_addr(s->spec.cluster_ips.items[i], out) && out->family == family)
			return s->spec.cluster_ips.items[i];
	if (s->spec.cluster_ip && lenient_addr(s->spec.cluster_ip, out) && out->family == family)
		return s->spec.cluster_ip;
	return NULL;
}

/* kube-proxy watches neither what another proxy serves nor what belongs to headless
 * Services: its informers ask for objects without these labels, whatever their value. */
static bool hidden(const struct kube_meta *meta)
{
	return kube_map_get(&meta->labels, "service.kubernetes.io/service-proxy-name") ||
	       kube_map_get(&meta->labels, "service.kubernetes.io/headless");
}

static bool skipped(const struct kube_service *s)
{
	return kube_is(s->spec.type, "ExternalName") || !s->spec.cluster_ip ||
	       !*s->spec.cluster_ip || kube_is(s->spec.cluster_ip, "None") ||
	       hidden(&s->object.meta);
}

static const char *addr_of_family(struct maker *m, const char *text)
{
	struct net_addr a;
	char out[NET_ADDR_TEXT];
	if (!text || !lenient_addr(text, &a) || a.family != m->family)
		return NULL;
	return take_text(m, net_addr_text(&a, out));
}

static void make_external_ips(struct maker *m, struct service_port *p)
{
	const struct kube_strings *ips = &m->object->spec.external_ips;
	p->external_ips = take(m, (ips->count + 1) * sizeof *p->external_ips);
	for (uint32_t i = 0; i < ips->count; i++) {
		const char *text = addr_of_family(m, ips->items[i]);
		if (text)
			p->external_ips[p->external_ip_count++] = text;
	}
}

static void make_vips(struct maker *m, struct service_port *p)
{
	p->vips = take(m, (m->object->status.ingress.count + 1) * sizeof *p->vips);
	for (uint32_t i = 0; i < m->object->status.ingress.count; i++) {
		const struct kube_lb_ingress *in = &m->object->status.ingress.items[i];
		if (in->ip_mode && !kube_is(in->ip_mode, "VIP"))
			continue;
		const char *text = addr_of_family(m, in->ip);
		if (text)
			p->vips[p->vip_count++] = text;
	}
}

static void make_ranges(struct maker *m, struct service_port *p)
{
	const struct kube_strings *ranges = &m->object->spec.source_ranges;
	char out[NET_ADDR_TEXT], trimmed[NET_ADDR_TEXT + 1];
	p->ranges = take(m, (ranges->count + 1) * sizeof *p->ranges);
	p->range_prefixes = take(m, (ranges->count + 1) * sizeof *p->range_prefixes);
	for (uint32_t i = 0; i < ranges->count; i++) {
		struct net_prefix prefix;
		const char *start = ranges->items[i] + strspn(ranges->items[i], BLANKS);
		size_t n = strcspn(start, BLANKS);
		if (n >= sizeof trimmed || start[n + strspn(start + n, BLANKS)])
			continue;
		memcpy(trimmed, start, n);
		trimmed[n] = '\0';
		if (!lenient_prefix(trimmed, &prefix) || prefix.addr.family != m->family)
			continue;
		prefix = net_prefix_masked(&prefix);
		p->range_prefixes[p->range_count] = prefix;
		p->ranges[p->range_count++] = take_text(m, net_prefix_text(&prefix, out));
	}
}

static void make_policies(struct maker *m, struct service_port *p)
{
	const struct kube_service *s = m->object;
	bool lb = kube_is(s->spec.type, "LoadBalancer"), np = kube_is(s->spec.type, "NodePort");
	const struct kube_map *notes = &s->object.meta.annotations;
	p->etp_local = kube_is(s->spec.external_traffic_policy, "Local") &&
		       (lb || np || s->spec.external_ips.count > 0);
	p->itp_local = kube_is(s->spec.internal_traffic_policy, "Local");
	if (lb && p->etp_local && s->spec.health_check_node_port > 0)
		p->health_check_node_port = (uint16_t)s->spec.health_check_node_port;
	p->affinity = kube_is(s->spec.session_affinity, "ClientIP");
	if (p->affinity)
		p->affinity_seconds = s->spec.affinity_timeout_s.set ?
					      (int32_t)s->spec.affinity_timeout_s.value :
					      AFFINITY_SECONDS;
	const char *aware = kube_map_get(notes, "service.kubernetes.io/topology-aware-hints");
	const char *hints = aware ? aware : kube_map_get(notes, "service.kubernetes.io/topology-mode");
	p->hints_annotated = hints && *hints && !kube_is(hints, "disabled") &&
			     !kube_is(hints, "Disabled");
	p->hints_auto = kube_is(aware, "Auto") || kube_is(aware, "auto");
}

static void make_names(struct maker *m, struct service_port *p, const struct kube_service_port *port)
{
	bool udp = kube_is(port->protocol, "UDP"), sctp = kube_is(port->protocol, "SCTP");
	p->proto = udp ? "udp" : sctp ? "sctp" : "tcp";
	p->proto_number = udp ? PROTO_UDP : sctp ? PROTO_SCTP : PROTO_TCP;
	p->port_name = take_text(m, or_empty(port->name));
	size_t full = strlen(m->s->full_name), n = full + strlen(p->port_name) + 2;
	char *name = take(m, n);
	memcpy(name, m->s->full_name, full + 1);
	if (*p->port_name) {
		name[full] = ':';
		memcpy(name + full + 1, p->port_name, strlen(p->port_name) + 1);
	}
	p->name = name;
}

static int compare_ports(const void *a, const void *b)
{
	const struct service_port *pa = a, *pb = b;
	int order = strcmp(pa->port_name, pb->port_name);
	return order ? order : strcmp(pa->proto, pb->proto);
}

static void make_ports(struct maker *m)
{
	struct service *s = m->s;
	uint32_t count = m->object->spec.ports.count;
	char out[NET_ADDR_TEXT];
	s->ports = take(m, (count + 1) * sizeof *s->ports);
	s->port_count = count;
	for (uint32_t i = 0; i < count; i++) {
		const struct kube_service_port *port = &m->object->spec.ports.items[i];
		struct service_port *p = &s->ports[i];
		p->service = s;
		make_names(m, p, port);
		p->port = (uint16_t)port->port;
		p->node_port = (uint16_t)port->node_port;
		cluster_ip(m->object, m->family, &p->cluster_ip);
		p->cluster_ip_text = take_text(m, net_addr_text(&p->cluster_ip, out));
		make_external_ips(m, p);
		make_vips(m, p);
		make_ranges(m, p);
		make_policies(m, p);
	}
	qsort(s->ports, count, sizeof *s->ports, compare_ports);
}

/* ---- endpoints ---------------------------------------------------------------------- */

struct found { /* an endpoint before it is sorted */
	struct endpoint e;
	uint32_t order;
	char text[ENDPOINT_TEXT];
};

struct finding {
	struct maker *m;
	struct found *items;
	uint32_t count, capacity;
};

/* "IP:PORT" or "[IP]:PORT" with the address as the slice writes it. */
static void write_text(const struct net_addr *a, const char *address, uint16_t port,
		       char out[ENDPOINT_TEXT])
{
	bool six = a->family == NET_V6;
	size_t n = strlen(address);
	net_endpoint_text(a, port, out);
	if (strncmp(out + six, address, n) != 0 || out[six + n] != (six ? ']' : ':'))
		snprintf(out, ENDPOINT_TEXT, six ? "[%.47s]:%u" : "%.47s:%u", address, port);
}

static void find_endpoint(struct finding *f, const char *address, uint16_t port,
			  struct endpoint e)
{
	if (!lenient_addr(address, &e.addr) || e.addr.family != f->m->family)
		return;
	if (f->count == f->capacity) {
		uint32_t want = f->capacity ? f->capacity * 2 : 16;
		struct found *items = arena_array(f->m->scratch, want, sizeof *items);
		if (f->count)
			memcpy(items, f->items, f->count * sizeof *items);
		f->items = items;
		f->capacity = want;
	}
	struct found *found = &f->items[f->count];
	e.port = port;
	found->e = e;
	found->order = f->count++;
	write_text(&e.addr, address, port, found->text);
}

static bool wants_port(const struct service_port *p, const char *name, const char *protocol)
{
	const char *proto = kube_is(protocol, "UDP") ? "udp" :
			    kube_is(protocol, "SCTP") ? "sctp" : "tcp";
	return strcmp(p->port_name, name) == 0 && strcmp(p->proto, proto) == 0;
}

/* Slice ports without name or number are ignored; only the first address counts. */
static void find_in_slice(struct finding *f, const struct service_port *p,
			  const struct kube_endpoint_slice *slice)
{
	static const struct kube_strings none;
	if (!kube_is(slice->address_type, f->m->family == NET_V6 ? "IPv6" : "IPv4") ||
	    hidden(&slice->object.meta))
		return;
	for (uint32_t i = 0; i < slice->ports.count; i++) {
		const struct kube_endpoint_port *port = &slice->ports.items[i];
		if (!port->name || !port->port.set || port->port.value <= 0 ||
		    port->port.value > UINT16_MAX || !wants_port(p, port->name, port->protocol))
			continue;
		for (uint32_t k = 0; k < slice->endpoints.count; k++) {
			const struct kube_endpoint *e = &slice->endpoints.items[k];
			if (!e->addresses.count)
				continue;
			find_endpoint(f, e->addresses.items[0], (uint16_t)port->port.value,
				      (struct endpoint){
					      .ready = e->conditions.ready != TRI_FALSE,
					      .serving = e->conditions.serving != TRI_FALSE,
					      .terminating = e->conditions.terminating == TRI_TRUE,
					      .node = or_empty(e->node_name),
					      .zones = e->hints.set ? &e->hints.zones : &none,
					      .nodes = e->hints.set ? &e->hints.nodes : &none,
				      });
		}
	}
}

/* As the slice that is mirrored from it: of the conditions it has ready only. */
static void find_in_subset(struct finding *f, const struct service_port *p,
			   const struct kube_endpoints_subset *subset)
{
	static const struct kube_strings none;
	for (uint32_t i = 0; i < subset->ports.count; i++) {
		const struct kube_endpoint_port *port = &subset->ports.items[i];
		if (!port->port.set || port->port.value <= 0 || port->port.value > UINT16_MAX ||
		    !wants_port(p, or_empty(port->name), port->protocol))
			continue;
		uint32_t ready = subset->addresses.count;
		for (uint32_t k = 0; k < ready + subset->not_ready.count; k++) {
			const struct kube_endpoint_address *a =
				k < ready ? &subset->addresses.items[k] :
					    &subset->not_ready.items[k - ready];
			find_endpoint(f, or_empty(a->ip), (uint16_t)port->port.value,
				      (struct endpoint){ .ready = k < ready, .serving = true,
							 .node = or_empty(a->node_name),
							 .zones = &none, .nodes = &none });
		}
	}
}

static int compare_found(const void *a, const void *b)
{
	const struct found *fa = a, *fb = b;
	int order = strcmp(fa->text, fb->text);
	return order ? order : fa->order < fb->order ? -1 : fa->order > fb->order;
}

/* The address of "10.0.0.1:80" or "[fd00::1]:80". */
static const char *take_ip(struct maker *m, const char *text)
{
	const char *start = text + (*text == '['), *end = strrchr(text, ':');
	size_t n = (size_t)(end - start) - (*text == '[');
	char *ip = take(m, n + 1);
	memcpy(ip, start, n);
	ip[n] = '\0';
	return ip;
}

static void keep_endpoints(struct maker *m, struct service_port *p, struct finding *f)
{
	bool hints = false;
	if (f->count)
		qsort(f->items, f->count, sizeof *f->items, compare_found);
	p->endpoints = take(m, (f->count + 1) * sizeof *p->endpoints);
	p->endpoint_count = f->count;
	for (uint32_t i = 0; i < f->count; i++) {
		struct endpoint *e = &p->endpoints[i];
		*e = f->items[i].e;
		e->copy = i && strcmp(f->items[i].text, f->items[i - 1].text) == 0;
		e->text = e->copy ? e[-1].text : take_text(m, f->items[i].text);
		e->ip = e->copy ? e[-1].ip : take_ip(m, e->text);
		p->distinct_count += !e->copy;
		hints |= e->zones->count || e->nodes->count;
	}
	p->endpoint_hashes = NULL;
	p->same_everywhere = !hints && p->distinct_count == p->endpoint_count &&
			     !port_uses_local(p) && !p->etp_local;
}

static void make_endpoints(struct maker *m)
{
	struct service *s = m->s;
	const struct kube_object *from = NULL;
	if (!s->slice_count)
		from = kube_store_get(m->store, KIND_ENDPOINTS, s->namespace, s->name);
	const struct kube_endpoints *old = (const struct kube_endpoints *)from;
	for (uint32_t i = 0; i < s->port_count; i++) {
		struct finding f = { .m = m };
		for (uint32_t k = 0; k < s->slice_count; k++)
			find_in_slice(&f, &s->ports[i],
				      (const struct kube_endpoint_slice *)s->slices[k]);
		for (uint32_t k = 0; old && k < old->subsets.count; k++)
			find_in_subset(&f, &s->ports[i], &old->subsets.items[k]);
		keep_endpoints(m, &s->ports[i], &f);
	}
	if (old) {
		s->slices[0] = from;
		s->slice_count = 1;
	}
}

/* ---- the whole ------------------------------------------------------------------------ */

static uint32_t count_slices(const struct kube_store *store, const char *namespace,
			     const char *name)
{
	uint32_t cursor = 0, count = 0;
	while (kube_store_next_slice(store, namespace, name, &cursor))
		count++;
	return count;
}

static void make_service(struct maker *m)
{
	const struct kube_meta *meta = &m->object->object.meta;
	const struct kube_endpoint_slice *slice;
	struct service *s = m->s = take(m, sizeof *s);
	uint32_t cursor = 0;
	*s = (struct service){ .references = 1, .object = &m->object->object };
	s->namespace = take_text(m, or_empty(meta->namespace));
	s->name = take_text(m, or_empty(meta->name));
	size_t n = strlen(s->namespace) + strlen(s->name) + 2;
	char *full = take(m, n);
	memcpy(full, s->namespace, strlen(s->namespace));
	full[strlen(s->namespace)] = '/';
	strcpy(full + strlen(s->namespace) + 1, s->name);
	s->full_name = full;
	uint32_t slices = count_slices(m->store, s->namespace, s->name);
	s->slices = take(m, (slices + 1) * sizeof *s->slices);
	while ((slice = kube_store_next_slice(m->store, s->namespace, s->name, &cursor)) != NULL)
		s->slices[s->slice_count++] = &slice->object;
	make_ports(m);
	make_endpoints(m);
}

struct service *service_new(const struct kube_store *store, const struct kube_service *object,
			    uint8_t family, struct arena *scratch)
{
	struct net_addr ip;
	if (skipped(object) || !cluster_ip(object, family, &ip))
		return NULL;
	struct maker m = { .store = store, .object = object, .family = family,
			   .scratch = scratch };
	arena_reset(scratch);
	make_service(&m);
	m.size = m.used;
	m.used = 0;
	m.memory = mem_alloc(m.size);
	make_service(&m);
	kube_ref(m.s->object);
	for (uint32_t i = 0; i < m.s->slice_count; i++)
		kube_ref(m.s->slices[i]);
	return m.s;
}

struct service *service_ref(struct service *s)
{
	s->references++;
	return s;
}

void service_unref(struct service *s)
{
	if (!s || --s->references)
		return;
	for (uint32_t i = 0; i < s->port_count; i++) {
		variants_free(s->ports[i].variants);
		free(s->ports[i].endpoint_hashes);
	}
	for (uint32_t i = 0; i < s->slice_count; i++)
		kube_unref((struct kube_object *)(uintptr_t)s->slices[i]);
	kube_unref((struct kube_object *)(uintptr_t)s->object);
	free(s);
}

bool service_current(const struct service *s, const struct kube_store *store)
{
	const struct kube_endpoint_slice *slice;
	uint32_t cursor = 0, count = 0;
	if (kube_store_get(store, KIND_SERVICE, s->namespace, s->name) != s->object)
		return false;
	while ((slice = kube_store_next_slice(store, s->namespace, s->name, &cursor)) != NULL)
		if (count == s->slice_count || s->slices[count++] != &slice->object)
			return false;
	if (count)
		return count == s->slice_count;
	const struct kube_object *old =
		kube_store_get(store, KIND_ENDPOINTS, s->namespace, s->name);
	return s->slice_count ? s->slices[0] == old : !old;
}

/* ---- comparison ------------------------------------------------------------------------- */

static bool equal_texts(const char *const *a, uint32_t na, const char *const *b, uint32_t nb)
{
	if (na != nb)
		return false;
	for (uint32_t i = 0; i < na; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

static bool equal_strings(const struct kube_strings *a, const struct kube_strings *b)
{
	return equal_texts((const char *const *)a->items, a->count, (const char *const *)b->items,
			   b->count);
}

static bool equal_endpoints(const struct endpoint *a, const struct endpoint *b)
{
	return strcmp(a->text, b->text) == 0 && strcmp(a->node, b->node) == 0 &&
	       a->ready == b->ready && a->serving == b->serving &&
	       a->terminating == b->terminating && equal_strings(a->zones, b->zones) &&
	       equal_strings(a->nodes, b->nodes);
}

static bool equal_ports(const struct service_port *a, const struct service_port *b)
{
	if (strcmp(a->name, b->name) != 0 || strcmp(a->proto, b->proto) != 0 ||
	    a->port != b->port || a->node_port != b->node_port ||
	    a->health_check_node_port != b->health_check_node_port ||
	    strcmp(a->cluster_ip_text, b->cluster_ip_text) != 0 || a->affinity != b->affinity ||
	    a->affinity_seconds != b->affinity_seconds || a->etp_local != b->etp_local ||
	    a->itp_local != b->itp_local || a->hints_annotated != b->hints_annotated ||
	    a->hints_auto != b->hints_auto || a->endpoint_count != b->endpoint_count)
		return false;
	if (!equal_texts(a->external_ips, a->external_ip_count, b->external_ips,
			 b->external_ip_count) ||
	    !equal_texts(a->vips, a->vip_count, b->vips, b->vip_count) ||
	    !equal_texts(a->ranges, a->range_count, b->ranges, b->range_count))
		return false;
	for (uint32_t i = 0; i < a->endpoint_count; i++)
		if (!equal_endpoints(&a->endpoints[i], &b->endpoints[i]))
			return false;
	return true;
}

bool service_equal(const struct service *a, const struct service *b)
{
	if (a->port_count != b->port_count)
		return false;
	for (uint32_t i = 0; i < a->port_count; i++)
		if (!equal_ports(&a->ports[i], &b->ports[i]))
			return false;
	return true;
}

void service_adopt(struct service *s, const struct service *equal)
{
	s->content = equal->content;
	for (uint32_t i = 0; i < s->port_count; i++) {
		for (const struct variant *v = equal->ports[i].variants; v; v = v->next) {
			struct variant_key key = { v->context, v->key_length, v->key };
			struct variant *copy = variant_add(&s->ports[i].variants, &key);
			for (unsigned b = 0; b < sizeof v->blocks / sizeof *v->blocks; b++)
				if (v->blocks[b])
					copy->blocks[b] = block_ref(v->blocks[b]);
		}
	}
}

/* ---- iptables' hashes ---------------------------------------------------------------------- */

const char *port_hash(struct service_port *p)
{
	if (!*p->hash)
		name_hash((const char *const[]){ p->name, p->proto, NULL }, 16, p->hash);
	return p->hash;
}

const char *endpoint_hash(struct service_port *p, const struct endpoint *e)
{
	if (!p->endpoint_hashes)
		p->endpoint_hashes = mem_array(p->endpoint_count, sizeof *p->endpoint_hashes);
	char *hash = p->endpoint_hashes[e - p->endpoints];
	if (!*hash)
		name_hash((const char *const[]){ p->name, p->proto, e->text, NULL }, 16, hash);
	return hash;
}
