/* linux/nft/rule.c: what is done with whole rules: walking, counting what they refer to,
 * starting their state anew. */
#include "linux/nft/internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

static void walk_list(const struct nft_rule *r, uint32_t at,
		      void (*fn)(void *ctx, struct nft_node *n), void *ctx);

/* Children of the kinds whose left, right or extra are nodes. */
static void walk_node(const struct nft_rule *r, struct nft_node *n,
		      void (*fn)(void *ctx, struct nft_node *n), void *ctx)
{
	fn(ctx, n);
	switch (n->kind) {
	case N_CONCAT:
	case N_JHASH:
	case N_SHIFT:
	case N_MAP:
	case N_VMAP:
	case N_SET_META:
	case N_SET_CT:
	case N_SET_PAYLOAD:
	case N_PREFIX:
		walk_list(r, n->left, fn, ctx);
		break;
	case N_LIMIT:
	case N_QUOTA:
		walk_list(r, n->right, fn, ctx);
		break;
	case N_MATCH:
	case N_NAT:
	case N_RANGE:
		walk_list(r, n->left, fn, ctx);
		walk_list(r, n->right, fn, ctx);
		break;
	case N_DYNSET:
	case N_BITWISE:
		walk_list(r, n->left, fn, ctx);
		walk_list(r, n->right, fn, ctx);
		walk_list(r, n->extra, fn, ctx);
		break;
	default:
		break;
	}
}

static void walk_list(const struct nft_rule *r, uint32_t at,
		      void (*fn)(void *ctx, struct nft_node *n), void *ctx)
{
	for (struct nft_node *n = at ? nft_at(r, at) : NULL; n; n = nft_next(r, n))
		walk_node(r, n, fn, ctx);
}

void nft_rule_walk(const struct nft_rule *r, void (*fn)(void *ctx, struct nft_node *n), void *ctx)
{
	walk_list(r, r->first, fn, ctx);
}

static bool has_set(const struct nft_node *n)
{
	return n->kind == N_SET || n->kind == N_MAP || n->kind == N_VMAP || n->kind == N_DYNSET;
}

void nft_elem_uses(struct nft_elem *e, int by)
{
	if (e->chain)
		e->chain->uses += (uint32_t)by;
}

static void count_uses(void *ctx, struct nft_node *n)
{
	int by = *(int *)ctx;
	if (n->kind == N_VERDICT && n->chain)
		n->chain->uses += (uint32_t)by;
	if (n->kind == N_OBJECT && n->object)
		n->object->uses += (uint32_t)by;
	if (!has_set(n))
		return;
	n->set->uses += (uint32_t)by;
	if (n->set->name)
		return;
	for (uint32_t i = 0; i < n->set->count; i++)
		nft_elem_uses(n->set->sorted[i], by);
	if (n->set->catch_all)
		nft_elem_uses(n->set->catch_all, by);
}

void nft_rule_uses(struct nft_rule *r, int by)
{
	nft_rule_walk(r, count_uses, &by);
}

static void free_sets(void *ctx, struct nft_node *n)
{
	(void)ctx;
	if (has_set(n) && !n->set->name)
		nft_set_free(n->set);
}

void nft_rule_free(struct nft_rule *r)
{
	if (!r)
		return;
	nft_rule_walk(r, free_sets, NULL);
	free(r);
}

/* Only of element statements, which own no sets. */
struct nft_rule *nft_rule_copy(const struct nft_rule *r)
{
	struct nft_rule *copy = mem_alloc(sizeof *r + r->size);
	memcpy(copy, r, sizeof *r + r->size);
	copy->link = (struct nft_link){ NULL, NULL };
	return copy;
}

uint64_t nft_limit_unit_ns(unsigned unit)
{
	static const uint64_t seconds[] = { 1, 60, 3600, 86400, 604800 };
	return seconds[unit] * (uint64_t)NS_PER_S;
}

/* A full bucket, in nanoseconds of rate: nft_limit.c, nft_limit_init. */
int64_t nft_limit_tokens(const struct nft_node *n)
{
	uint64_t unit = nft_limit_unit_ns(n->op), rate = n->number[0] ? n->number[0] : 1;
	unsigned __int128 full = (unsigned __int128)unit * n->number[1] / rate;
	if (n->flags & NL_BYTES)
		full += unit;
	return full > INT64_MAX ? INT64_MAX : (int64_t)full;
}

struct reset {
	const struct nft_rule *rule;
	int64_t now_ns;
};

static void reset_node(void *ctx, struct nft_node *n)
{
	const struct reset *reset = ctx;
	if (n->kind == N_LIMIT) {
		struct nft_node *state = nft_at(reset->rule, n->right);
		state->number[0] = (uint64_t)reset->now_ns;
		state->number[1] = (uint64_t)nft_limit_tokens(n);
	} else if (n->kind == N_NUMGEN) {
		n->number[0] = n->left - 1;
	} else if (n->kind == N_QUOTA) {
		n->number[1] = nft_at(reset->rule, n->right)->number[0];
	}
}

void nft_rule_reset(struct nft_rule *r, int64_t now_ns)
{
	struct reset reset = { r, now_ns };
	nft_rule_walk(r, reset_node, &reset);
}
