/* dns/master_answer.c: answers from master files, as an upstream resolver and as
 * CoreDNS's file plugin (plugin/file/lookup.go) give them; see master.h. */
#include "dns/master.h"

#include <string.h>

#define CHAIN_MAX 16

static bool has_type(const struct dns_master_node *node, uint16_t type)
{
	for (uint32_t i = 0; node && i < node->count; i++)
		if (node->records[i].type == type)
			return true;
	return false;
}

/* Appends the node's records of a type (ANY: all), under `owner` where it is given. The
 * owner is copied: the question it comes from may be gone before the reply. */
static uint32_t add_records(struct arena *a, struct dns_section *out,
			    const struct dns_master_node *node, uint16_t type,
			    const struct dns_name *owner)
{
	const struct dns_name *kept = NULL;
	uint32_t added = 0;
	for (uint32_t i = 0; node && i < node->count; i++) {
		struct dns_rr rr = node->records[i];
		if (rr.type != type && type != DNS_ANY)
			continue;
		if (owner && !kept)
			kept = dns_name_keep(a, owner);
		if (kept)
			rr.owner = kept;
		dns_section_add(a, out, &rr);
		added++;
	}
	return added;
}

static const struct dns_rr *first_of(const struct dns_master_node *node, uint16_t type)
{
	for (uint32_t i = 0; node && i < node->count; i++)
		if (node->records[i].type == type)
			return &node->records[i];
	return NULL;
}

/* ---- upstream -------------------------------------------------------------------- */

/* The SOA of the closest zone above, its TTL cut to its minimum (RFC 2308). */
static void add_closest_soa(const struct dns_master *m, struct arena *a,
			    const struct dns_name *name, struct dns_section *out)
{
	struct dns_name above = *name;
	for (;;) {
		const struct dns_rr *soa = first_of(dns_master_find(m, &above), DNS_SOA);
		if (soa) {
			struct dns_rr rr = *soa;
			const uint8_t *p = rr.rdata + rr.rdata_length - 4;
			uint32_t minimum = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
					   (uint32_t)p[2] << 8 | p[3];
			if (minimum < rr.ttl)
				rr.ttl = minimum;
			dns_section_add(a, out, &rr);
			return;
		}
		if (above.length <= 1)
			return;
		dns_name_parent(&above);
	}
}

/* The name itself, or the wildcard of its closest encloser; NULL: neither. *exists says
 * whether the name exists, be it only for names below it. */
static const struct dns_master_node *find_or_wild(const struct dns_master *m,
						  const struct dns_name *name, bool *exists)
{
	const struct dns_master_node *node = dns_master_find(m, name);
	*exists = true;
	if (node && node->count)
		return node;
	if (dns_master_has_below(m, name))
		return NULL;
	struct dns_name above = *name;
	while (above.length > 1) {
		dns_name_parent(&above);
		struct dns_name wild = above;
		if (dns_name_prepend_text(&wild, "*")) {
			node = dns_master_find(m, &wild);
			if (node && node->count)
				return node;
		}
		node = dns_master_find(m, &above);
		if ((node && node->count) || dns_master_has_below(m, &above))
			break;
	}
	*exists = false;
	return NULL;
}

/* Carries out the script of a name; true: the reply is complete. */
static bool scripted(const struct dns_master *m, struct arena *a, const struct dns_name *name,
		     bool tcp, struct dns_message *reply, struct dns_upstream_reply *out)
{
	const struct dns_master_node *node = dns_master_find(m, name);
	if (!node)
		return false;
	out->delay_ns += node->delay_ns;
	switch (node->script) {
	case DNS_SCRIPT_SERVFAIL:
		reply->rcode = DNS_SERVFAIL;
		return true;
	case DNS_SCRIPT_REFUSED:
		reply->rcode = DNS_REFUSED;
		return true;
	case DNS_SCRIPT_NXDOMAIN:
		reply->rcode = DNS_NXDOMAIN;
		add_closest_soa(m, a, name, &reply->authority);
		return true;
	case DNS_SCRIPT_DROP:
		out->action = DNS_ACT_DROP;
		return true;
	case DNS_SCRIPT_TC:
		if (!tcp)
			reply->flags |= DNS_TC;
		return false;
	default:
		return false;
	}
}

