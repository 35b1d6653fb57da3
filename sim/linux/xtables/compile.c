/* linux/xtables/compile.c: which rules of a long chain a packet can match.
 *
 * A rule's guard is its header and what its matches say of ports before the first
 * one that draws, counts or is not known. Rules whose guard names an exact
 * destination, destination port with protocol, or source are found by hash; the
 * rest is the residual list, tried for every packet. The lists hold positions in
 * rising order and are merged, so that the walk meets candidates in rule order.
 *
 * An index belongs to one chain, is made when a packet first enters the chain
 * and thrown away when the chain changes. Nothing in it depends on marks, sets
 * or connection state, so no target of a walk makes it stale.
 */
#include "linux/xtables/internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/xtables/match.h"

#define SMALL_CHAIN 8u /* walked without index */

enum key_class { KEY_DST_PORT, KEY_DST, KEY_PORT, KEY_SRC, KEY_NONE };

struct key { /* no padding: a table key */
	uint8_t addr[16];
	uint16_t port;
	uint8_t proto, class;
};

struct range {
	uint32_t start, count;
};

struct xt_index {
	struct table keys;    /* struct key -> struct range into positions */
	uint32_t *positions;  /* residual list last */
	struct range residual;
	uint32_t classes;     /* bit per class in use */
};

uint16_t spec_guard(const struct xt_spec *s)
{
	const struct xt_record *r = spec_first(s);
	for (; r != spec_target(s); r = record_next(r)) {
		const struct xt_extension *ext = extension_of(r->kind);
		if (r->kind >= XT_M_ADDRTYPE && (!ext || ext->impure))
			break;
	}
	return (uint16_t)((const uint8_t *)r - (const uint8_t *)s->records);
}

static bool all_ones(const uint8_t *mask, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		if (mask[i] != 0xff)
			return false;
	return true;
}

/* The rule's exact port, when its guard has one. */
static bool guard_port(const struct xt_spec *s, struct key *key)
{
	const struct xt_record *r = spec_first(s);
	key->proto = r->flags & XT_PROTO;
	if (!key->proto || (r->invert & XT_INV_PROTO))
		return false;
	for (; r != spec_at(s, s->guard); r = record_next(r)) {
		const struct xt_ports *t = (const struct xt_ports *)r;
		if (r->kind != XT_M_TCP && r->kind != XT_M_UDP && r->kind != XT_M_SCTP)
			continue;
		if ((r->invert & 2) || t->dst[0] != t->dst[1])
			continue;
		key->port = t->dst[0];
		return true;
	}
	return false;
}

static struct key rule_key(const struct xt_spec *s)
{
	const struct xt_record *h = spec_first(s);
	bool v6 = h->kind == XT_HEADER6;
	unsigned bytes = v6 ? 16 : 4;
	const struct xt_header4 *h4 = (const struct xt_header4 *)h;
	const struct xt_header6 *h6 = (const struct xt_header6 *)h;
	struct key key = { .class = KEY_NONE };
	bool port = guard_port(s, &key), addresses = h->kind != XT_HEADER;
	if (!port)
		key.proto = 0;
	if (addresses && !(h->invert & XT_INV_DST) &&
	    all_ones(v6 ? h6->dst_mask : h4->dst_mask, bytes)) {
		memcpy(key.addr, v6 ? h6->dst : h4->dst, bytes);
		key.class = port ? KEY_DST_PORT : KEY_DST;
	} else if (port) {
		key.class = KEY_PORT;
	} else if (addresses && !(h->invert & XT_INV_SRC) &&
		   all_ones(v6 ? h6->src_mask : h4->src_mask, bytes)) {
		memcpy(key.addr, v6 ? h6->src : h4->src, bytes);
		key.class = KEY_SRC;
	}
	return key;
}

static struct xt_index *index_new(const struct xt_chain *chain)
{
	struct xt_index *x = mem_alloc(sizeof *x);
	uint32_t at = 0;
	void *value;
	table_init(&x->keys, sizeof(struct key), sizeof(struct range));
	x->positions = mem_array(chain->count, sizeof *x->positions);
	for (uint32_t i = 0; i < chain->count; i++) {
		struct key key = rule_key(chain->rules[i].spec);
		if (key.class == KEY_NONE)
			continue;
		struct range *r = table_put(&x->keys, &key, NULL);
		r->count++;
		x->classes |= 1u << key.class;
	}
	for (uint32_t i = 0; table_next(&x->keys, &i, NULL, &value);) {
		struct range *r = value;
		r->start = at;
		at += r->count;
		r->count = 0;
	}
	x->residual.start = at;
	for (uint32_t i = 0; i < chain->count; i++) {
		struct key key = rule_key(chain->rules[i].spec);
		struct range *r = key.class == KEY_NONE ? &x->residual :
				  table_find(&x->keys, &key);
		x->positions[r->start + r->count++] = i;
	}
	return x;
}

void rule_index_free(struct xt_index *x)
{
	if (!x)
		return;
	table_free(&x->keys);
	free(x->positions);
	free(x);
}

static void cursor_add(struct xt_cursor *c, const struct xt_index *x, const struct range *r)
{
	if (r && r->count)
		c->lists[c->count++] = (struct xt_positions){ x->positions + r->start, r->count };
}

static void cursor_look(struct xt_cursor *c, const struct xt_index *x, enum key_class class,
			const struct net_addr *addr, uint8_t proto, uint16_t port)
{
	struct key key = { .port = port, .proto = proto, .class = (uint8_t)class };
	if (!(x->classes & 1u << class))
		return;
	if (addr)
		memcpy(key.addr, addr->bytes, sizeof key.addr);
	cursor_add(c, x, table_find(&x->keys, &key));
}

void cursor_open(struct xt_cursor *c, struct xt_chain *chain, const struct packet *p)
{
	c->end = chain->count;
	c->count = 0;
	c->linear = chain->count <= SMALL_CHAIN;
	if (c->linear)
		return;
	if (!chain->index)
		chain->index = index_new(chain);
	const struct xt_index *x = chain->index;
	struct net_addr src = packet_src(p), dst = packet_dst(p);
	if (p->l4 && !p->fragment) {
		uint16_t port = packet_dst_port(p);
		cursor_look(c, x, KEY_DST_PORT, &dst, p->proto, port);
		cursor_look(c, x, KEY_PORT, NULL, p->proto, port);
	}
	cursor_look(c, x, KEY_DST, &dst, 0, 0);
	cursor_look(c, x, KEY_SRC, &src, 0, 0);
	cursor_add(c, x, &x->residual);
}

/* Drops what lies before `from`: the next one is often the right one, else halve. */
static void skip_to(struct xt_positions *l, uint32_t from)
{
	if (!l->count || l->at[0] >= from)
		return;
	l->at++;
	l->count--;
	if (!l->count || l->at[0] >= from)
		return;
	uint32_t low = 0, high = l->count;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (l->at[middle] < from)
			low = middle + 1;
		else
			high = middle;
	}
	l->at += low;
	l->count -= low;
}

uint32_t cursor_next(struct xt_cursor *c, uint32_t from)
{
	uint32_t next = c->end;
	if (c->linear)
		return from;
	for (uint32_t i = 0; i < c->count; i++) {
		skip_to(&c->lists[i], from);
		if (c->lists[i].count && c->lists[i].at[0] < next)
			next = c->lists[i].at[0];
	}
	return next;
}
