/* kubeproxy/snapshot.c: see snapshot.h. */
#include "dataplanes/kubeproxy/snapshot.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- chunks ------------------------------------------------------------------------- */

static bool plain(const struct service *s)
{
	for (uint32_t i = 0; i < s->port_count; i++)
		if (!s->ports[i].same_everywhere || s->ports[i].range_count)
			return false;
	return true;
}

struct chunk *chunk_new(struct service *const items[], uint32_t count)
{
	struct chunk *c = mem_alloc(sizeof *c + count * sizeof *items);
	assert(count > 0);
	c->references = 1;
	c->count = count;
	c->leaves = 1;
	memcpy(c->items, items, count * sizeof *items);
	for (uint32_t i = 0; i < count; i++) {
		c->marks |= plain(items[i]) ? 0 : MARK_VARIED;
		for (uint32_t k = 0; k < items[i]->port_count; k++) {
			const struct service_port *p = &items[i]->ports[k];
			c->endpoint_count += p->distinct_count;
			c->marks |= p->range_count ? MARK_RANGES : 0;
			c->marks |= p->health_check_node_port ? MARK_HEALTH : 0;
		}
	}
	return c;
}

struct chunk *chunk_ref(struct chunk *c)
{
	c->references++;
	return c;
}

void chunk_unref(struct chunk *c)
{
	if (!c || --c->references)
		return;
	for (uint32_t i = 0; i < c->count && !c->left; i++)
		service_unref(c->items[i]);
	chunk_unref(c->left);
	chunk_unref(c->right);
	variants_free(c->variants);
	free(c);
}

struct variant *chunk_variant(struct chunk *c, uint32_t context, uint32_t start, uint32_t count)
{
	uint8_t run[2] = { (uint8_t)start, (uint8_t)count };
	struct variant_key key = { context, sizeof run, run };
	struct variant *v = variant_find(c->variants, &key);
	return v ? v : variant_add(&c->variants, &key);
}

/* ---- balance: an AVL tree with all its services in the leaves --------------------------- */

static struct chunk *joint(struct chunk *left, struct chunk *right)
{
	struct chunk *c = mem_alloc(sizeof *c);
	*c = (struct chunk){ .references = 1, .left = left, .right = right,
			     .count = left->count + right->count,
			     .leaves = left->leaves + right->leaves,
			     .marks = left->marks | right->marks,
			     .endpoint_count = left->endpoint_count + right->endpoint_count };
	c->height = 1 + (left->height > right->height ? left->height : right->height);
	return c;
}

/* Gives up a joint for its two. */
static void part(struct chunk *c, struct chunk **left, struct chunk **right)
{
	*left = chunk_ref(c->left);
	*right = chunk_ref(c->right);
	chunk_unref(c);
}

/* A joint of two whose heights differ by two at most. */
static struct chunk *balanced(struct chunk *left, struct chunk *right)
{
	struct chunk *a, *b, *c, *d;
	if (left->height > right->height + 1) {
		part(left, &a, &b);
		if (a->height >= b->height)
			return joint(a, joint(b, right));
		part(b, &c, &d);
		return joint(joint(a, c), joint(d, right));
	}
	if (right->height > left->height + 1) {
		part(right, &a, &b);
		if (b->height >= a->height)
			return joint(joint(left, a), b);
		part(a, &c, &d);
		return joint(joint(left, c), joint(d, b));
	}
	return joint(left, right);
}

struct chunk *chunk_join(struct chunk *left, struct chunk *right)
{
	struct chunk *a, *b;
	if (!left || !right)
		return left ? left : right;
	if (left->height > right->height + 1) {
		part(left, &a, &b);
		return balanced(a, chunk_join(b, right));
	}
	if (right->height > left->height + 1) {
		part(right, &a, &b);
		return balanced(chunk_join(left, a), b);
	}
	return joint(left, right);
}

const struct service *chunk_first(const struct chunk *c)
{
	while (c->left)
		c = c->left;
	return c->items[0];
}