void dns_upstream_answer(const struct dns_master *m, struct arena *a,
			 const struct dns_question *question, bool tcp, struct dns_message *reply,
			 struct dns_upstream_reply *out)
{
	const struct dns_name *name = &question->name;
	*out = (struct dns_upstream_reply){ DNS_ACT_ANSWER, 0 };
	reply->flags |= DNS_RA;
	for (int links = 0; links < CHAIN_MAX; links++) {
		bool exists;
		if (scripted(m, a, name, tcp, reply, out))
			return;
		const struct dns_master_node *node = find_or_wild(m, name, &exists);
		const struct dns_rr *alias = first_of(node, DNS_CNAME);
		if (add_records(a, &reply->answer, node, question->type, name))
			return;
		if (!alias) {
			if (!exists)
				reply->rcode = DNS_NXDOMAIN;
			add_closest_soa(m, a, name, &reply->authority);
			return;
		}
		struct dns_name target;
		add_records(a, &reply->answer, node, DNS_CNAME, name);
		if (!dns_rr_get_target(alias, &target))
			return;
		name = dns_name_keep(a, &target);
	}
	reply->rcode = DNS_SERVFAIL;
	reply->answer.count = 0;
}

/* ---- the file plugin ------------------------------------------------------------------ */

struct file_query {
	const struct dns_master *master;
	struct arena *arena;
	const struct dns_name *origin;
	uint16_t type;
	dns_lookup_fn *lookup;
	void *ctx;
	struct dns_message *reply;
};

static void add_zone_servers(const struct file_query *q)
{
	add_records(q->arena, &q->reply->authority, dns_master_find(q->master, q->origin), DNS_NS,
		    NULL);
}

static void add_zone_soa(const struct file_query *q)
{
	add_records(q->arena, &q->reply->authority, dns_master_find(q->master, q->origin), DNS_SOA,
		    NULL);
}

/* Addresses of the targets of SRV and MX records in the answer (NS: of a delegation). */
static void add_glue(const struct file_query *q, const struct dns_section *from, uint16_t type)
{
	for (uint32_t i = 0; i < from->count; i++) {
		struct dns_name target, seen;
		bool again = false;
		const struct dns_rr *rr = &from->items[i];
		if ((type ? rr->type != type : rr->type != DNS_SRV && rr->type != DNS_MX) ||
		    !dns_rr_get_target(rr, &target) || !dns_name_under(&target, q->origin))
			continue;
		for (uint32_t k = 0; k < i; k++)
			again |= from->items[k].type == rr->type &&
				 dns_rr_get_target(&from->items[k], &seen) &&
				 dns_name_equal(&seen, &target);
		const struct dns_master_node *node = again ? NULL :
						     dns_master_find(q->master, &target);
		add_records(q->arena, &q->reply->additional, node, DNS_A, NULL);
		add_records(q->arena, &q->reply->additional, node, DNS_AAAA, NULL);
	}
}

/* A zone cut between the origin and the name: the referral is the reply. */
static bool delegated(const struct file_query *q, const struct dns_name *name)
{
	unsigned labels = dns_name_labels(name), zone = dns_name_labels(q->origin);
	for (unsigned k = zone + 1; k <= labels; k++) {
		struct dns_name cut = { 0 };
		unsigned at = dns_name_suffix(name, k);
		cut.length = (uint8_t)(name->length - at);
		memcpy(cut.bytes, name->bytes + at, cut.length);
		const struct dns_master_node *node = dns_master_find(q->master, &cut);
		if (!has_type(node, DNS_NS) || (q->type == DNS_DS && k == labels))
			continue;
		add_records(q->arena, &q->reply->authority, node, DNS_NS, NULL);
		add_glue(q, &q->reply->authority, DNS_NS);
		return true;
	}
	return false;
}

