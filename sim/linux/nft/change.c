/* linux/nft/change.c: the undo log of a transaction.
 *
 * What is taken out stays in memory until the transaction ends; what was put in is freed
 * when it fails. Undoing in reverse order finds every list as it was left, so that an
 * object returns to its place. Hooks follow at the end, in the order of the changes.
 */
#include "linux/nft/eval.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

void nft_list_put(struct nft_list *l, struct nft_link *after, void *object)
{
	struct nft_link *o = object, *before = after ? after->next : l->first;
	o->prev = after;
	o->next = before;
	if (after)
		after->next = o;
	else
		l->first = o;
	if (before)
		before->prev = o;
	else
		l->last = o;
}

static void list_take(struct nft_list *l, void *object)
{
	struct nft_link *o = object;
	if (o->prev)
		o->prev->next = o->next;
	else
		l->first = o->next;
	if (o->next)
		o->next->prev = o->prev;
	else
		l->last = o->prev;
}

void nft_change_begin(struct nft_change *c, struct nft_ruleset *r)
{
	*c = (struct nft_change){ .r = r };
}

static struct nft_undo *note(struct nft_change *c, enum nft_undo_kind kind, void *owner,
			     void *object)
{
	if (c->count == c->capacity) {
		uint32_t want = c->capacity ? c->capacity * 2 : 16;
		c->log = mem_grow(c->log, c->capacity, want, sizeof *c->log);
		c->capacity = want;
	}
	c->log[c->count] = (struct nft_undo){ .kind = (uint8_t)kind, .owner = owner,
					      .object = object };
	return &c->log[c->count++];
}

/* ---- what each change does, forward and back -------------------------------------------- */

static void put_table(struct nft_ruleset *r, struct nft_table *t, struct nft_link *after)
{
	nft_list_put(&r->tables, after, t);
}

static void put_chain(struct nft_chain *c, struct nft_link *after)
{
	nft_list_put(&c->table->chains, after, c);
	*(struct nft_chain **)table_put(&c->table->chains_by_name, c->name, NULL) = c;
	c->dead = false;
}

static void take_chain(struct nft_chain *c)
{
	list_take(&c->table->chains, c);
	table_remove(&c->table->chains_by_name, c->name);
	c->dead = true;
}

static void put_set(struct nft_set *s, struct nft_link *after)
{
	nft_list_put(&s->table->sets, after, s);
	*(struct nft_set **)table_put(&s->table->sets_by_name, s->name, NULL) = s;
}

static void take_set(struct nft_set *s)
{
	list_take(&s->table->sets, s);
	table_remove(&s->table->sets_by_name, s->name);
}

static void stale(struct nft_chain *chain)
{
	nft_index_free(chain->compiled);
	chain->compiled = NULL;
}

static void put_rule(struct nft_ruleset *r, struct nft_chain *chain, struct nft_rule *rule,
		     struct nft_link *after)
{
	nft_list_put(&chain->rules, after, rule);
	rule->chain = chain;
	chain->count++;
	r->rules++;
	r->stateful += rule->stateful;
	nft_rule_uses(rule, 1);
	stale(chain);
}

static void take_rule(struct nft_ruleset *r, struct nft_chain *chain, struct nft_rule *rule)
{
	list_take(&chain->rules, rule);
	chain->count--;
	r->rules--;
	r->stateful -= rule->stateful;
	nft_rule_uses(rule, -1);
	stale(chain);
}

static void put_elem(struct nft_set *s, struct nft_elem *e)
{
	nft_set_put(s, e);
	nft_elem_uses(e, 1);
}

static void take_elem(struct nft_set *s, struct nft_elem *e)
{
	nft_set_take(s, e);
	nft_elem_uses(e, -1);
}

/* ---- changes ------------------------------------------------------------------------------- */

void nft_add_table(struct nft_change *c, struct nft_table *t)
{
	t->r = c->r;
	t->handle = ++c->r->handles;
	put_table(c->r, t, c->r->tables.last);
	note(c, NU_TABLE_NEW, c->r, t);
}

