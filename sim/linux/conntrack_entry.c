/* linux/conntrack_entry.c: what others ask of a packet's entry, and of all entries. */
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/conntrack_internal.h"

void ct_hold(struct packet *p)
{
	if (p->ct)
		p->ct->holds++;
}

void ct_release(struct packet *p)
{
	if (p->ct)
		p->ct->holds--;
}

void ct_forget(struct packet *p)
{
	struct ct_entry *e = ct_entry_of(p);
	if (!e || e->status & CTS_CONFIRMED || e->packet != p)
		return;
	p->ct = NULL;
	e->packet = NULL;
	if (!e->holds) {
		ct_unlink_loose(e);
		free(e);
	}
}

void ct_attach(struct packet *answer, const struct packet *cause)
{
	struct ct_entry *e = ct_entry_of(cause);
	if (!e)
		return;
	answer->ct = e;
	answer->ct_info = ct_direction(cause) == DIR_ORIGINAL ? CT_INFO_RELATED_REPLY
							      : CT_INFO_RELATED;
}

unsigned ct_state(const struct packet *p)
{
	static const uint8_t bits[] = { CT_INVALID, CT_UNTRACKED, CT_INVALID, CT_NEW, CT_ESTABLISHED,
					CT_RELATED, CT_ESTABLISHED, CT_RELATED };
	const struct ct_entry *e = ct_entry_of(p);
	unsigned state = bits[p->ct_info];
	if (!e && p->ct) /* a zone waits for the packet to be tracked: new, says Linux */
		return CT_NEW;
	if (!e)
		return p->ct_info == CT_INFO_UNTRACKED ? CT_UNTRACKED : CT_INVALID;
	if (e->status & CTS_SRC_NAT)
		state |= CT_SNAT;
	if (e->status & CTS_DST_NAT)
		state |= CT_DNAT;
	return state;
}

bool ct_tuples(const struct packet *p, struct flow_key *original, struct flow_key *reply)
{
	const struct ct_entry *e = ct_entry_of(p);
	if (!e)
		return false;
	*original = e->tuple[DIR_ORIGINAL];
	*reply = e->tuple[DIR_REPLY];
	return true;
}

bool ct_is_reply(const struct packet *p)
{
	return ct_direction(p) == DIR_REPLY;
}

uint32_t ct_status(const struct packet *p)
{
	const struct ct_entry *e = ct_entry_of(p);
	uint32_t status = e ? e->status : 0;
	return (status & CTS_SEEN_REPLY ? 2u : 0) | (status & CTS_ASSURED ? 4u : 0) |
	       (status & CTS_CONFIRMED ? 8u : 0) | (status & CTS_SRC_NAT ? 16u : 0) |
	       (status & CTS_DST_NAT ? 32u : 0);
}

uint32_t ct_expires_s(const struct packet *p)
{
	const struct ct_entry *e = ct_entry_of(p);
	int64_t left = e && e->status & CTS_CONFIRMED ? e->expires_ns - ct_now(e->owner) : 0;
	return left > 0 ? (uint32_t)(left / NS_PER_S) : 0;
}

uint32_t ct_mark(const struct packet *p)
{
	const struct ct_entry *e = ct_entry_of(p);
	return e ? e->mark : 0;
}

void ct_set_mark(struct packet *p, uint32_t mark)
{
	struct ct_entry *e = ct_entry_of(p);
	if (!e || e->mark == mark)
		return;
	e->mark = mark;
	e->changed = true;
}

void ct_untrack(struct packet *p)
{
	ct_forget(p);
	p->ct = NULL;
	p->ct_info = CT_INFO_UNTRACKED;
}

void ct_set_zone(struct netns *ns, struct packet *p, uint16_t zone)
{
	struct conntrack *ct = netns_conntrack(ns);
	if (ct_entry_of(p))
		return;
	if (!ct->templates.stride)
		table_init(&ct->templates, sizeof zone, sizeof(struct ct_entry *));
	struct ct_entry **t = table_put(&ct->templates, &zone, NULL);
	if (!*t) {
		*t = mem_alloc(sizeof **t);
		(*t)->owner = ct;
		(*t)->zone = zone;
		(*t)->status = CTS_TEMPLATE;
	}
	p->ct = *t;
}

/* ---- all entries ------------------------------------------------------------------ */

uint32_t conntrack_delete_if(struct conntrack *ct, bool (*drop)(void *ctx, const struct ct_view *),
			     void *ctx)
{
	void *value;
	uint32_t deleted = 0;
	for (uint32_t i = 0; table_next(&ct->entries, &i, NULL, &value);) {
		struct ct_entry *e = *(struct ct_entry **)value;
		bool expired = e->expires_ns <= ct_now(ct);
		struct ct_view view = { e->tuple[0], e->tuple[1], e->mark };
		if (!expired && !drop(ctx, &view))
			continue;
		ct_kill(e);
		deleted += !expired;
	}
	return deleted;
}

static bool matches(void *ctx, const struct ct_view *v)
{
	const struct ct_filter *f = ctx;
	return (!f->proto || v->original.proto == f->proto) &&
	       (f->original_dst.family == NET_NONE ||
		net_addr_equal(&f->original_dst, &v->original.dst)) &&
	       (!f->original_dst_port || v->original.dst_port == f->original_dst_port) &&
	       (f->reply_src.family == NET_NONE || net_addr_equal(&f->reply_src, &v->reply.src));
}

uint32_t conntrack_delete(struct conntrack *ct, const struct ct_filter *filter)
{
	struct ct_filter copy = *filter;
	return conntrack_delete_if(ct, matches, &copy);
}

void conntrack_delete_flow(struct conntrack *ct, const struct flow_key *original)
{
	enum ct_dir dir = DIR_ORIGINAL;
	struct ct_entry *e = ct_find(ct, original, 0, &dir);
	if (e && dir == DIR_ORIGINAL)
		ct_kill(e);
}

uint32_t conntrack_count(const struct conntrack *ct)
{
	void *value;
	uint32_t live = 0;
	for (uint32_t i = 0; table_next(&ct->entries, &i, NULL, &value);) {
		const struct ct_entry *e = *(struct ct_entry **)value;
		bool clash = (e->status & CTS_NAT_CLASH) != 0;
		live += e->expires_ns > ct_now(ct) ? clash ? 2 : 1 : 0;
	}
	return live / 2;
}

struct ct_stats conntrack_stats(const struct conntrack *ct)
{
	return ct->stats;
}

static bool any(void *ctx, const struct ct_view *view)
{
	(void)ctx;
	(void)view;
	return true;
}

void conntrack_flush(struct conntrack *ct)
{
	conntrack_delete_if(ct, any, NULL);
}
