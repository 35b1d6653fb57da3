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
	unsigned depth;        /* chains entered on the way to it */
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

/* A named map is searched once a transaction, too. */
static void set_edges(struct search *s, struct nft_set *set)
{
	unsigned outer = s->height;
	void *value;
	if (set->data.field[0].type != NT_VERDICT)
		return;
	if (set->name && set->searched == s->r->search) {
		s->height = set->height > outer ? set->height : outer;
		return;
	}
	s->height = 0;
	for (uint32_t i = 0; set->index.stride && table_next(&set->index, &i, NULL, &value);)
		edge(s, (*(struct nft_elem **)value)->chain);
	for (uint32_t i = 0; set->sorted && i < set->count; i++)
		edge(s, set->sorted[i]->chain);
	if (set->catch_all)
		edge(s, set->catch_all->chain);
	set->height = (uint8_t)s->height;
	set->searched = s->r->search;
	if (outer > s->height)
		s->height = outer;
}

static void visit(struct search *s, struct nft_chain *c)
{
	unsigned outer = s->height;
	if (c->searched == s->r->search && !c->entered)
		return;
	if (c->entered || s->depth > NFT_DEPTH) {
		s->bad = c;
		return;
	}
	c->entered = true;
	s->depth++;
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
	s->depth--;
	c->searched = s->r->search;
	c->height = (uint8_t)(s->height > NFT_DEPTH ? NFT_DEPTH + 1u : s->height);
	if (c->height > NFT_DEPTH && !s->bad)
		s->bad = c;
	s->height = outer;
}

/* The kernel's validate functions of nat statements. Only rules of base chains are looked
 * at: a regular chain may be reached from several. */
static bool nat_fits(const struct nft_chain *c, const struct nft_node *n)
{
	if (c->type == NCT_REGULAR || c->type == NCT_OTHER || n->kind != N_NAT)
		return true;
	if (c->type != NCT_NAT)
		return false;
	switch (n->op) {
	case NAT_OP_MASQUERADE:
		return c->hook == HOOK_POSTROUTING;
	case NAT_OP_SNAT:
		return c->hook == HOOK_POSTROUTING || c->hook == HOOK_INPUT;
	default:
		return c->hook == HOOK_PREROUTING || c->hook == HOOK_OUTPUT;
	}
}

static int check_rule(struct search *s, const struct nft_rule *r, struct err *err)
{
	static const char *const names[] = { "dnat", "snat", "masquerade", "redirect" };
	for (const struct nft_node *n = nft_first(r); n; n = nft_next(r, n)) {
		if (!nat_fits(r->chain, n))
			return err_set(err, EOPNOTSUPP,
				       "table %s: chain %s is of a type or hook without "
				       "%s",
				       r->chain->table->name, r->chain->name, names[n->op]);
		if (n->kind == N_VERDICT)
			edge(s, n->chain);
		else if (n->kind == N_VMAP)
			set_edges(s, n->set);
	}
	return 0;
}

int nft_change_check(struct nft_change *c, struct err *err)
{
	struct search s = { .r = c->r };
	c->r->search++;
	for (uint32_t i = 0; i < c->count && !s.bad; i++) {
		const struct nft_undo *u = &c->log[i];
		int code = u->kind == NU_RULE_NEW ? check_rule(&s, u->object, err) : 0;
		if (code)
			return code;
		if (u->kind == NU_ELEM_NEW)
			edge(&s, ((struct nft_elem *)u->object)->chain);
	}
	return s.bad ? err_set(err, EMLINK,
			       "table %s: jumps through chain %s loop or nest deeper than "
			       "%u chains",
			       s.bad->table->name, s.bad->name, NFT_DEPTH)
		     : 0;
}
