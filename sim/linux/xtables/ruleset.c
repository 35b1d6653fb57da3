/* linux/xtables/ruleset.c: tables, chains and the ruleset that holds them. */
#include "linux/xtables/internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "linux/conntrack.h"
#include "linux/ipset.h"

struct table_kind {
	const char *name;
	int priority[HOOK_COUNT]; /* NO_HOOK: no built-in chain there */
};

#define NO_HOOK INT_MIN

/* Hooks and priorities of the kernel's table modules (iptable_filter.c and its
 * kin); the order is that of xt_save. */
static const struct table_kind kinds[] = {
	{ "filter", { NO_HOOK, PRI_FILTER, PRI_FILTER, PRI_FILTER, NO_HOOK } },
	{ "nat", { PRI_NAT_DST, PRI_NAT_SRC, NO_HOOK, PRI_NAT_DST, PRI_NAT_SRC } },
	{ "mangle", { PRI_MANGLE, PRI_MANGLE, PRI_MANGLE, PRI_MANGLE, PRI_MANGLE } },
	{ "raw", { PRI_RAW, NO_HOOK, NO_HOOK, PRI_RAW, NO_HOOK } },
	{ "security", { NO_HOOK, PRI_SECURITY, PRI_SECURITY, PRI_SECURITY, NO_HOOK } },
};
#define KINDS (sizeof kinds / sizeof *kinds)

static const char *const builtin_names[HOOK_COUNT] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT",
						       "POSTROUTING" };

