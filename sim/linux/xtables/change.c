/* linux/xtables/change.c: transactions on one table, see internal.h. */
#include "linux/xtables/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

int change_begin(struct xt_change *c, struct xt_ruleset *x, const char *table)
{
	*c = (struct xt_change){ 0 };
	c->table = ruleset_add_table(x, table, &c->table_created);
	return c->table ? 0 : EINVAL;
}

uint32_t change_rule_count(const struct xt_chain *chain)
{
	return chain->staged ? chain->staged->count : chain->count;
}

struct xt_rule *change_rules(const struct xt_chain *chain)
{
	return chain->staged ? chain->staged->rules : chain->rules;
}

/* A staged chain without rules; the caller fills it. */
static struct xt_staged *stage_empty(struct xt_change *c, struct xt_chain *chain)
{
	struct xt_staged *s = mem_alloc(sizeof *s);
	s->chain = chain;
	s->drop = chain->drop;
	if (c->count == c->capacity) {
		uint32_t capacity = c->capacity ? c->capacity * 2 : 64;
		c->staged = mem_grow(c->staged, c->capacity, capacity, sizeof *c->staged);
		c->capacity = capacity;
	}
	c->staged[c->count++] = s;
	chain->staged = s;
	return s;
}

struct xt_staged *change_touch(struct xt_change *c, struct xt_chain *chain)
{
	if (chain->staged)
		return chain->staged;
	struct xt_staged *s = stage_empty(c, chain);
	s->count = s->capacity = chain->count;
	if (chain->count) {
		s->rules = mem_array(s->capacity, sizeof *s->rules);
		memcpy(s->rules, chain->rules, chain->count * sizeof *s->rules);
	}
	return s;
}

struct xt_chain *change_create(struct xt_change *c, const char *name)
{
	struct xt_chain *chain = mem_alloc(sizeof *chain);
	strncpy(chain->name, name, XT_NAME - 1);
	chain->hook = -1;
	struct xt_chain **slot = table_put(&c->table->chains, chain->name, NULL);
	*slot = chain;
	stage_empty(c, chain)->created = true;
	return chain;
}

/* The name is free at once; the chain itself goes at commit. */
void change_delete(struct xt_change *c, struct xt_chain *chain)
{
	struct xt_staged *s = change_touch(c, chain);
	assert(s->count == 0);
	s->deleted = true;
	table_remove(&c->table->chains, chain->name);
}

void change_rename(struct xt_change *c, struct xt_chain *chain, const char *name)
{
	struct xt_staged *s = change_touch(c, chain);
	table_remove(&c->table->chains, chain->name);
	if (!s->renamed_from[0])
		memcpy(s->renamed_from, chain->name, XT_NAME);
	memset(chain->name, 0, XT_NAME);
	strncpy(chain->name, name, XT_NAME - 1);
	struct xt_chain **slot = table_put(&c->table->chains, chain->name, NULL);
	*slot = chain;
}

void change_insert(struct xt_change *c, struct xt_chain *chain, uint32_t at,
		   const struct xt_rule *rule)
{
	struct xt_staged *s = change_touch(c, chain);
	assert(at <= s->count);
	if (s->count == s->capacity) {
		uint32_t capacity = s->capacity ? s->capacity * 2 : 2;
		s->rules = mem_grow(s->rules, s->capacity, capacity, sizeof *s->rules);
		s->capacity = capacity;
	}
	memmove(&s->rules[at + 1], &s->rules[at], (s->count - at) * sizeof *s->rules);
	s->rules[at] = *rule;
	s->rules[at].fresh = 1;
	s->count++;
	if (rule->jump)
		rule->jump->references++;
	rule_acquire(c->table->x, rule);
}

static void remove_later(struct xt_staged *s, const struct xt_rule *rule)
{
	if (s->removed_count == s->removed_capacity) {
		uint32_t capacity = s->removed_capacity ? s->removed_capacity * 2 : 4;
		s->removed = mem_grow(s->removed, s->removed_capacity, capacity,
				      sizeof *s->removed);
		s->removed_capacity = capacity;
	}
	s->removed[s->removed_count++] = *rule;
}

static void take_out(struct xt_change *c, struct xt_staged *s, struct xt_rule *rule)
{
	if (rule->jump)
		rule->jump->references--;
	if (rule->fresh)
		rule_release(c->table->x, rule);
	else
		remove_later(s, rule);
}

void change_remove(struct xt_change *c, struct xt_chain *chain, uint32_t at)
{
	struct xt_staged *s = change_touch(c, chain);
	assert(at < s->count);
	take_out(c, s, &s->rules[at]);
	memmove(&s->rules[at], &s->rules[at + 1], (s->count - at - 1) * sizeof *s->rules);
	s->count--;
}

void change_flush(struct xt_change *c, struct xt_chain *chain)
{
	if (!change_rule_count(chain))
		return;
	struct xt_staged *s = change_touch(c, chain);
	for (uint32_t i = 0; i < s->count; i++)
		take_out(c, s, &s->rules[i]);
	s->count = 0;
}

void change_zero(struct xt_change *c, struct xt_chain *chain)
{
	struct xt_staged *s = change_touch(c, chain);
	for (uint32_t i = 0; i < s->count; i++)
		s->rules[i].packets = s->rules[i].bytes = 0;
	s->counters_set = true;
	s->packets = s->bytes = 0;
}

