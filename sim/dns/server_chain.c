/* dns/server_chain.c: the plugins behind the cache, in their order, and loadbalance. */
#include "dns/server_internal.h"

#include <stdlib.h>
#include <string.h>

#define LOOKUPS_DEEP 8u

/* ---- the server asks itself ------------------------------------------------------ */

struct lookup {
	struct run *run;
	const struct dns_message *request;
};

/* A target outside a zone goes through the whole server again, as a query of the same
 * client with the same EDNS. */
static bool look_up(void *ctx, const struct dns_name *name, uint16_t type,
		    struct dns_section *answer, struct dns_found *found)
{
	const struct lookup *l = ctx;
	struct dns_message request = *l->request, reply;
	request.question.name = *name;
	request.question.type = type;
	request.question.class = DNS_IN;
	if (l->run->depth >= LOOKUPS_DEEP)
		return false;
	l->run->depth++;
	bool any = dns_server_run(l->run, &request, &reply);
	l->run->depth--;
	if (!any)
		return false;
	for (uint32_t i = 0; i < reply.answer.count; i++)
		dns_section_add(l->run->arena, answer, &reply.answer.items[i]);
	found->rcode = reply.rcode;
	found->truncated = reply.flags & DNS_TC;
	return true;
}

/* ---- hosts ------------------------------------------------------------------------ */

static bool is_host(const struct hosts_plugin *h, const struct dns_name *name)
{
	for (uint32_t i = 0; i < h->count; i++)
		if (dns_name_equal(&h->entries[i].name, name))
			return true;
	return false;
}

static void host_addresses(const struct run *r, const struct hosts_plugin *h,
			   const struct dns_question *q, struct dns_message *reply)
{
	struct dns_name *owner = dns_name_keep(r->arena, &q->name);
	dns_name_lower(owner);
	for (uint32_t i = 0; i < h->count; i++) {
		const struct hosts_entry *e = &h->entries[i];
		if (e->addr.family != (q->type == DNS_A ? NET_V4 : NET_V6) ||
		    !dns_name_equal(&e->name, &q->name))
			continue;
		struct dns_rr rr = dns_rr_address(r->arena, owner, h->ttl, &e->addr);
		dns_section_add(r->arena, &reply->answer, &rr);
	}
}

static void host_names(const struct run *r, const struct hosts_plugin *h,
		       const struct dns_question *q, struct dns_message *reply)
{
	struct net_addr addr;
	struct dns_name *owner = dns_name_keep(r->arena, &q->name);
	dns_name_lower(owner);
	for (uint32_t i = 0; !h->no_reverse && dns_name_address(&q->name, &addr) && i < h->count;
	     i++) {
		if (!net_addr_equal(&h->entries[i].addr, &addr))
			continue;
		struct dns_rr rr = dns_rr_target(r->arena, owner, DNS_PTR, h->ttl,
						 &h->entries[i].name);
		dns_section_add(r->arena, &reply->answer, &rr);
	}
}

/* False: the next plugin is asked. */
static bool hosts_answer(const struct run *r, const struct hosts_plugin *h,
			 const struct dns_question *q, struct dns_message *reply, enum outcome *out)
{
	if (!dns_names_match(&h->zones, &q->name) && q->type != DNS_PTR)
		return false;
	*out = OUT_WRITTEN;
	if (q->type == DNS_PTR) {
		host_names(r, h, q, reply);
		if (!reply->answer.count)
			return false;
	} else if (q->type == DNS_A || q->type == DNS_AAAA) {
		host_addresses(r, h, q, reply);
	} else if (h->pass_other_types && dns_names_match(&h->fall, &q->name)) {
		return false;
	}
	if (!reply->answer.count && !is_host(h, &q->name)) {
		if (dns_names_match(&h->fall, &q->name))
			return false;
		reply->rcode = DNS_SERVFAIL;
		*out = OUT_RCODE;
		return true;
	}
	reply->flags |= DNS_AA;
	return true;
}

/* ---- file --------------------------------------------------------------------------- */

static const struct file_zone *find_zone(const struct file_plugin *f, const struct dns_name *name)
{
	const struct file_zone *best = NULL;
	for (uint32_t i = 0; i < f->count; i++)
		if (dns_name_under(name, &f->zones[i].origin) &&
		    (!best || f->zones[i].origin.length > best->origin.length))
			best = &f->zones[i];
	return best;
}