void nft_delete_table(struct nft_change *c, struct nft_table *t)
{
	for (struct nft_chain *chain = nft_first_chain(t); chain; chain = nft_next_chain(chain))
		nft_flush_chain(c, chain);
	while (t->sets.first) {
		struct nft_set *s = nft_first_set(t);
		nft_flush_set(c, s);
		nft_delete_set(c, s);
	}
	while (t->chains.first)
		nft_delete_chain(c, nft_first_chain(t));
	while (t->objects.first)
		nft_delete_object(c, nft_first_object(t));
	note(c, NU_TABLE_GONE, c->r, t)->after = t->link.prev;
	list_take(&c->r->tables, t);
}

void nft_set_dormant(struct nft_change *c, struct nft_table *t, bool dormant)
{
	if (t->dormant == dormant)
		return;
	note(c, NU_TABLE_DORMANT, t, NULL)->old = t->dormant;
	t->dormant = dormant;
}

void nft_add_chain(struct nft_change *c, struct nft_chain *chain)
{
	chain->handle = ++c->r->handles;
	put_chain(chain, chain->table->chains.last);
	note(c, NU_CHAIN_NEW, chain->table, chain);
}

int nft_delete_chain(struct nft_change *c, struct nft_chain *chain)
{
	if (chain->uses)
		return EBUSY;
	nft_flush_chain(c, chain);
	note(c, NU_CHAIN_GONE, chain->table, chain)->after = chain->link.prev;
	take_chain(chain);
	return 0;
}

void nft_set_policy(struct nft_change *c, struct nft_chain *chain, bool drop)
{
	if (chain->drop == drop)
		return;
	note(c, NU_CHAIN_POLICY, chain, NULL)->old = chain->drop;
	chain->drop = drop;
}

void nft_add_rule(struct nft_change *c, struct nft_chain *chain, struct nft_rule *after,
		  struct nft_rule *rule)
{
	rule->handle = ++c->r->handles;
	put_rule(c->r, chain, rule, after ? &after->link : NULL);
	note(c, NU_RULE_NEW, chain, rule);
}

void nft_delete_rule(struct nft_change *c, struct nft_rule *rule)
{
	note(c, NU_RULE_GONE, rule->chain, rule)->after = rule->link.prev;
	take_rule(c->r, rule->chain, rule);
}

void nft_flush_chain(struct nft_change *c, struct nft_chain *chain)
{
	while (chain->rules.last)
		nft_delete_rule(c, (struct nft_rule *)chain->rules.last);
}

void nft_add_set(struct nft_change *c, struct nft_set *s)
{
	s->handle = ++c->r->handles;
	put_set(s, s->table->sets.last);
	note(c, NU_SET_NEW, s->table, s);
}

int nft_delete_set(struct nft_change *c, struct nft_set *s)
{
	if (s->uses)
		return EBUSY;
	nft_flush_set(c, s);
	note(c, NU_SET_GONE, s->table, s)->after = s->link.prev;
	take_set(s);
	return 0;
}

void nft_set_dynamic(struct nft_change *c, struct nft_set *s)
{
	if ((s->flags & NS_DYNAMIC) && s->limit)
		return;
	note(c, NU_SET_DYNAMIC, s, NULL)->old = (uint64_t)s->limit << 32 | s->flags;
	s->flags |= NS_DYNAMIC;
	if (!s->limit)
		s->limit = UINT16_MAX;
}

void nft_add_object(struct nft_change *c, struct nft_object *o)
{
	o->handle = ++c->r->handles;
	nft_list_put(&o->table->objects, o->table->objects.last, o);
	note(c, NU_OBJECT_NEW, o->table, o);
}

int nft_delete_object(struct nft_change *c, struct nft_object *o)
{
	if (o->uses)
		return EBUSY;
	note(c, NU_OBJECT_GONE, o->table, o)->after = o->link.prev;
	list_take(&o->table->objects, o);
	return 0;
}

void nft_add_elem(struct nft_change *c, struct nft_set *s, struct nft_elem *e)
{
	put_elem(s, e);
	note(c, NU_ELEM_NEW, s, e);
}

