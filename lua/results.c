/* lua/results.c: see results.h. */
#include "lua/results.h"

#include <stdint.h>
#include <stdlib.h>

#include "core/arena.h"
#include "report/tap.h"

enum result_kind { RESULT_TEST, RESULT_SKIP, RESULT_NOTE };

struct result {
	enum result_kind kind;
	bool ok;
	const char *name, *todo, *said;
};

struct results {
	struct arena *arena;
	struct result *items;
	uint32_t count, capacity, tests;
};

struct results *results_new(void)
{
	struct results *r = mem_alloc(sizeof *r);
	r->arena = arena_new();
	return r;
}

void results_free(struct results *r)
{
	arena_free(r->arena);
	free(r->items);
	free(r);
}

static struct result *add(struct results *r, enum result_kind kind, const char *name)
{
	if (r->count == r->capacity) {
		uint32_t more = r->capacity ? r->capacity * 2 : 32;
		r->items = mem_grow(r->items, r->capacity, more, sizeof *r->items);
		r->capacity = more;
	}
	struct result *item = &r->items[r->count++];
	*item = (struct result){ .kind = kind, .ok = true, .name = arena_strdup(r->arena, name) };
	r->tests += kind != RESULT_NOTE;
	return item;
}

void results_add(struct results *r, bool ok, const char *name, const char *todo, const char *said)
{
	struct result *item = add(r, RESULT_TEST, name);
	item->ok = ok;
	item->todo = todo ? arena_strdup(r->arena, todo) : NULL;
	item->said = said && *said ? arena_strdup(r->arena, said) : NULL;
}

void results_skip(struct results *r, const char *name, const char *reason)
{
	add(r, RESULT_SKIP, name)->said = arena_strdup(r->arena, reason);
}

void results_note(struct results *r, const char *line)
{
	add(r, RESULT_NOTE, line);
}

struct results_tally results_tally(const struct results *r)
{
	struct results_tally t = { .tests = r->tests };
	for (uint32_t i = 0; i < r->count; i++) {
		const struct result *item = &r->items[i];
		t.failed += item->kind == RESULT_TEST && !item->ok && !item->todo;
		t.skipped += item->kind == RESULT_SKIP;
	}
	return t;
}

void results_move(struct results *r, const struct results *from)
{
	for (uint32_t i = 0; i < from->count; i++) {
		const struct result *item = &from->items[i];
		if (item->kind == RESULT_NOTE)
			results_note(r, item->name);
		else if (item->kind == RESULT_SKIP)
			results_skip(r, item->name, item->said);
		else
			results_add(r, item->ok, item->name, item->todo, item->said);
	}
}

bool results_print(struct results *r, FILE *out, const char *bail)
{
	struct tap *tap = tap_new(out, r->tests + (bail && !r->tests));
	for (uint32_t i = 0; i < r->count; i++) {
		const struct result *item = &r->items[i];
		if (item->kind == RESULT_NOTE) {
			tap_diagnose(tap, item->name);
		} else if (item->kind == RESULT_SKIP) {
			tap_skip(tap, item->name, item->said);
		} else {
			if (item->todo)
				tap_todo(tap, item->ok, item->name, item->todo);
			else
				tap_result(tap, item->ok, item->name);
			if (item->said)
				tap_diagnose(tap, item->said);
		}
	}
	if (bail)
		tap_bail(tap, bail);
	return tap_end(tap);
}