void change_clear(struct xt_change *c)
{
	uint32_t count;
	struct xt_chain **all = table_sorted(c->table, &count);
	for (uint32_t i = 0; i < count; i++)
		change_flush(c, all[i]);
	for (uint32_t i = 0; i < count; i++)
		if (all[i]->hook < 0)
			change_delete(c, all[i]);
	free(all);
}

struct loop_frame {
	struct xt_chain *chain;
	uint32_t at;
};

/* Depth-first from one chain; `x->search` is "done", `x->search - 1` "on the path". */
static const struct xt_chain *loop_from(struct xt_ruleset *x, struct xt_chain *start,
					struct loop_frame **stack, uint32_t *capacity)
{
	uint32_t depth = 0, done = x->search, open = x->search - 1;
	if (start->entered == done)
		return NULL;
	(*stack)[depth++] = (struct loop_frame){ start, 0 };
	start->entered = open;
	while (depth) {
		struct loop_frame *f = &(*stack)[depth - 1];
		if (f->at == change_rule_count(f->chain)) {
			f->chain->entered = done;
			depth--;
			continue;
		}
		struct xt_chain *to = change_rules(f->chain)[f->at++].jump;
		if (!to || to->entered == done)
			continue;
		if (to->entered == open)
			return to;
		to->entered = open;
		if (depth == *capacity) {
			*stack = mem_grow(*stack, *capacity, *capacity * 2, sizeof **stack);
			*capacity *= 2;
		}
		(*stack)[depth++] = (struct loop_frame){ to, 0 };
	}
	return NULL;
}

/* The kernel walks from the built-in chains (mark_source_chains), so a loop that no
 * packet can enter is let in; here, too, it is only looked for from touched chains
 * that hold fresh jumps, and refused everywhere. */
const struct xt_chain *change_loop(struct xt_change *c)
{
	struct xt_ruleset *x = c->table->x;
	uint32_t capacity = 64;
	struct loop_frame *stack = mem_array(capacity, sizeof *stack);
	const struct xt_chain *loop = NULL;
	x->search += 2;
	for (uint32_t i = 0; i < c->count && !loop; i++) {
		struct xt_staged *s = c->staged[i];
		bool jumps = false;
		for (uint32_t r = 0; r < s->count && !jumps; r++)
			jumps = s->rules[r].fresh && s->rules[r].jump;
		if (jumps && !s->deleted && s->chain->references)
			loop = loop_from(x, s->chain, &stack, &capacity);
	}
	free(stack);
	return loop;
}

static void staged_free(struct xt_staged *s)
{
	s->chain->staged = NULL;
	free(s->removed);
	free(s);
}

static void commit_chain(struct xt_ruleset *x, struct xt_staged *s)
{
	struct xt_chain *chain = s->chain;
	for (uint32_t i = 0; i < s->removed_count; i++)
		rule_release(x, &s->removed[i]);
	x->rules += s->count;
	x->rules -= chain->count;
	free(chain->rules);
	rule_index_free(chain->index);
	chain->index = NULL;
	chain->rules = s->rules;
	chain->count = s->count;
	chain->capacity = s->capacity;
	for (uint32_t i = 0; i < s->count; i++)
		chain->rules[i].fresh = 0;
	if (s->policy_set)
		chain->drop = s->drop;
	if (s->counters_set) {
		chain->packets = s->packets;
		chain->bytes = s->bytes;
	}
	bool deleted = s->deleted;
	staged_free(s);
	if (deleted)
		chain_free(x, chain);
}

void change_commit(struct xt_change *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		commit_chain(c->table->x, c->staged[i]);
	free(c->staged);
	ruleset_publish(c->table);
	*c = (struct xt_change){ 0 };
}

static void abort_chain(struct xt_change *c, struct xt_staged *s)
{
	struct xt_chain *chain = s->chain;
	struct table *chains = &c->table->chains;
	for (uint32_t i = 0; i < s->count; i++) {
		if (!s->rules[i].fresh)
			continue;
		if (s->rules[i].jump)
			s->rules[i].jump->references--;
		rule_release(c->table->x, &s->rules[i]);
	}
	for (uint32_t i = 0; i < s->removed_count; i++)
		if (s->removed[i].jump)
			s->removed[i].jump->references++;
	free(s->rules);
	if (!s->deleted)
		table_remove(chains, chain->name);
}

/* Names first go, then come back: a transaction may have moved a name from one chain
 * to another. */
void change_abort(struct xt_change *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		abort_chain(c, c->staged[i]);
	for (uint32_t i = 0; i < c->count; i++) {
		struct xt_staged *s = c->staged[i];
		struct xt_chain *chain = s->chain;
		bool created = s->created;
		if (s->renamed_from[0])
			memcpy(chain->name, s->renamed_from, XT_NAME);
		staged_free(s);
		if (created) {
			free(chain);
			continue;
		}
		struct xt_chain **slot = table_put(&c->table->chains, chain->name, NULL);
		*slot = chain;
	}
	free(c->staged);
	if (c->table_created)
		table_drop(c->table);
	*c = (struct xt_change){ 0 };
}