/* Asks the server for an alias's target that this zone cannot answer. */
static enum dns_master_result outside(const struct file_query *q, const struct dns_name *target)
{
	struct dns_found found = { 0 };
	uint32_t before = q->reply->answer.count;
	bool any = q->lookup && q->lookup(q->ctx, target, q->type, &q->reply->answer, &found);
	bool none = q->reply->answer.count == before;
	if (any && found.rcode == DNS_NXDOMAIN)
		q->reply->rcode = DNS_NXDOMAIN;
	if (any && found.rcode == DNS_SERVFAIL)
		q->reply->rcode = DNS_SERVFAIL;
	if (any && (found.rcode == DNS_NXDOMAIN || (found.rcode == DNS_NOERROR && none)))
		add_zone_soa(q);
	else
		add_zone_servers(q);
	add_glue(q, &q->reply->answer, 0);
	return DNS_MASTER_DONE;
}

/* The records of a node that was found, through aliases inside the zone. */
static enum dns_master_result from_node(const struct file_query *q,
					const struct dns_master_node *node,
					const struct dns_name *owner)
{
	for (int links = 0; links < 9; links++) {
		const struct dns_rr *alias =
		    q->type == DNS_CNAME ? NULL : first_of(node, DNS_CNAME);
		if (!alias)
			break;
		struct dns_name target;
		add_records(q->arena, &q->reply->answer, node, DNS_CNAME, owner);
		if (!dns_rr_get_target(alias, &target))
			return DNS_MASTER_FAILURE;
		owner = NULL;
		if (dns_name_under(&target, q->origin) && delegated(q, &target))
			return DNS_MASTER_DONE;
		node = dns_master_find(q->master, &target);
		if (!node || !node->count || !dns_name_under(&target, q->origin))
			return outside(q, &target);
	}
	uint32_t before = q->reply->answer.count;
	if (q->type != DNS_ANY)
		add_records(q->arena, &q->reply->answer, node, q->type, owner);
	if (!before && !q->reply->answer.count) {
		add_zone_soa(q);
		return DNS_MASTER_DONE;
	}
	add_zone_servers(q);
	add_glue(q, &q->reply->answer, 0);
	return DNS_MASTER_DONE;
}

static enum dns_master_result look_up(const struct file_query *q, const struct dns_name *name)
{
	bool exists;
	const struct dns_master_node *node = find_or_wild(q->master, name, &exists);
	if (node)
		return from_node(q, node, name);
	add_zone_soa(q);
	if (exists) /* a name that only has names below it: no data, but falls through */
		return DNS_MASTER_NO_NAME;
	q->reply->rcode = DNS_NXDOMAIN;
	return DNS_MASTER_NO_NAME;
}

enum dns_master_result dns_master_answer(const struct dns_master *m, struct arena *a,
					 const struct dns_name *origin,
					 const struct dns_question *question,
					 dns_lookup_fn *lookup, void *ctx,
					 struct dns_message *reply)
{
	struct file_query q = { m, a, origin, question->type, lookup, ctx, reply };
	const struct dns_master_node *apex = dns_master_find(m, origin);
	if (!dns_name_under(&question->name, origin))
		return DNS_MASTER_PASS;
	if (!has_type(apex, DNS_SOA))
		return DNS_MASTER_FAILURE;
	struct dns_name *name = dns_name_keep(a, &question->name);
	dns_name_lower(name);
	reply->flags |= DNS_AA;
	if (dns_name_equal(name, origin) && q.type == DNS_NS) {
		add_records(a, &reply->answer, apex, DNS_NS, NULL);
		add_glue(&q, &reply->answer, DNS_NS);
		return DNS_MASTER_DONE;
	}
	if (delegated(&q, name)) {
		reply->flags &= (uint16_t)~DNS_AA;
		return DNS_MASTER_DONE;
	}
	return look_up(&q, name);
}