static int kind_index(const char *name)
{
	for (unsigned i = 0; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return (int)i;
	return -1;
}

bool table_name_known(const char *name)
{
	return kind_index(name) >= 0;
}

struct xt_table *ruleset_table(const struct xt_ruleset *x, const char *name)
{
	int i = kind_index(name);
	return i < 0 ? NULL : x->tables[i];
}

struct xt_chain *table_chain(const struct xt_table *t, const char *name)
{
	struct xt_chain **found = table_find(&t->chains, name);
	return found ? *found : NULL;
}

static void table_hooks(struct xt_table *t, bool add)
{
	const struct table_kind *k = &kinds[kind_index(t->name)];
	struct netns *ns = t->x->ns;
	bool nat = strcmp(t->name, "nat") == 0;
	uint8_t family = t->x->family;
	if (!ns || t->registered == add)
		return;
	for (int h = 0; h < HOOK_COUNT; h++) {
		if (k->priority[h] == NO_HOOK)
			continue;
		if (nat && add)
			nat_register(ns, family, (enum nf_hook)h, k->priority[h], xt_table_hook, t);
		else if (nat)
			nat_unregister(ns, family, (enum nf_hook)h, xt_table_hook, t);
		else if (add)
			hook_register(ns, family, (enum nf_hook)h, k->priority[h], xt_table_hook,
				      t);
		else
			hook_unregister(ns, family, (enum nf_hook)h, xt_table_hook, t);
	}
	t->registered = add;
}

static struct xt_chain *chain_new(struct xt_table *t, const char *name, int hook)
{
	struct xt_chain *c = mem_alloc(sizeof *c);
	strncpy(c->name, name, XT_NAME - 1);
	c->hook = (int8_t)hook;
	struct xt_chain **slot = table_put(&t->chains, c->name, NULL);
	*slot = c;
	return c;
}

struct xt_table *ruleset_add_table(struct xt_ruleset *x, const char *name, bool *created)
{
	int i = kind_index(name);
	*created = false;
	if (i < 0 || x->tables[i])
		return i < 0 ? NULL : x->tables[i];
	struct xt_table *t = mem_alloc(sizeof *t);
	t->x = x;
	strncpy(t->name, name, XT_NAME - 1);
	table_init(&t->chains, TABLE_STRING_KEYS, sizeof(struct xt_chain *));
	for (int h = 0; h < HOOK_COUNT; h++)
		if (kinds[i].priority[h] != NO_HOOK)
			t->builtin[h] = chain_new(t, builtin_names[h], h);
	x->tables[i] = t;
	*created = true;
	return t;
}

void ruleset_publish(struct xt_table *t)
{
	table_hooks(t, true);
}

static void rule_names(struct xt_ruleset *x, const struct xt_spec *spec, bool hold)
{
	for (const struct xt_record *r = spec_first(spec); r != spec_target(spec);
	     r = record_next(r)) {
		if (r->kind == XT_M_RECENT) {
			const char *name = match_recent_name(r);
			if (hold) {
				recent_hold(x->recent, name);
				recent_reserve(x->recent, name, match_recent_hitcount(r));
			} else {
				recent_drop(x->recent, name);
			}
		} else if (r->kind == XT_M_SET && x->ns) {
			struct ipset *s = ipset_find(netns_ipset(x->ns), match_set_name(r));
			if (s && hold)
				ipset_hold(s);
			else if (s)
				ipset_drop(s);
		}
	}
}

/* Connections are tracked once a rule asks for them: the kernel's checkentry functions of
 * these call nf_ct_netns_get. */
static bool wants_conntrack(const struct xt_spec *spec)
{
	uint8_t target = spec_target(spec)->kind;
	for (const struct xt_record *r = spec_first(spec); r != spec_target(spec);
	     r = record_next(r))
		if (r->kind == XT_M_CONNTRACK || r->kind == XT_M_STATE || r->kind == XT_M_CONNMARK)
			return true;
	return target == XT_T_CONNMARK || target == XT_T_CT || target == XT_T_NOTRACK;
}

void rule_acquire(struct xt_ruleset *x, const struct xt_rule *rule)
{
	if (x->ns && !netns_conntrack_if_any(x->ns) && wants_conntrack(rule->spec))
		netns_conntrack(x->ns);
	rule_names(x, rule->spec, true);
}

void rule_release(struct xt_ruleset *x, struct xt_rule *rule)
{
	rule_names(x, rule->spec, false);
	pool_drop(&x->pool, rule->spec);
	free_states(rule);
}

void free_states(struct xt_rule *rule)
{
	free(rule->states);
	rule->states = NULL;
}

void chain_free(struct xt_ruleset *x, struct xt_chain *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		rule_release(x, &c->rules[i]);
	free(c->rules);
	rule_index_free(c->index);
	free(c);
}

void table_drop(struct xt_table *t)
{
	void *value;
	table_hooks(t, false);
	for (uint32_t i = 0; table_next(&t->chains, &i, NULL, &value);)
		chain_free(t->x, *(struct xt_chain **)value);
	table_free(&t->chains);
	t->x->tables[kind_index(t->name)] = NULL;
	free(t);
}

struct xt_ruleset *xt_new(struct netns *ns, uint8_t family)
{
	struct xt_ruleset *x = mem_alloc(sizeof *x);
	x->ns = ns;
	x->family = family;
	x->recent = recent_new();
	return x;
}

void xt_free(struct xt_ruleset *x)
{
	if (!x)
		return;
	for (unsigned i = 0; i < KINDS; i++)
		if (x->tables[i])
			table_drop(x->tables[i]);
	for (unsigned i = 0; i < x->file_count; i++)
		free(x->files[i]);
	free(x->files);
	if (x->parse)
		parse_free(x->parse);
	recent_free(x->recent);
	pool_free(&x->pool);
	free(x);
}

uint16_t ruleset_file(struct xt_ruleset *x, const char *name)
{
	if (!name)
		name = "";
	for (uint16_t i = 0; i < x->file_count; i++)
		if (strcmp(x->files[i], name) == 0)
			return i;
	if (x->file_count == UINT16_MAX)
		return 0;
	x->files = mem_grow(x->files, x->file_count, x->file_count + 1u, sizeof *x->files);
	x->files[x->file_count] = mem_strdup(name);
	return x->file_count++;
}

static int by_name(const void *a, const void *b)
{
	const struct xt_chain *const *x = a, *const *y = b;
	if ((*x)->hook >= 0 || (*y)->hook >= 0)
		return (*x)->hook >= 0 && (*y)->hook >= 0 ? (*x)->hook - (*y)->hook :
		       (*x)->hook >= 0 ? -1 : 1;
	return strcmp((*x)->name, (*y)->name);
}

struct xt_chain **table_sorted(const struct xt_table *t, uint32_t *count)
{
	struct xt_chain **all = mem_array(t->chains.count ? t->chains.count : 1, sizeof *all);
	uint32_t n = 0;
	void *value;
	for (uint32_t i = 0; table_next(&t->chains, &i, NULL, &value);)
		all[n++] = *(struct xt_chain **)value;
	qsort(all, n, sizeof *all, by_name);
	*count = n;
	return all;
}

uint64_t xt_rule_count(const struct xt_ruleset *x)
{
	return x->rules;
}

uint64_t xt_rules_evaluated(const struct xt_ruleset *x, uint64_t *policies)
{
	if (policies)
		*policies = x->policies;
	return x->rules_evaluated;
}

uint64_t xt_set_lookups(const struct xt_ruleset *x)
{
	return x->set_lookups;
}

struct recent *xt_recent(struct xt_ruleset *x)
{
	return x->recent;
}

void xt_reset_state(struct xt_ruleset *x)
{
	void *value;
	recent_flush(x->recent);
	for (unsigned k = 0; k < KINDS; k++) {
		if (!x->tables[k])
			continue;
		for (uint32_t i = 0; table_next(&x->tables[k]->chains, &i, NULL, &value);) {
			struct xt_chain *c = *(struct xt_chain **)value;
			for (uint32_t r = 0; r < c->count; r++)
				rule_states_init(x, &c->rules[r]);
		}
	}
}

void xt_unknown(const struct xt_ruleset *x, struct strbuf *out)
{
	for (unsigned k = 0; k < KINDS; k++) {
		if (!x->tables[k])
			continue;
		uint32_t count;
		struct xt_chain **chains = table_sorted(x->tables[k], &count);
		for (uint32_t c = 0; c < count; c++)
			for (uint32_t i = 0; i < chains[c]->count; i++)
				print_unknown(x, &chains[c]->rules[i], out);
		free(chains);
	}
}
