/* dns/zone.c: records for a question from what a name holds; see zone.h. The order of
 * records, what is a duplicate and what ends a CNAME chain are those of CoreDNS's
 * plugin/backend_lookup.go. */
#include "dns/zone_internal.h"

#include <string.h>

#define CHAIN_MAX 10u

const struct dns_name *dns_names_match(const struct dns_names *zones, const struct dns_name *name)
{
	const struct dns_name *best = NULL;
	for (uint32_t i = 0; i < zones->count; i++)
		if (dns_name_under(name, &zones->items[i]) &&
		    (!best || zones->items[i].length > best->length))
			best = &zones->items[i];
	return best;
}

/* An answer under way. */
struct answer {
	struct zone_query zone;
	const struct dns_kube_query *query;
	struct dns_section *records, *extra;
	bool truncated;
};

/* Names that CNAMEs of this answer lead to, as spelt. */
struct chain {
	struct dns_name targets[CHAIN_MAX + 1];
	uint32_t count;
};

/* ---- addresses ---------------------------------------------------------------- */

static bool same_spelling(const struct dns_name *a, const struct dns_name *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static bool in_chain(const struct chain *c, const struct dns_name *target)
{
	for (uint32_t i = 0; i < c->count; i++)
		if (same_spelling(&c->targets[i], target))
			return true;
	return false;
}

static bool addresses(struct answer *a, const struct dns_name *name, uint16_t type,
		      struct chain *chain, struct dns_section *out);

/* A Service that stands for another name: the CNAME and what it leads to. */
static void follow(struct answer *a, const struct dns_name *name, uint16_t type,
		   const struct zone_item *item, struct chain *chain, struct dns_section *out)
{
	struct arena *arena = a->query->arena;
	struct dns_name target;
	if (!dns_name_parse(item->host, &target) || dns_name_under(&target, name) ||
	    chain->count > CHAIN_MAX || in_chain(chain, &target))
		return;
	struct dns_rr cname = dns_rr_target(arena, dns_name_keep(arena, name), DNS_CNAME, item->ttl,
					    &target);
	struct dns_section more = { 0 };
	if (dns_name_under(&target, &a->zone.zone)) {
		chain->targets[chain->count++] = target;
		bool found = addresses(a, &target, type, chain, &more);
		chain->count--;
		if (!found || !more.count)
			return;
	} else {
		struct dns_found found = { 0 };
		if (!a->query->lookup ||
		    !a->query->lookup(a->query->ctx, &target, type, &more, &found))
			return;
		a->truncated |= found.truncated;
	}
	dns_section_add(arena, out, &cname);
	for (uint32_t i = 0; i < more.count; i++)
		dns_section_add(arena, out, &more.items[i]);
}

static bool has_address(const struct dns_section *s, uint32_t from, const struct net_addr *addr)
{
	struct net_addr have;
	for (uint32_t i = from; i < s->count; i++)
		if (dns_rr_get_address(&s->items[i], &have) && net_addr_equal(&have, addr))
			return true;
	return false;
}

/* A or AAAA; false: the name does not exist. */
static bool addresses(struct answer *a, const struct dns_name *name, uint16_t type,
		      struct chain *chain, struct dns_section *out)
{
	struct zone_items items = { 0 };
	if (!zone_services(&a->zone, name, type, &items))
		return false;
	uint8_t family = type == DNS_A ? NET_V4 : NET_V6;
	struct dns_name *owner = dns_name_keep(a->query->arena, name);
	struct dns_section own = { 0 };
	for (uint32_t i = 0; i < items.count; i++) {
		const struct zone_item *item = &items.items[i];
		if (item->addr.family == NET_NONE && item->host) {
			follow(a, name, type, item, chain, out);
		} else if (item->addr.family == family && !has_address(&own, 0, &item->addr)) {
			struct dns_rr rr = dns_rr_address(a->query->arena, owner, item->ttl,
							  &item->addr);
			dns_section_add(a->query->arena, &own, &rr);
			dns_section_add(a->query->arena, out, &rr);
		}
	}
	return true;
}

static bool answer_addresses(struct answer *a, uint16_t type, struct dns_section *out)
{
	struct chain *chain = arena_alloc(a->query->arena, sizeof *chain);
	return addresses(a, &a->query->question->name, type, chain, out);
}

/* ---- other types ----------------------------------------------------------------- */

static bool answer_texts(struct answer *a)
{
	const struct dns_name *name = &a->query->question->name;
	struct zone_items items = { 0 };
	if (!zone_services(&a->zone, name, DNS_TXT, &items))
		return false;
	for (uint32_t i = 0; i < items.count; i++) {
		struct dns_rr rr = dns_rr_txt(a->query->arena, name, items.items[i].ttl,
					      items.items[i].text);
		dns_section_add(a->query->arena, a->records, &rr);
	}
	return true;
}

static bool answer_alias(struct answer *a)
{
	const struct dns_name *name = &a->query->question->name;
	struct zone_items items = { 0 };
	struct dns_name target;
	if (!zone_services(&a->zone, name, DNS_CNAME, &items))
		return false;
	if (!items.count || items.items[0].addr.family != NET_NONE ||
	    !dns_name_parse(items.items[0].host, &target))
		return true;
	struct dns_rr rr = dns_rr_target(a->query->arena, name, DNS_CNAME, items.items[0].ttl,
					 &target);
	dns_section_add(a->query->arena, a->records, &rr);
	return true;
}

static bool answer_reverse(struct answer *a)
{
	const struct dns_name *name = &a->query->question->name;
	struct zone_items items = { 0 };
	if (!zone_reverse(&a->zone, name, &items))
		return false;
	for (uint32_t i = 0; i < items.count; i++) {
		bool seen = false;
		for (uint32_t k = 0; k < i; k++)
			seen |= same_spelling(&items.items[k].target, &items.items[i].target);
		if (seen)
			continue;
		struct dns_rr rr = dns_rr_target(a->query->arena, name, DNS_PTR, items.items[i].ttl,
						 &items.items[i].target);
		dns_section_add(a->query->arena, a->records, &rr);
	}
	return true;
}

/* The address record of an item's target, once. */
static void add_glue(struct answer *a, const struct zone_item *item)
{
	struct net_addr have;
	for (uint32_t i = 0; i < a->extra->count; i++) {
		const struct dns_rr *rr = &a->extra->items[i];
		if (same_spelling(rr->owner, &item->target) && dns_rr_get_address(rr, &have) &&
		    net_addr_equal(&have, &item->addr))
			return;
	}
	struct dns_rr rr = dns_rr_address(a->query->arena,
					  dns_name_keep(a->query->arena, &item->target), item->ttl,
					  &item->addr);
	dns_section_add(a->query->arena, a->extra, &rr);
}

static bool has_srv(const struct dns_section *s, const struct dns_rr *wanted)
{
	for (uint32_t i = 0; i < s->count; i++) {
		const struct dns_rr *rr = &s->items[i];
		if (rr->rdata_length == wanted->rdata_length &&
		    memcmp(rr->rdata, wanted->rdata, rr->rdata_length) == 0)
			return true;
	}
	return false;
}

static bool answer_srv(struct answer *a)
{
	const struct dns_name *name = &a->query->question->name;
	struct zone_items items = { 0 };
	if (!zone_services(&a->zone, name, DNS_SRV, &items))
		return false;
	/* Every entry weighs 100 before duplicates are dropped, those without port too. */
	double share = 100.0 / (100.0 * (items.count ? items.count : 1)) * 100.0;
	uint16_t weight = share < 1 ? 1 : (uint16_t)share;
	for (uint32_t i = 0; i < items.count; i++) {
		const struct zone_item *item = &items.items[i];
		if (item->port == -1)
			continue;
		struct dns_rr rr = dns_rr_srv(a->query->arena, name, item->ttl, 0, weight,
					      (uint16_t)item->port, &item->target);
		if (!has_srv(a->records, &rr))
			dns_section_add(a->query->arena, a->records, &rr);
		add_glue(a, item);
	}
	return true;
}

static bool answer_servers(struct answer *a)
{
	const struct dns_name *name = &a->query->question->name;
	struct zone_items items = { 0 };
	zone_servers(&a->zone, &items);
	for (uint32_t i = 0; i < items.count; i++) {
		const struct zone_item *item = &items.items[i];
		bool seen = false;
		for (uint32_t k = 0; k < i; k++)
			seen |= same_spelling(&items.items[k].target, &item->target);
		struct dns_rr glue = dns_rr_address(
			a->query->arena, dns_name_keep(a->query->arena, &item->target), item->ttl,
			&item->addr);
		dns_section_add(a->query->arena, a->extra, &glue);
		if (seen)
			continue;
		struct dns_rr rr = dns_rr_target(a->query->arena, name, DNS_NS, item->ttl,
						 &item->target);
		dns_section_add(a->query->arena, a->records, &rr);
	}
	return true;
}

static struct dns_rr zone_soa(const struct answer *a)
{
	const struct dns_kube *k = a->zone.kube;
	struct dns_name primary = a->zone.zone, mailbox = a->zone.zone;
	dns_name_prepend_text(&primary, "ns.dns");
	dns_name_prepend_text(&mailbox, "hostmaster");
	int64_t serial = k->epoch_s + dns_view_modified_ns(k->view) / 1000000000;
	struct dns_soa soa = { (uint32_t)serial, 7200, 1800, 86400, k->ttl };
	return dns_rr_soa(a->query->arena, dns_name_keep(a->query->arena, &a->zone.zone),
			  k->ttl < 300 ? k->ttl : 300, &primary, &mailbox, &soa);
}

/* ---- the plugin --------------------------------------------------------------------- */

static bool is_lower(const struct dns_name *n)
{
	for (unsigned i = 0; i < n->length; i++)
		if (n->bytes[i] >= 'A' && n->bytes[i] <= 'Z')
			return false;
	return true;
}

/* False: the name does not exist. */
static bool find_records(struct answer *a)
{
	const struct dns_question *q = a->query->question;
	struct dns_section ignored = { 0 };
	bool apex = q->name.length == a->zone.zone.length;
	switch (q->type) {
	case DNS_A:
	case DNS_AAAA:
		return answer_addresses(a, q->type, a->records);
	case DNS_TXT:
		return answer_texts(a);
	case DNS_CNAME:
		return answer_alias(a);
	case DNS_PTR:
		return answer_reverse(a);
	case DNS_SRV:
		return answer_srv(a);
	case DNS_MX:
		return zone_services(&a->zone, &q->name, DNS_MX, &(struct zone_items){ 0 });
	case DNS_SOA:
		if (apex) {
			struct dns_rr soa = zone_soa(a);
			dns_section_add(a->query->arena, a->records, &soa);
		}
		return true; /* below the apex always "no data": nothing is looked up */
	case DNS_NS:
		if (apex && is_lower(&q->name))
			return answer_servers(a);
		return answer_addresses(a, DNS_A, &ignored);
	default:
		return answer_addresses(a, DNS_A, &ignored);
	}
}

static bool falls_through(const struct dns_kube *k, const struct dns_name *name)
{
	return dns_names_match(&k->fall, name) != NULL;
}

enum dns_kube_result dns_kube_answer(const struct dns_kube *k, const struct dns_kube_query *q,
				     struct dns_message *reply)
{
	const struct dns_name *name = &q->question->name;
	const struct dns_name *zone = dns_names_match(&k->zones, name);
	if (!zone)
		return DNS_KUBE_PASS;
	if (q->question->type == DNS_AXFR || q->question->type == DNS_IXFR)
		return DNS_KUBE_REFUSED;
	struct answer a = {
		.zone = { .kube = k, .arena = q->arena, .zone_labels = dns_name_labels(zone) },
		.query = q,
		.records = &reply->answer,
		.extra = &reply->additional
	};
	unsigned at = dns_name_suffix(name, a.zone.zone_labels);
	a.zone.zone.length = (uint8_t)(name->length - at);
	memcpy(a.zone.zone.bytes, name->bytes + at, a.zone.zone.length);
	bool exists = find_records(&a);
	if (!exists && falls_through(k, name))
		return DNS_KUBE_PASS;
	reply->flags |= DNS_AA;
	if (exists && reply->answer.count) {
		if (a.truncated)
			reply->flags |= DNS_TC;
		return DNS_KUBE_DONE;
	}
	reply->answer.count = reply->additional.count = 0;
	if (!exists)
		reply->rcode = dns_view_synced(k->view) ? DNS_NXDOMAIN : DNS_SERVFAIL;
	struct dns_rr soa = zone_soa(&a);
	dns_section_add(q->arena, &reply->authority, &soa);
	return DNS_KUBE_DONE;
}
