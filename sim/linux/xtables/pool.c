/* linux/xtables/pool.c: interned specs, see internal.h. */
#include "linux/xtables/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

/* A slot whose spec went away: probing goes on over it. */
static const struct xt_spec grave_spec;
#define GRAVE ((struct xt_spec *)(uintptr_t)&grave_spec)

static uint32_t spec_hash(const struct xt_spec *s)
{
	return (uint32_t)hash_bytes(s->records, s->size, s->target);
}

static bool spec_equal(const struct xt_spec *a, const struct xt_spec *b)
{
	return a->hash == b->hash && a->size == b->size && a->target == b->target &&
	       memcmp(a->records, b->records, a->size) == 0;
}

static void pool_grow(struct xt_pool *pool)
{
	uint32_t size = pool->size ? pool->size : 64;
	while (pool->count * 2 >= size)
		size *= 2;
	struct xt_spec **slots = mem_array(size, sizeof *slots);
	for (uint32_t i = 0; i < pool->size; i++) {
		struct xt_spec *s = pool->slots[i];
		if (!s || s == GRAVE)
			continue;
		uint32_t at = s->hash & (size - 1);
		while (slots[at])
			at = (at + 1) & (size - 1);
		slots[at] = s;
	}
	free(pool->slots);
	pool->slots = slots;
	pool->size = size;
	pool->used = pool->count;
}

struct xt_spec *pool_take(struct xt_pool *pool, const struct xt_spec *draft)
{
	if ((pool->used + 1) * 4 > pool->size * 3)
		pool_grow(pool);
	uint32_t hash = spec_hash(draft), at = hash & (pool->size - 1);
	struct xt_spec **free_slot = NULL;
	for (; pool->slots[at]; at = (at + 1) & (pool->size - 1)) {
		struct xt_spec *s = pool->slots[at];
		if (s == GRAVE) {
			if (!free_slot)
				free_slot = &pool->slots[at];
		} else if (s->hash == hash && s->size == draft->size &&
			   s->target == draft->target &&
			   memcmp(s->records, draft->records, s->size) == 0) {
			s->users++;
			return s;
		}
	}
	if (!free_slot) {
		free_slot = &pool->slots[at];
		pool->used++;
	}
	struct xt_spec *s = mem_alloc(sizeof *s + draft->size);
	memcpy(s, draft, sizeof *s + draft->size);
	s->users = 1;
	s->hash = hash;
	*free_slot = s;
	pool->count++;
	return s;
}

struct xt_spec *pool_hold(struct xt_spec *spec)
{
	spec->users++;
	return spec;
}

void pool_drop(struct xt_pool *pool, struct xt_spec *spec)
{
	assert(spec->users > 0);
	if (--spec->users > 0)
		return;
	uint32_t at = spec->hash & (pool->size - 1);
	while (pool->slots[at] == GRAVE || !spec_equal(pool->slots[at], spec))
		at = (at + 1) & (pool->size - 1);
	assert(pool->slots[at] == spec);
	pool->slots[at] = GRAVE;
	pool->count--;
	free(spec);
}

void pool_free(struct xt_pool *pool)
{
	assert(pool->count == 0);
	free(pool->slots);
	*pool = (struct xt_pool){ 0 };
}