static enum outcome rcode(struct dns_message *reply, enum dns_rcode code)
{
	reply->rcode = code;
	return OUT_RCODE;
}

/* False: the next plugin is asked. */
static bool file_answer(struct run *r, const struct block *b, const struct dns_message *request,
			struct dns_message *reply, enum outcome *out)
{
	const struct dns_question *q = &request->question;
	const struct file_zone *zone = find_zone(b->file, &q->name);
	struct lookup l = { r, request };
	*out = OUT_WRITTEN;
	if (!zone) {
		if (b->forward_count)
			return false;
		*out = rcode(reply, DNS_REFUSED);
		return true;
	}
	if (q->type == DNS_AXFR || q->type == DNS_IXFR) {
		*out = rcode(reply, DNS_REFUSED);
		return true;
	}
	if (request->opcode == DNS_NOTIFY) {
		*out = OUT_SILENT;
		return true;
	}
	enum dns_master_result result =
	    !zone->master
		? DNS_MASTER_FAILURE
		: dns_master_answer(zone->master, r->arena, &zone->origin, q, look_up, &l, reply);
	if (result == DNS_MASTER_FAILURE)
		*out = rcode(reply, DNS_SERVFAIL);
	if (result != DNS_MASTER_NO_NAME || !dns_names_match(&b->file->fall, &q->name))
		return true;
	dns_reply_begin(request, reply);
	return false;
}

/* ---- the chain -------------------------------------------------------------------------- */

enum outcome dns_chain_backend(struct run *r, const struct block *b,
			      const struct dns_message *request, struct dns_message *reply)
{
	const struct dns_question *q = &request->question;
	enum outcome out;
	if (b->hosts && hosts_answer(r, b->hosts, q, reply, &out))
		return out;
	if (b->kube) {
		struct lookup l = { r, request };
		struct dns_kube_query kq = { r->arena, q, look_up, &l };
		r->by_view = true;
		switch (dns_kube_answer(b->kube, &kq, reply)) {
		case DNS_KUBE_DONE:
			return OUT_WRITTEN;
		case DNS_KUBE_REFUSED:
			return rcode(reply, DNS_REFUSED);
		case DNS_KUBE_PASS:
			dns_reply_begin(request, reply);
			break;
		}
	}
	if (b->file && file_answer(r, b, request, reply, &out))
		return out;
	for (uint32_t i = 0; i < b->forward_count; i++)
		if (dns_forwards_to(&b->forwards[i], &q->name))
			return dns_forward_answer(r, &b->forwards[i], request, reply);
	return rcode(reply, DNS_SERVFAIL);
}

/* ---- loadbalance --------------------------------------------------------------------------- */

void dns_loadbalance_shuffle(struct choice *c, uint32_t *order, uint32_t count)
{
	for (uint32_t i = 0; i + 1 < count; i++) {
		uint32_t k = i + (uint32_t)choice_uniform(c, "dns-order", count - i),
			 kept = order[i];
		order[i] = order[k];
		order[k] = kept;
	}
}

static int rank(uint16_t type)
{
	switch (type) {
	case DNS_CNAME:
		return 0;
	case DNS_A:
	case DNS_AAAA:
		return 2;
	case DNS_MX:
		return 3;
	default:
		return 1;
	}
}

static void balance_section(struct run *r, struct dns_section *s)
{
	if (s->count < 2)
		return;
	struct dns_rr *out = arena_array(r->arena, s->count, sizeof *out);
	uint32_t *order = arena_array(r->arena, s->count, sizeof *order), used = 0;
	for (int k = 0; k < 4; k++) {
		uint32_t count = 0;
		for (uint32_t i = 0; i < s->count; i++)
			if (rank(s->items[i].type) == k)
				order[count++] = i;
		if (k >= 2)
			dns_loadbalance_shuffle(r->server->choice, order, count);
		r->shuffled |= k >= 2 && count > 1;
		for (uint32_t i = 0; i < count; i++)
			out[used++] = s->items[order[i]];
	}
	s->items = out;
	s->capacity = s->count;
}

void dns_loadbalance(struct run *r, struct dns_message *reply)
{
	if (reply->rcode != DNS_NOERROR || reply->question.type == DNS_AXFR ||
	    reply->question.type == DNS_IXFR)
		return;
	balance_section(r, &reply->answer);
	balance_section(r, &reply->authority);
	balance_section(r, &reply->additional);
}
