/* linux/nft/eval_match.c: comparisons and look-ups. */
#include "linux/nft/eval.h"

#include <string.h>

#include "core/choice.h"

struct nft_elem *nft_eval_lookup(struct nft_eval *e, const struct nft_set *s, const uint8_t *key)
{
	e->r->lookups++;
	if (e->packet->trace)
		e->packet->trace->set_lookups++;
	return nft_set_find(s, key, e->now_ns);
}

static bool in_prefix(const uint8_t *value, const uint8_t *prefix, unsigned bits)
{
	if (memcmp(value, prefix, bits / 8) != 0)
		return false;
	return bits % 8 == 0 ||
	       ((value[bits / 8] ^ prefix[bits / 8]) & (0xff00 >> bits % 8 & 0xff)) == 0;
}

static bool compare(enum nft_op op, const uint8_t *a, const uint8_t *b, unsigned bytes)
{
	int order = memcmp(a, b, bytes);
	switch (op) {
	case OP_EQ:
		return order == 0;
	case OP_NE:
		return order != 0;
	case OP_LT:
		return order < 0;
	case OP_GT:
		return order > 0;
	case OP_LE:
		return order <= 0;
	case OP_GE:
		return order >= 0;
	default:
		for (unsigned i = 0; i < bytes; i++)
			if (a[i] & b[i])
				return true;
		return false;
	}
}

static bool equals(struct nft_eval *e, const struct nft_node *right, const struct nft_result *v)
{
	const struct nft_node *left = right->left ? nft_at(e->rule, right->left) : NULL;
	switch (right->kind) {
	case N_PREFIX:
		return in_prefix(v->bytes, left->value, right->right);
	case N_RANGE:
		return memcmp(v->bytes, left->value, right->bytes) >= 0 &&
		       memcmp(v->bytes, nft_at(e->rule, right->right)->value, right->bytes) <= 0;
	default:
		return nft_eval_lookup(e, right->set, v->bytes) != NULL;
	}
}

/* "meta random & 2147483647 < N", which is what the translation of iptables' statistic
 * says: one draw with two outcomes. */
static bool is_statistic(const struct nft_eval *e, const struct nft_node *n)
{
	const struct nft_node *left = nft_at(e->rule, n->left), *right = nft_at(e->rule, n->right);
	const uint8_t all[4] = { 0x7f, 0xff, 0xff, 0xff };
	static const uint8_t none[4];
	if (left->kind != N_BITWISE || right->kind != N_VALUE || (n->op != OP_LT && n->op != OP_GE))
		return false;
	const struct nft_node *of = nft_at(e->rule, left->left);
	return of->kind == N_META && of->op == NM_RANDOM && !(right->value[0] & 0x80) &&
	       memcmp(nft_at(e->rule, left->right)->value, all, 4) == 0 &&
	       memcmp(nft_at(e->rule, left->extra)->value, none, 4) == 0;
}

static enum nft_answer statistic(struct nft_eval *e, const struct nft_node *n)
{
	uint64_t below = nft_number(nft_at(e->rule, n->right)->value, 4);
	uint64_t weights[2] = { below, (UINT64_C(1) << 31) - below };
	bool hit = choice_draw(netns_env(e->ns)->choice, "backend", weights, 2) == 0;
	return hit == (n->op == OP_LT) ? NA_YES : NA_NO;
}

enum nft_answer nft_eval_match(struct nft_eval *e, const struct nft_node *n)
{
	const struct nft_node *right = nft_at(e->rule, n->right), *left = nft_at(e->rule, n->left);
	struct nft_result a, b;
	bool yes;
	if (is_statistic(e, n))
		return statistic(e, n);
	enum nft_answer answer = nft_eval_expr(e, left, &a);
	if (answer != NA_YES)
		return answer;
	if (right->kind == N_VALUE) {
		yes = compare((enum nft_op)n->op, a.bytes, right->value, right->bytes);
	} else if (right->kind == N_CONCAT) {
		answer = nft_eval_expr(e, right, &b);
		if (answer != NA_YES)
			return answer;
		yes = compare((enum nft_op)n->op, a.bytes, b.bytes, a.size);
	} else {
		yes = equals(e, right, &a) == (n->op != OP_NE);
	}
	return yes ? NA_YES : NA_NO;
}

/* ---- Bob Jenkins' lookup3, as the kernel's jhash() has it ----------------------------------- */

static uint32_t rotate(uint32_t v, unsigned by)
{
	return v << by | v >> (32 - by);
}

static void mix(uint32_t s[3])
{
	static const uint8_t by[] = { 4, 6, 8, 16, 19, 4 };
	for (unsigned i = 0; i < 6; i++) {
		uint32_t *a = &s[i % 3], *b = &s[(i + 1) % 3], *c = &s[(i + 2) % 3];
		*a -= *c;
		*a ^= rotate(*c, by[i]);
		*c += *b;
	}
}

static void final(uint32_t s[3])
{
	static const uint8_t by[] = { 14, 11, 25, 16, 4, 14, 24 };
	for (unsigned i = 0; i < 7; i++) {
		uint32_t *to = &s[(i + 2) % 3], from = s[(i + 1) % 3];
		*to ^= from;
		*to -= rotate(from, by[i]);
	}
}

static uint32_t word(const uint8_t *k, uint32_t length)
{
	uint32_t v = 0;
	for (uint32_t i = 0; i < 4 && i < length; i++)
		v |= (uint32_t)k[i] << 8 * i;
	return v;
}

uint32_t nft_jhash(const uint8_t *key, uint32_t length, uint32_t seed)
{
	uint32_t s[3];
	s[0] = s[1] = s[2] = 0xdeadbeef + length + seed;
	for (; length > 12; length -= 12, key += 12) {
		for (unsigned i = 0; i < 3; i++)
			s[i] += word(key + 4 * i, 4);
		mix(s);
	}
	if (!length)
		return s[2];
	for (uint32_t i = 0; i < 3 && length > 4 * i; i++)
		s[i] += word(key + 4 * i, length - 4 * i);
	final(s);
	return s[2];
}