void nft_delete_elem(struct nft_change *c, struct nft_set *s, struct nft_elem *e)
{
	take_elem(s, e);
	note(c, NU_ELEM_GONE, s, e);
}

void nft_flush_set(struct nft_change *c, struct nft_set *s)
{
	void *value;
	for (uint32_t i = 0; s->index.stride && table_next(&s->index, &i, NULL, &value);)
		nft_delete_elem(c, s, *(struct nft_elem **)value);
	while (!nft_set_hashed(s) && s->count)
		nft_delete_elem(c, s, s->sorted[s->count - 1]);
	if (s->catch_all)
		nft_delete_elem(c, s, s->catch_all);
}

/* ---- the end -----------------------------------------------------------------------------------
 */

static void undo(struct nft_change *c, const struct nft_undo *u)
{
	struct nft_set *s = u->owner;
	switch (u->kind) {
	case NU_TABLE_NEW:
		list_take(&c->r->tables, u->object);
		nft_table_free(u->object);
		break;
	case NU_TABLE_GONE:
		put_table(c->r, u->object, u->after);
		break;
	case NU_TABLE_DORMANT:
		((struct nft_table *)u->owner)->dormant = u->old;
		break;
	case NU_CHAIN_NEW:
		take_chain(u->object);
		nft_chain_free(u->object);
		break;
	case NU_CHAIN_GONE:
		put_chain(u->object, u->after);
		break;
	case NU_CHAIN_POLICY:
		((struct nft_chain *)u->owner)->drop = u->old;
		break;
	case NU_RULE_NEW:
		take_rule(c->r, u->owner, u->object);
		nft_rule_free(u->object);
		break;
	case NU_RULE_GONE:
		put_rule(c->r, u->owner, u->object, u->after);
		break;
	case NU_SET_NEW:
		take_set(u->object);
		nft_set_free(u->object);
		break;
	case NU_SET_GONE:
		put_set(u->object, u->after);
		break;
	case NU_SET_DYNAMIC:
		s->flags = (uint32_t)u->old;
		s->limit = (uint32_t)(u->old >> 32);
		break;
	case NU_OBJECT_NEW:
		list_take(&((struct nft_table *)u->owner)->objects, u->object);
		nft_object_free(u->object);
		break;
	case NU_OBJECT_GONE:
		nft_list_put(&((struct nft_table *)u->owner)->objects, u->after, u->object);
		break;
	case NU_ELEM_NEW:
		take_elem(s, u->object);
		nft_elem_free(u->object);
		break;
	case NU_ELEM_GONE:
		put_elem(s, u->object);
		break;
	}
}

void nft_change_abort(struct nft_change *c)
{
	while (c->count)
		undo(c, &c->log[--c->count]);
	free(c->log);
	c->log = NULL;
}

static void update_hooks(const struct nft_undo *u)
{
	struct nft_table *t = u->owner;
	if (u->kind == NU_CHAIN_NEW) {
		struct nft_chain *c = u->object;
		if (!c->dead && !c->table->dormant)
			nft_chain_hook(c, true);
	} else if (u->kind == NU_CHAIN_GONE) {
		nft_chain_hook(u->object, false);
	} else if (u->kind == NU_TABLE_DORMANT) {
		for (struct nft_chain *c = nft_first_chain(t); c; c = nft_next_chain(c))
			nft_chain_hook(c, !t->dormant);
	}
}

static void free_gone(const struct nft_undo *u)
{
	switch (u->kind) {
	case NU_TABLE_GONE:
		nft_table_free(u->object);
		break;
	case NU_CHAIN_GONE:
		nft_chain_free(u->object);
		break;
	case NU_RULE_GONE:
		nft_rule_free(u->object);
		break;
	case NU_SET_GONE:
		nft_set_free(u->object);
		break;
	case NU_OBJECT_GONE:
		nft_object_free(u->object);
		break;
	case NU_ELEM_GONE:
		nft_elem_free(u->object);
		break;
	default:
		break;
	}
}

void nft_change_commit(struct nft_change *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		update_hooks(&c->log[i]);
	for (uint32_t i = 0; i < c->count; i++)
		free_gone(&c->log[i]);
	free(c->log);
	c->log = NULL;
}
