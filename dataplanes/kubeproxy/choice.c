/* kubeproxy/choice.c: which endpoints of a service port a node uses, and the key of that.
 *
 * Source of behaviour: pkg/proxy/topology.go of v1.34; v1.30 knows no node hints and asks
 * for an annotation; v1.25 asks for "Auto" and does not fall back to terminating
 * endpoints (its gate was off); v1.20 knows ready endpoints only.
 */
#include <stdlib.h>
#include <string.h>

#include "dataplanes/kubeproxy/service.h"

enum topology_kind { TOPOLOGY_NONE, TOPOLOGY_NODE, TOPOLOGY_ZONE };

bool port_externally_accessible(const struct service_port *p)
{
	return p->node_port || p->vip_count || p->external_ip_count;
}

bool port_uses_cluster(const struct service_port *p)
{
	return !p->itp_local || port_externally_accessible(p);
}

bool port_uses_local(const struct service_port *p)
{
	return p->itp_local || (p->etp_local && port_externally_accessible(p));
}

bool port_range_contains(const struct service_port *p, const struct net_addr *a)
{
	for (uint32_t i = 0; i < p->range_count; i++)
		if (net_prefix_contains(&p->range_prefixes[i], a))
			return true;
	return false;
}

static bool has(const struct kube_strings *list, const char *value)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (kube_is(list->items[i], value))
			return true;
	return false;
}

struct chooser {
	const struct service_port *p;
	const struct proxy_config *c;
	const struct endpoint **eps; /* one a distinct address and port */
	uint32_t count;
};

static bool is_local(const struct chooser *ch, const struct endpoint *e)
{
	return strcmp(e->node, ch->c->node) == 0;
}

/* Of several copies the last local one wins, else the first. */
static void pick_copies(struct chooser *ch, struct arena *a)
{
	ch->eps = arena_array(a, ch->p->endpoint_count + 1, sizeof *ch->eps);
	for (uint32_t i = 0; i < ch->p->endpoint_count; i++) {
		const struct endpoint *e = &ch->p->endpoints[i];
		if (!e->copy)
			ch->eps[ch->count++] = e;
		else if (is_local(ch, e))
			ch->eps[ch->count - 1] = e;
	}
}

static enum topology_kind topology_of(const struct chooser *ch)
{
	bool all_nodes = true, all_zones = true, this_node = false, this_zone = false;
	enum kube_version v = ch->c->version;
	if (v < KUBE_1_25 || (v == KUBE_1_25 && !ch->p->hints_auto) ||
	    (v == KUBE_1_30 && !ch->p->hints_annotated))
		return TOPOLOGY_NONE;
	for (uint32_t i = 0; i < ch->count; i++) {
		const struct endpoint *e = ch->eps[i];
		if (!e->ready)
			continue;
		all_nodes &= e->nodes->count > 0;
		all_zones &= e->zones->count > 0;
		this_node |= has(e->nodes, ch->c->node);
		this_zone |= *ch->c->zone && has(e->zones, ch->c->zone);
	}
	if (v >= KUBE_1_34 && all_nodes && this_node)
		return TOPOLOGY_NODE;
	return all_zones && this_zone ? TOPOLOGY_ZONE : TOPOLOGY_NONE;
}

static bool allowed(const struct chooser *ch, enum topology_kind t, const struct endpoint *e)
{
	switch (t) {
	case TOPOLOGY_NODE:
		return has(e->nodes, ch->c->node);
	case TOPOLOGY_ZONE:
		return has(e->zones, ch->c->zone);
	case TOPOLOGY_NONE:
		break;
	}
	return true;
}

static bool draining(const struct endpoint *e)
{
	return !e->ready && e->serving && e->terminating;
}

static void choose_cluster(const struct chooser *ch, enum topology_kind t, struct arena *a,
			   struct endpoint_choice *out)
{
	out->cluster = arena_array(a, ch->count + 1, sizeof *out->cluster);
	for (uint32_t i = 0; i < ch->count; i++)
		if (ch->eps[i]->ready && allowed(ch, t, ch->eps[i]))
			out->cluster[out->cluster_count++] = ch->eps[i];
	if (out->cluster_count || ch->c->version < KUBE_1_30)
		return;
	for (uint32_t i = 0; i < ch->count; i++)
		if (draining(ch->eps[i]))
			out->cluster[out->cluster_count++] = ch->eps[i];
}

