/* linux/nft/ruleset.c: the ruleset, its tables and chains, and their hooks. */
#include "linux/nft/eval.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/conntrack.h"

struct nft_ruleset *nft_new(struct netns *ns)
{
	struct nft_ruleset *r = mem_alloc(sizeof *r);
	r->ns = ns;
	return r;
}

void nft_object_free(struct nft_object *o)
{
	free(o->kind);
	free(o->name);
	free(o->raw);
	free(o->comment);
	free(o);
}

void nft_chain_free(struct nft_chain *c)
{
	struct nft_rule *next;
	for (struct nft_rule *rule = nft_first_rule(c); rule; rule = next) {
		next = nft_next_rule(rule);
		nft_rule_free(rule);
	}
	nft_index_free(c->compiled);
	free(c->name);
	free(c->comment);
	free(c->raw);
	free(c);
}

void nft_table_free(struct nft_table *t)
{
	struct nft_chain *next_chain;
	struct nft_set *next_set;
	struct nft_object *next_object;
	for (struct nft_chain *c = nft_first_chain(t); c; c = next_chain) {
		next_chain = nft_next_chain(c);
		nft_chain_hook(c, false);
		nft_chain_free(c);
	}
	for (struct nft_set *s = nft_first_set(t); s; s = next_set) {
		next_set = nft_next_set(s);
		nft_set_free(s);
	}
	for (struct nft_object *o = nft_first_object(t); o; o = next_object) {
		next_object = nft_next_object(o);
		nft_object_free(o);
	}
	table_free(&t->chains_by_name);
	table_free(&t->sets_by_name);
	free(t->name);
	free(t->comment);
	free(t->raw);
	free(t->family_name);
	free(t);
}

void nft_free(struct nft_ruleset *r)
{
	struct nft_table *next;
	if (!r)
		return;
	for (struct nft_table *t = nft_first_table(r); t; t = next) {
		next = nft_next_table(t);
		nft_table_free(t);
	}
	for (uint16_t i = 0; i < r->file_count; i++)
		free(r->files[i]);
	free(r->files);
	free(r);
}

const char *nft_family_name(const struct nft_table *t)
{
	static const char *const names[] = { "ip", "ip6", "inet" };
	return t->family == NFT_OTHER ? t->family_name : names[t->family];
}

struct nft_table *nft_table_find(const struct nft_ruleset *r, const char *family, const char *name)
{
	for (struct nft_table *t = nft_first_table(r); t; t = nft_next_table(t))
		if (strcmp(t->name, name) == 0 && strcmp(nft_family_name(t), family) == 0)
			return t;
	return NULL;
}

struct nft_chain *nft_chain_find(const struct nft_table *t, const char *name)
{
	struct nft_chain **found = table_find(&t->chains_by_name, name);
	return found ? *found : NULL;
}

struct nft_set *nft_set_by_name(const struct nft_table *t, const char *name)
{
	struct nft_set **found = table_find(&t->sets_by_name, name);
	return found ? *found : NULL;
}

struct nft_object *nft_object_find(const struct nft_table *t, const char *kind, const char *name)
{
	for (struct nft_object *o = nft_first_object(t); o; o = nft_next_object(o))
		if (strcmp(o->kind, kind) == 0 && strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

uint16_t nft_file(struct nft_ruleset *r, const char *name)
{
	for (uint16_t i = 0; i < r->file_count; i++)
		if (strcmp(r->files[i], name) == 0)
			return i;
	if (r->file_count == UINT16_MAX)
		return r->file_count - 1;
	r->files = mem_grow(r->files, r->file_count, r->file_count + 1u, sizeof *r->files);
	r->files[r->file_count] = mem_strdup(name);
	return r->file_count++;
}

int64_t nft_now(const struct nft_ruleset *r)
{
	return r->ns ? engine_now(netns_env(r->ns)->engine) : 0;
}

static void hook_family(struct nft_chain *c, uint8_t family, bool on)
{
	struct netns *ns = c->table->r->ns;
	enum nf_hook hook = (enum nf_hook)c->hook;
	if (c->type == NCT_NAT && on)
		nat_register(ns, family, hook, c->priority, nft_chain_function, c);
	else if (c->type == NCT_NAT)
		nat_unregister(ns, family, hook, nft_chain_function, c);
	else if (on)
		hook_register(ns, family, hook, c->priority, nft_chain_function, c);
	else
		hook_unregister(ns, family, hook, nft_chain_function, c);
}

void nft_chain_hook(struct nft_chain *c, bool on)
{
	if (c->type == NCT_REGULAR || c->type == NCT_OTHER || c->hooked == on || !c->table->r->ns)
		return;
	c->hooked = on;
	if (c->table->family != NFT_IP6)
		hook_family(c, NET_V4, on);
	if (c->table->family != NFT_IP)
		hook_family(c, NET_V6, on);
}

uint64_t nft_rule_count(const struct nft_ruleset *r)
{
	return r->rules;
}

uint64_t nft_rules_evaluated(const struct nft_ruleset *r, uint64_t *policies, uint64_t *lookups)
{
	*policies = r->policies;
	*lookups = r->lookups;
	return r->rules_evaluated;
}

void nft_reset_state(struct nft_ruleset *r)
{
	int64_t now = nft_now(r);
	for (struct nft_table *t = nft_first_table(r); t; t = nft_next_table(t)) {
		for (struct nft_set *s = nft_first_set(t); s; s = nft_next_set(s))
			if (s->flags & (NS_DYNAMIC | NS_TIMEOUT))
				nft_set_purge(s, now, true);
		for (struct nft_chain *c = r->stateful ? nft_first_chain(t) : NULL; c;
		     c = nft_next_chain(c))
			for (struct nft_rule *rule = nft_first_rule(c); rule;
			     rule = nft_next_rule(rule))
				if (rule->stateful)
					nft_rule_reset(rule, now);
	}
}

int nft_evaluate(struct nft_ruleset *r, const char *table, const char *chain, bool compiled,
		 struct hook_state *state, enum nf_verdict *verdict)
{
	for (struct nft_table *t = nft_first_table(r); t; t = nft_next_table(t)) {
		struct nft_chain *c = nft_chain_find(t, chain);
		if (strcmp(t->name, table) != 0 || !c || c->type == NCT_REGULAR)
			continue;
		*verdict = nft_eval_chain(c, state, compiled);
		return 0;
	}
	return ENOENT;
}