const struct chunk *chunk_leaf(const struct chunk *c, uint32_t number)
{
	if (!c || number >= c->leaves)
		return NULL;
	while (c->left) {
		bool right = number >= c->left->leaves;
		number -= right ? c->left->leaves : 0;
		c = right ? c->right : c->left;
	}
	return c;
}

/* ---- snapshots ------------------------------------------------------------------------ */

struct snapshot *snapshot_new(struct chunk *root)
{
	struct snapshot *s = mem_alloc(sizeof *s);
	s->references = 1;
	s->root = root;
	s->count = root ? root->count : 0;
	s->endpoint_count = root ? root->endpoint_count : 0;
	return s;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
	s->references++;
	return s;
}

void snapshot_unref(struct snapshot *s)
{
	if (!s || --s->references)
		return;
	chunk_unref(s->root);
	free(s);
}

static int compare_name(const struct service *a, const char *namespace, const char *name)
{
	int order = strcmp(a->namespace, namespace);
	return order ? order : strcmp(a->name, name);
}

struct service *snapshot_find(const struct snapshot *s, const char *namespace, const char *name)
{
	const struct chunk *c = s ? s->root : NULL;
	while (c && c->left)
		c = compare_name(chunk_first(c->right), namespace, name) <= 0 ? c->right : c->left;
	for (uint32_t low = 0, high = c ? c->count : 0; low < high;) {
		uint32_t middle = low + (high - low) / 2;
		int order = compare_name(c->items[middle], namespace, name);
		if (order == 0)
			return c->items[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* ---- walking ----------------------------------------------------------------------------- */

static struct service *service_at(const struct snapshot *s, struct snapshot_cursor *c)
{
	if (!c->leaf && s)
		c->leaf = chunk_leaf(s->root, c->chunk);
	return c->leaf ? c->leaf->items[c->item] : NULL;
}

static void skip(struct snapshot_cursor *c, uint32_t leaves)
{
	*c = (struct snapshot_cursor){ .chunk = c->chunk + leaves };
}

/* The cursor stands at a service. */
static void advance(struct snapshot_cursor *c)
{
	if (++c->item == c->leaf->count)
		skip(c, 1);
}

struct service *snapshot_walk(const struct snapshot *s, struct snapshot_cursor *cursor)
{
	struct service *found = service_at(s, cursor);
	if (found)
		advance(cursor);
	return found;
}

/* The largest chunk that begins with this leaf and that fn takes; NULL: none. */
typedef bool chunk_fn(const void *ctx, const struct chunk *c);

static struct chunk *largest(struct chunk *c, uint32_t leaf, chunk_fn *fn, const void *ctx)
{
	while (c && leaf < c->leaves) {
		if (leaf == 0 && fn(ctx, c))
			return c;
		bool right = c->left && leaf >= c->left->leaves;
		leaf -= right ? c->left->leaves : 0;
		c = right ? c->right : c->left;
	}
	return NULL;
}

static bool lacks_mark(const void *ctx, const struct chunk *c)
{
	return !(c->marks & *(const enum chunk_mark *)ctx);
}

struct service *snapshot_walk_marked(const struct snapshot *s, struct snapshot_cursor *cursor,
				     enum chunk_mark mark)
{
	const struct chunk *without;
	while (s && !cursor->item &&
	       (without = largest(s->root, cursor->chunk, lacks_mark, &mark)) != NULL)
		skip(cursor, without->leaves);
	return snapshot_walk(s, cursor);
}

static int compare(const struct service *a, const struct service *b)
{
	return compare_name(a, b->namespace, b->name);
}

bool snapshot_next(const struct snapshot *was, const struct snapshot *now,
		   struct snapshot_step *step)
{
	struct service *a = service_at(was, &step->was_at), *b = service_at(now, &step->now_at);
	if (!a && !b)
		return false;
	int order = a == b ? 0 : !a ? 1 : !b ? -1 : compare(a, b);
	step->was = order <= 0 ? a : NULL;
	step->now = order >= 0 ? b : NULL;
	if (step->was)
		advance(&step->was_at);
	if (step->now)
		advance(&step->now_at);
	step->changed = !step->was || !step->now || step->was->content != step->now->content;
	return true;
}

/* ---- what two snapshots share --------------------------------------------------------------- */

struct place { /* in a snapshot */
	struct chunk *root;
	uint32_t leaf;
	bool plain;                    /* wanted */
};

static bool same(const void *ctx, const struct chunk *c)
{
	return ctx == c;
}

/* Whether the other snapshot has this very chunk at that place. */
static bool is_shared(const void *ctx, const struct chunk *c)
{
	const struct place *other = ctx;
	return (!other->plain || !(c->marks & MARK_VARIED)) &&
	       (!other->root || largest(other->root, other->leaf, same, c));
}

/* How many leaves from here on both have in one chunk. */
static uint32_t shared_leaves(const struct snapshot *was, const struct snapshot *now,
			      const struct snapshot_step *step)
{
	if (!was || !now || !was->root || !now->root || step->was_at.item || step->now_at.item)
		return 0;
	struct place other = { was->root, step->was_at.chunk, false };
	const struct chunk *c = largest(now->root, step->now_at.chunk, is_shared, &other);
	return c ? c->leaves : 0;
}

bool snapshot_next_change(const struct snapshot *was, const struct snapshot *now,
			  struct snapshot_step *step)
{
	uint32_t leaves;
	do {
		while ((leaves = shared_leaves(was, now, step)) != 0) {
			skip(&step->was_at, leaves);
			skip(&step->now_at, leaves);
		}
		if (!snapshot_next(was, now, step))
			return false;
	} while (!step->changed);
	return true;
}

/* ---- stretches ------------------------------------------------------------------------------ */

/* Whether the service of `now` at the walk's place is in `was` as it is; moves `was` up to
 * it, not past it. */
static bool in_was(const struct snapshot *was, struct snapshot_step *at, const struct service *now)
{
	struct service *a = service_at(was, &at->was_at);
	while (a && a != now && compare(a, now) < 0) {
		advance(&at->was_at);
		a = service_at(was, &at->was_at);
	}
	return a && (a == now || (compare(a, now) == 0 && a->content == now->content));
}

/* Extends the run that begins at the walk's place within its leaf. */
static void extend_run(const struct snapshot *was, struct stretch *s)
{
	uint32_t leaf = s->at.now_at.chunk;
	while (s->at.now_at.chunk == leaf) {
		struct service *next = s->chunk->items[s->at.now_at.item];
		if (!plain(next) || (was && !in_was(was, &s->at, next)))
			break;
		s->count++;
		advance(&s->at.now_at);
	}
}

/* All of a chunk that begins here and is plain and, with `was`, in that too. */
static bool take_whole(const struct snapshot *was, const struct snapshot *now, struct stretch *s)
{
	struct place other = { was ? was->root : NULL, s->at.was_at.chunk, true };
	if (s->at.now_at.item || (was && (s->at.was_at.item || !was->root)))
		return false;
	struct chunk *c = largest(now->root, s->at.now_at.chunk, is_shared, &other);
	if (!c)
		return false;
	s->chunk = c;
	s->count = c->count;
	skip(&s->at.now_at, c->leaves);
	if (was)
		skip(&s->at.was_at, c->leaves);
	return true;
}

bool snapshot_next_stretch(const struct snapshot *was, const struct snapshot *now,
			   struct stretch *s)
{
	struct service *first = service_at(now, &s->at.now_at);
	if (!first)
		return false;
	s->chunk = (struct chunk *)(uintptr_t)s->at.now_at.leaf;
	s->start = s->at.now_at.item;
	s->count = 0;
	s->changed = was && !in_was(was, &s->at, first);
	s->run = plain(first) && !s->changed;
	if (s->run && take_whole(was, now, s))
		return true;
	if (s->run) {
		extend_run(was, s);
	} else {
		s->count = 1;
		advance(&s->at.now_at);
	}
	return true;
}

bool stretch_whole(const struct stretch *s)
{
	return s->start == 0 && s->count == s->chunk->count;
}