/* Whether the local list is made of terminating endpoints. */
static bool choose_local(const struct chooser *ch, struct arena *a, struct endpoint_choice *out)
{
	bool ready = false;
	out->local = arena_array(a, ch->count + 1, sizeof *out->local);
	for (uint32_t i = 0; i < ch->count; i++)
		ready |= is_local(ch, ch->eps[i]) && ch->eps[i]->ready;
	for (uint32_t i = 0; i < ch->count; i++) {
		const struct endpoint *e = ch->eps[i];
		if (is_local(ch, e) &&
		    (ready ? e->ready : draining(e) && ch->c->version >= KUBE_1_30))
			out->local[out->local_count++] = e;
	}
	return !ready && out->local_count;
}

/* The union; kube-proxy's order is a Go map's, this one is the sorted one. */
static void choose_union(const struct chooser *ch, struct arena *a, struct endpoint_choice *out)
{
	uint32_t c = 0, l = 0;
	out->all = arena_array(a, ch->count + 1, sizeof *out->all);
	out->all_count = 0;
	for (uint32_t i = 0; i < ch->count; i++) {
		bool in_cluster = c < out->cluster_count && out->cluster[c] == ch->eps[i];
		bool in_local = l < out->local_count && out->local[l] == ch->eps[i];
		c += in_cluster;
		l += in_local;
		if (in_cluster || in_local)
			out->all[out->all_count++] = ch->eps[i];
	}
}

static bool any_usable(const struct chooser *ch)
{
	for (uint32_t i = 0; i < ch->count; i++)
		if (ch->eps[i]->ready || (draining(ch->eps[i]) && ch->c->version >= KUBE_1_30))
			return true;
	return false;
}

void service_choose(const struct service_port *p, const struct proxy_config *c, struct arena *a,
		    struct endpoint_choice *out)
{
	struct chooser ch = { .p = p, .c = c };
	enum topology_kind topology = TOPOLOGY_NONE;
	bool itp_local = p->itp_local && c->version >= KUBE_1_25;
	bool cluster = !itp_local || port_externally_accessible(p);
	bool local = itp_local || (p->etp_local && port_externally_accessible(p));
	bool terminating = false;
	*out = (struct endpoint_choice){ 0 };
	pick_copies(&ch, a);
	if (cluster) {
		topology = topology_of(&ch);
		choose_cluster(&ch, topology, a, out);
		out->has_endpoints = out->cluster_count > 0;
	}
	if (local) {
		terminating = choose_local(&ch, a, out);
		out->has_endpoints = any_usable(&ch);
	}
	out->all = local && !cluster ? out->local : out->cluster;
	out->all_count = local && !cluster ? out->local_count : out->cluster_count;
	if (local && cluster && (topology != TOPOLOGY_NONE || terminating))
		choose_union(&ch, a, out);
	out->internal = out->has_endpoints && (!itp_local || out->local_count);
	out->external = out->has_endpoints && (!p->etp_local || out->local_count);
}

/* ---- variants ------------------------------------------------------------------------- */

struct variant_key variant_key(const struct service_port *p, const struct endpoint_choice *choice,
			       uint32_t context, uint8_t flags, struct arena *a)
{
	struct variant_key key = { .context = context, .length = 1 };
	uint8_t *bytes = arena_alloc(a, p->same_everywhere ? 1 : p->endpoint_count + 2);
	bytes[0] = flags;
	key.bytes = bytes;
	if (p->same_everywhere)
		return key;
	bytes[1] = (uint8_t)(choice->has_endpoints | choice->internal << 1 |
			     choice->external << 2);
	key.length = p->endpoint_count + 2;
	for (uint32_t i = 0; i < choice->cluster_count; i++)
		bytes[2 + (choice->cluster[i] - p->endpoints)] |= 1;
	for (uint32_t i = 0; i < choice->local_count; i++)
		bytes[2 + (choice->local[i] - p->endpoints)] |= 2;
	return key;
}

struct variant *variant_find(struct variant *list, const struct variant_key *key)
{
	struct variant *v = list;
	while (v && (v->context != key->context || v->key_length != key->length ||
		     memcmp(v->key, key->bytes, key->length) != 0))
		v = v->next;
	return v;
}

struct variant *variant_add(struct variant **list, const struct variant_key *key)
{
	struct variant *v = mem_alloc(sizeof *v + key->length);
	v->context = key->context;
	v->key_length = key->length;
	memcpy(v->key, key->bytes, key->length);
	v->next = *list;
	*list = v;
	return v;
}

void variants_free(struct variant *list)
{
	for (struct variant *v = list, *next; v; v = next) {
		next = v->next;
		for (unsigned i = 0; i < sizeof v->blocks / sizeof *v->blocks; i++)
			block_unref(v->blocks[i]);
		free(v);
	}
}
