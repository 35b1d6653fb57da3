/* linux/nft/compile.c: which rules of a long chain a packet can match.
 *
 * A rule's guard is its leading matches of header fields with constants. Rules whose guard
 * names an exact destination, a destination port with its protocol, or a source are found
 * by hash; the rest is the residual list, tried for every packet. The lists hold positions
 * in rising order and are merged, so that the walk meets candidates in rule order.
 *
 * An index belongs to one chain, is made when a packet first enters the chain and thrown
 * away when the chain changes. Nothing in it depends on marks, sets or connections; a rule
 * that writes into a header makes the walk ask again (eval.c). Verdict maps need no index:
 * they are one look-up.
 */
#include "linux/nft/eval.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define SMALL_CHAIN 8u /* walked without index */

enum key_class { KEY_DST_PORT, KEY_DST, KEY_PORT, KEY_SRC, KEY_NONE };

struct key { /* no padding: a table key */
	uint8_t addr[16];
	uint16_t port;
	uint8_t proto, class;
};

struct span {
	uint32_t start, count;
};

struct nft_index {
	struct nft_rule **rules;
	struct table keys;   /* struct key -> struct span of positions */
	uint32_t *positions; /* residual list last */
	struct span residual;
	uint32_t classes;    /* bit per class in use */
};

struct guard {
	const uint8_t *dst, *src;
	unsigned bytes; /* of the addresses */
	uint16_t port;
	uint8_t proto;
	bool has_port;
};

/* What "FIELD VALUE" says; true while the guard may go on. */
static bool guard_match(const struct nft_rule *r, const struct nft_node *n, struct guard *g)
{
	const struct nft_node *left = nft_at(r, n->left), *right = nft_at(r, n->right);
	if (right->kind == N_SET) /* look-ups are counted */
		return false;
	if (left->kind == N_META)
		return nft_meta_keys[left->op].decided && left->op != NM_RANDOM;
	if (left->kind == N_CT)
		return nft_ct_keys[left->op].decided;
	if (left->kind != N_PAYLOAD)
		return left->kind == N_RAW;
	const struct nft_payload *f = nft_payload(left->op);
	if (n->op != OP_EQ || right->kind != N_VALUE)
		return true;
	if (f->type == NT_IPV4 || f->type == NT_IPV6) {
		bool dst = strcmp(f->name, "daddr") == 0;
		g->bytes = right->bytes;
		if (dst && !g->dst)
			g->dst = right->value;
		else if (!dst && !g->src)
			g->src = right->value;
	} else if (f->type == NT_SERVICE && strcmp(f->name, "dport") == 0 && !g->has_port &&
		   nft_header_proto(f->proto)) {
		g->has_port = true;
		g->port = (uint16_t)nft_number(right->value, 2);
		g->proto = nft_header_proto(f->proto);
	}
	return true;
}

static struct key rule_key(const struct nft_rule *r)
{
	struct guard g = { 0 };
	struct key key = { .class = KEY_NONE };
	for (const struct nft_node *n = nft_first(r); n; n = nft_next(r, n))
		if (n->kind != N_MATCH || !guard_match(r, n, &g))
			break;
	if (g.has_port) {
		key.port = g.port;
		key.proto = g.proto;
		key.class = KEY_PORT;
	}
	if (g.dst) {
		memcpy(key.addr, g.dst, g.bytes);
		key.class = g.has_port ? KEY_DST_PORT : KEY_DST;
	} else if (g.src && !g.has_port) {
		memcpy(key.addr, g.src, g.bytes);
		key.class = KEY_SRC;
	}
	return key;
}

static struct nft_index *index_new(const struct nft_chain *chain)
{
	struct nft_index *x = mem_alloc(sizeof *x);
	uint32_t at = 0, i = 0;
	void *value;
	table_init(&x->keys, sizeof(struct key), sizeof(struct span));
	x->positions = mem_array(chain->count, sizeof *x->positions);
	x->rules = mem_array(chain->count, sizeof *x->rules);
	for (struct nft_rule *r = nft_first_rule(chain); r; r = nft_next_rule(r)) {
		struct key key = rule_key(r);
		x->rules[i++] = r;
		if (key.class == KEY_NONE)
			continue;
		((struct span *)table_put(&x->keys, &key, NULL))->count++;
		x->classes |= 1u << key.class;
	}
	for (i = 0; table_next(&x->keys, &i, NULL, &value);) {
		struct span *s = value;
		s->start = at;
		at += s->count;
		s->count = 0;
	}
	x->residual.start = at;
	for (i = 0; i < chain->count; i++) {
		struct key key = rule_key(x->rules[i]);
		struct span *s = key.class == KEY_NONE ? &x->residual : table_find(&x->keys, &key);
		x->positions[s->start + s->count++] = i;
	}
	return x;
}

void nft_index_free(struct nft_index *x)
{
	if (!x)
		return;
	table_free(&x->keys);
	free(x->positions);
	free(x->rules);
	free(x);
}

static void cursor_add(struct nft_cursor *c, const struct nft_index *x, const struct span *s)
{
	if (s && s->count)
		c->lists[c->count++] = (struct nft_positions){ x->positions + s->start, s->count };
}

static void cursor_look(struct nft_cursor *c, const struct nft_index *x, enum key_class class,
			const struct net_addr *addr, uint8_t proto, uint16_t port)
{
	struct key key = { .port = port, .proto = proto, .class = (uint8_t)class };
	if (!(x->classes & 1u << class))
		return;
	if (addr)
		memcpy(key.addr, addr->bytes, sizeof key.addr);
	cursor_add(c, x, table_find(&x->keys, &key));
}

bool nft_cursor_open(struct nft_cursor *c, struct nft_chain *chain, const struct packet *p)
{
	if (chain->count <= SMALL_CHAIN)
		return false;
	if (!chain->compiled)
		chain->compiled = index_new(chain);
	const struct nft_index *x = chain->compiled;
	struct net_addr src = packet_src(p), dst = packet_dst(p);
	c->end = chain->count;
	c->rules = x->rules;
	c->count = 0;
	if (p->l4 && !p->fragment) {
		uint16_t port = packet_dst_port(p);
		cursor_look(c, x, KEY_DST_PORT, &dst, p->proto, port);
		cursor_look(c, x, KEY_PORT, NULL, p->proto, port);
	}
	cursor_look(c, x, KEY_DST, &dst, 0, 0);
	cursor_look(c, x, KEY_SRC, &src, 0, 0);
	cursor_add(c, x, &x->residual);
	return true;
}

/* Drops what lies before `from`: the next one is often the right one, else halve. */
static void skip_to(struct nft_positions *l, uint32_t from)
{
	if (!l->count || l->at[0] >= from)
		return;
	uint32_t low = 1, high = l->count;
	if (low < high && l->at[1] >= from)
		high = low;
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

uint32_t nft_cursor_next(struct nft_cursor *c, uint32_t from)
{
	uint32_t next = c->end;
	for (uint32_t i = 0; i < c->count; i++) {
		skip_to(&c->lists[i], from);
		if (c->lists[i].count && c->lists[i].at[0] < next)
			next = c->lists[i].at[0];
	}
	return next;
}
