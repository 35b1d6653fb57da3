/* core/engine.c: a 4-ary heap of 16-byte records behind engine.h. */
#include "core/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

#define ARITY 4u
#define NO_SLOT UINT32_MAX

struct record {
	int64_t when_ns;
	uint32_t sequence, slot;
};

struct slot {
	event_fn *fn; /* NULL: cancelled, waits for its record */
	void *ctx;
	uint32_t generation, next_free;
};

struct engine {
	int64_t now_ns;
	uint64_t run;
	struct record *heap;
	size_t count, capacity;
	struct slot *slots;
	uint32_t slot_count, slot_capacity, free_slot;
	uint32_t sequence;
};

_Static_assert(sizeof(struct record) == 16, "event records are 16 bytes");

struct engine *engine_new(void)
{
	struct engine *e = mem_alloc(sizeof *e);
	e->free_slot = NO_SLOT;
	return e;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	free(e->heap);
	free(e->slots);
	free(e);
}

int64_t engine_now(const struct engine *e)
{
	return e->now_ns;
}

uint64_t engine_count(const struct engine *e)
{
	return e->run;
}

static bool before(const struct record *a, const struct record *b)
{
	if (a->when_ns != b->when_ns)
		return a->when_ns < b->when_ns;
	return a->sequence < b->sequence;
}

static void sift_up(struct engine *e, size_t i)
{
	struct record r = e->heap[i];
	while (i > 0) {
		size_t parent = (i - 1) / ARITY;
		if (!before(&r, &e->heap[parent]))
			break;
		e->heap[i] = e->heap[parent];
		i = parent;
	}
	e->heap[i] = r;
}

static void sift_down(struct engine *e, size_t i)
{
	struct record r = e->heap[i];
	for (;;) {
		size_t first = i * ARITY + 1, last = first + ARITY, best = first;
		if (first >= e->count)
			break;
		if (last > e->count)
			last = e->count;
		for (size_t c = first + 1; c < last; c++)
			if (before(&e->heap[c], &e->heap[best]))
				best = c;
		if (!before(&e->heap[best], &r))
			break;
		e->heap[i] = e->heap[best];
		i = best;
	}
	e->heap[i] = r;
}

static int by_order(const void *a, const void *b)
{
	return before(a, b) ? -1 : before(b, a);
}

/* After 2^32 events the sequence starts again: number the pending ones anew. */
static void renumber(struct engine *e)
{
	if (e->count)
		qsort(e->heap, e->count, sizeof *e->heap, by_order);
	for (size_t i = 0; i < e->count; i++)
		e->heap[i].sequence = (uint32_t)i;
	e->sequence = (uint32_t)e->count;
}

static uint32_t slot_take(struct engine *e)
{
	if (e->free_slot != NO_SLOT) {
		uint32_t s = e->free_slot;
		e->free_slot = e->slots[s].next_free;
		return s;
	}
	if (e->slot_count == e->slot_capacity) {
		uint32_t want = e->slot_capacity ? e->slot_capacity * 2 : 64;
		e->slots = mem_grow(e->slots, e->slot_capacity, want, sizeof *e->slots);
		e->slot_capacity = want;
	}
	return e->slot_count++;
}

static void slot_release(struct engine *e, uint32_t s)
{
	e->slots[s].fn = NULL;
	e->slots[s].generation++;
	e->slots[s].next_free = e->free_slot;
	e->free_slot = s;
}

struct event_id engine_at(struct engine *e, int64_t when_ns, event_fn *fn, void *ctx)
{
	assert(fn);
	if (when_ns < e->now_ns)
		when_ns = e->now_ns;
	if (e->sequence == UINT32_MAX)
		renumber(e);
	if (e->count == e->capacity) {
		size_t want = e->capacity ? e->capacity * 2 : 64;
		e->heap = mem_grow(e->heap, e->capacity, want, sizeof *e->heap);
		e->capacity = want;
	}
	uint32_t s = slot_take(e);
	e->slots[s].fn = fn;
	e->slots[s].ctx = ctx;
	e->heap[e->count] = (struct record){ when_ns, e->sequence++, s };
	sift_up(e, e->count++);
	return (struct event_id){ s + 1, e->slots[s].generation };
}

struct event_id engine_after(struct engine *e, int64_t delay_ns, event_fn *fn, void *ctx)
{
	assert(delay_ns >= 0);
	return engine_at(e, e->now_ns + delay_ns, fn, ctx);
}

bool engine_pending(const struct engine *e, struct event_id id)
{
	if (!id.slot || id.slot > e->slot_count)
		return false;
	const struct slot *s = &e->slots[id.slot - 1];
	return s->generation == id.generation && s->fn;
}

bool engine_cancel(struct engine *e, struct event_id *id)
{
	bool pending = engine_pending(e, *id);
	if (pending)
		e->slots[id->slot - 1].fn = NULL;
	*id = (struct event_id){ 0 };
	return pending;
}

static struct record pop(struct engine *e)
{
	struct record top = e->heap[0];
	e->heap[0] = e->heap[--e->count];
	if (e->count)
		sift_down(e, 0);
	return top;
}

int64_t engine_next(struct engine *e)
{
	while (e->count && !e->slots[e->heap[0].slot].fn)
		slot_release(e, pop(e).slot);
	return e->count ? e->heap[0].when_ns : INT64_MAX;
}

bool engine_step(struct engine *e)
{
	if (engine_next(e) == INT64_MAX)
		return false;
	struct record r = pop(e);
	struct slot s = e->slots[r.slot];
	assert(r.when_ns >= e->now_ns);
	slot_release(e, r.slot);
	e->now_ns = r.when_ns;
	e->run++;
	s.fn(s.ctx);
	return true;
}

void engine_run_until(struct engine *e, int64_t until_ns)
{
	while (engine_next(e) <= until_ns)
		engine_step(e);
	if (until_ns > e->now_ns)
		e->now_ns = until_ns;
}
