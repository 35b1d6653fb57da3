/* linux/xtables/make.c: the words that were read into a rule and its spec. */
#include "linux/xtables/internal.h"

#include <assert.h>
#include <string.h>

#include "core/arena.h"
#include "linux/xtables/match.h"

static struct xt_spec *draft_of(struct xt_parse *p)
{
	return (struct xt_spec *)(void *)p->draft;
}

/* Appends a record, padded with zeros to a multiple of 8. */
static void draft_add(struct xt_parse *p, const struct xt_record *r)
{
	struct xt_spec *d = draft_of(p);
	uint16_t size = (uint16_t)((r->size + 7u) / 8u * 8u);
	assert(sizeof *d + d->size + size <= sizeof p->draft);
	uint8_t *to = (uint8_t *)d->records + d->size;
	memcpy(to, r, r->size);
	memset(to + r->size, 0, size - r->size);
	((struct xt_record *)(void *)to)->size = size;
	d->size = (uint16_t)(d->size + size);
}

static void network_of(const struct net_prefix *n, uint8_t family, uint8_t *addr, uint8_t *mask)
{
	unsigned bytes = family == NET_V6 ? 16 : 4;
	memcpy(addr, n->addr.bytes, bytes);
	for (unsigned i = 0; i < bytes; i++) {
		unsigned left = n->bits > i * 8u ? n->bits - i * 8u : 0;
		mask[i] = (uint8_t)(left >= 8 ? 0xff : 0xff00u >> left);
	}
}

static bool is_zero(const uint8_t *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (bytes[i])
			return false;
	return true;
}

static void draft_header(struct xt_parse *p, uint32_t i)
{
	struct xt_header6 h = p->header;
	uint8_t family = p->x->family;
	unsigned bytes = family == NET_V6 ? 16 : 4;
	if (p->source_count > 1)
		network_of(&p->sources[i % p->source_count], family, h.src, h.src_mask);
	if (p->destination_count > 1)
		network_of(&p->destinations[i / (p->source_count ? p->source_count : 1)], family,
			   h.dst, h.dst_mask);
	bool ifaces = p->in[0] || p->out[0] || (h.head.invert & (XT_INV_IN | XT_INV_OUT));
	h.head.flags |= (ifaces ? XT_HAS_IFACES : 0) | (p->fragment ? XT_FRAGMENT : 0);
	if (is_zero(h.src_mask, bytes) && is_zero(h.dst_mask, bytes) &&
	    !(h.head.invert & (XT_INV_SRC | XT_INV_DST))) {
		h.head.kind = XT_HEADER;
		h.head.size = sizeof h.head;
		draft_add(p, &h.head);
	} else if (family == NET_V6) {
		h.head.kind = XT_HEADER6;
		h.head.size = sizeof h;
		draft_add(p, &h.head);
	} else {
		struct xt_header4 h4 = { .head = h.head };
		h4.head.kind = XT_HEADER4;
		h4.head.size = sizeof h4;
		memcpy(h4.src, h.src, 4);
		memcpy(h4.src_mask, h.src_mask, 4);
		memcpy(h4.dst, h.dst, 4);
		memcpy(h4.dst_mask, h.dst_mask, 4);
		draft_add(p, &h4.head);
	}
	if (!ifaces)
		return;
	struct xt_ifaces f = { .head = { .kind = XT_IFACES, .size = sizeof f } };
	strcpy(f.in, p->in);
	strcpy(f.out, p->out);
	draft_add(p, &f.head);
}

void rule_states_init(struct xt_ruleset *x, struct xt_rule *rule)
{
	union xt_state *s = rule->states;
	int64_t now = x->ns ? engine_now(netns_env(x->ns)->engine) : 0;
	if (!s)
		return;
	for (const struct xt_record *r = spec_first(rule->spec); r != spec_target(rule->spec);
	     r = record_next(r)) {
		if (r->kind == XT_M_LIMIT)
			match_limit_init(r, s++, now);
		else if (r->kind == XT_M_STATISTIC)
			match_statistic_init(r, s++);
	}
}

struct xt_rule parse_make_rule(struct xt_parse *p, uint32_t i)
{
	struct xt_spec *d = draft_of(p);
	*d = (struct xt_spec){ 0 };
	draft_header(p, i);
	for (uint32_t b = 0; b < p->build_count; b++) {
		const struct xt_extension *ext = p->builds[b].ext;
		if ((int)b == p->target)
			continue;
		draft_add(p, &p->builds[b].u.head);
		d->states = (uint8_t)(d->states + (ext ? ext->states : 0));
		d->unknown |= !ext;
	}
	d->target = d->size;
	if (p->target >= 0) {
		draft_add(p, &p->builds[p->target].u.head);
		d->unknown |= !p->builds[p->target].ext;
	} else {
		struct xt_record t = { .kind = XT_T_NONE, .size = sizeof t };
		if (p->jump)
			t.kind = p->is_goto ? XT_T_GOTO : XT_T_JUMP;
		draft_add(p, &t);
	}
	d->guard = spec_guard(d);
	struct xt_rule rule = { .packets = p->packets, .bytes = p->bytes, .jump = p->jump };
	rule.spec = pool_take(&p->x->pool, d);
	rule.line = (uint32_t)p->line & 0x7fffffffu;
	rule.column = p->unknown_column;
	if (d->states) {
		rule.states = mem_array(d->states, sizeof *rule.states);
		rule_states_init(p->x, &rule);
	}
	return rule;
}
