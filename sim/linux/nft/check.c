/* linux/nft/check.c: jumps must not loop, nor nest deeper than the kernel's stack.
 *
 * Only what a transaction adds can close a loop: the search starts from the chains that
 * its new rules and elements jump to. A chain is searched once a transaction.
 */
#include "linux/nft/internal.h"

#include <stdlib.h>

struct search {
	struct nft_ruleset *r;
	struct nft_chain *bad; /* on a loop, or too deep */
	unsigned height;       /* of the chain being searched */
};

static void visit(struct search *s, struct nft_chain *c);

static void edge(struct search *s, struct nft_chain *to)
{
	if (!to || s->bad)
		return;
	visit(s, to);
	if (to->height + 1u > s->height)
		s->height = to->height + 1u;
}

static void set_edges(struct search *s, const struct nft_set *set)
{
	void *value;
	if (set->data.field[0].type != NT_VERDICT)
		return;
	for (uint32_t i = 0; set->index.stride && table_next(&set->index, &i, NULL, &value);)
		edge(s, (*(struct nft_elem **)value)->chain);
	for (uint32_t i = 0; set->sorted && i < set->count; i++)
		edge(s, set->sorted[i]->chain);
	if (set->catch_all)
		edge(s, set->catch_all->chain);
}

static void visit(struct search *s, struct nft_chain *c)
{
	unsigned outer = s->height;
	if (c->entered) {
		s->bad = c;
		return;
	}
	if (c->searched == s->r->search)
		return;
	c->entered = true;
	s->height = 0;
	for (const struct nft_rule *r = nft_first_rule(c); r && !s->bad; r = nft_next_rule(r)) {
		for (const struct nft_node *n = nft_first(r); n; n = nft_next(r, n)) {
			if (n->kind == N_VERDICT)
				edge(s, n->chain);
			else if (n->kind == N_VMAP)
				set_edges(s, n->set);
		}
	}
	c->entered = false;
	c->searched = s->r->search;
	c->height = (uint8_t)(s->height > NFT_DEPTH ? NFT_DEPTH + 1u : s->height);
	if (c->height > NFT_DEPTH && !s->bad)
		s->bad = c;
	s->height = outer;
}

int nft_change_check(struct nft_change *c, struct err *err)
{
	struct search s = { .r = c->r };
	c->r->search++;
	for (uint32_t i = 0; i < c->count && !s.bad; i++) {
		const struct nft_undo *u = &c->log[i];
		if (u->kind == NU_ELEM_NEW)
			edge(&s, ((struct nft_elem *)u->object)->chain);
		if (u->kind != NU_RULE_NEW)
			continue;
		const struct nft_rule *r = u->object;
		for (const struct nft_node *n = nft_first(r); n; n = nft_next(r, n)) {
			if (n->kind == N_VERDICT)
				edge(&s, n->chain);
			else if (n->kind == N_VMAP)
				set_edges(&s, n->set);
		}
	}
	return s.bad ? err_set(err, EMLINK, "table %s: jumps through chain %s loop or nest deeper than "
			       "%u chains", s.bad->table->name, s.bad->name, NFT_DEPTH) : 0;
}
