/* tests/unit/core.c: engine, choice, table, strbuf, arena. */
#include <stdlib.h>

#include "check.h"
#include "core/arena.h"
#include "core/choice.h"
#include "core/engine.h"
#include "core/err.h"
#include "core/table.h"

static char order[64];

static void note_a(void *ctx) { (void)ctx; strcat(order, "a"); }
static void note_b(void *ctx) { (void)ctx; strcat(order, "b"); }
static void note_c(void *ctx) { engine_after(ctx, 0, note_a, ctx); strcat(order, "c"); }

static void same_time_in_order_of_scheduling(void)
{
	struct engine *e = engine_new();
	order[0] = '\0';
	engine_at(e, 5, note_c, e);
	engine_at(e, 5, note_b, e);
	engine_at(e, 1, note_a, e);
	engine_run_until(e, 10);
	CHECK_TEXT(order, "acba");
	CHECK_INT(engine_now(e), 10);
	CHECK_INT(engine_count(e), 4);
	engine_free(e);
}

static void cancelled_events_never_run(void)
{
	struct engine *e = engine_new();
	order[0] = '\0';
	struct event_id one = engine_at(e, 1, note_a, NULL), old = one;
	CHECK(engine_cancel(e, &one));
	CHECK(!engine_cancel(e, &one));
	CHECK_INT(engine_next(e), INT64_MAX);
	engine_at(e, 2, note_b, NULL); /* takes the same slot */
	CHECK(!engine_cancel(e, &old));
	engine_run_until(e, 3);
	CHECK_TEXT(order, "b");
	engine_free(e);
}

struct stamp { struct engine *e; int64_t when; int *bad; int64_t *last; };

static void note_time(void *ctx)
{
	struct stamp *s = ctx;
	if (engine_now(s->e) != s->when || s->when < *s->last)
		++*s->bad;
	*s->last = s->when;
}

static void heap_sorts_random_times(void)
{
	struct engine *e = engine_new();
	struct choice *c = choice_new(3);
	enum { COUNT = 20000 };
	struct stamp *stamps = mem_array(COUNT, sizeof *stamps);
	int bad = 0;
	int64_t last = 0;
	for (int i = 0; i < COUNT; i++) {
		stamps[i] = (struct stamp){ e, (int64_t)choice_uniform(c, "t", 5000), &bad, &last };
		engine_at(e, stamps[i].when, note_time, &stamps[i]);
	}
	engine_run_until(e, 5000);
	CHECK_INT(bad, 0);
	CHECK_INT(engine_count(e), COUNT);
	free(stamps);
	choice_free(c);
	engine_free(e);
}

static void sites_have_streams_of_their_own(void)
{
	struct choice *a = choice_new(7), *b = choice_new(7);
	for (int i = 0; i < 10; i++)
		choice_uniform(b, "other", 100);
	for (int i = 0; i < 50; i++)
		CHECK_INT(choice_uniform(a, "backend", 1000), choice_uniform(b, "backend", 1000));
	choice_free(a);
	choice_free(b);
}

static void scripted_answers_come_first(void)
{
	struct choice *c = choice_new(1);
	choice_script(c, "backend", 2);
	choice_script(c, "backend", 9);
	CHECK_INT(choice_uniform(c, "backend", 3), 2);
	CHECK(!choice_mismatch(c));
	choice_uniform(c, "backend", 3);
	CHECK_TEXT(choice_mismatch(c), "backend");
	choice_free(c);
}

static void exhaustive_probabilities_sum_to_one(void)
{
	struct choice *c = choice_new(1);
	double sum = 0;
	int runs = 0;
	choice_exhaust(c, "backend", 100);
	do {
		choice_restart(c);
		if (choice_draw(c, "backend", (uint64_t[]){ 1, 2 }, 2) == 1)
			choice_draw(c, "backend", (uint64_t[]){ 1, 0, 1 }, 3);
		sum += choice_probability(c);
		runs++;
	} while (choice_advance(c));
	CHECK_INT(runs, 3);
	CHECK(sum > 1 - 1e-12 && sum < 1 + 1e-12);
	CHECK(!choice_truncated(c));
	choice_free(c);
}

static void exhaustive_mode_leaves_no_trace(void)
{
	uint64_t drawn[2][4];
	for (int with = 0; with < 2; with++) {
		struct choice *c = choice_new(5);
		choice_uniform(c, "backend", 1000);
		for (int twice = 0; with && twice < 2; twice++) {
			uint64_t first = 0;
			int runs = 0;
			choice_exhaust(c, "backend", 100);
			do {
				choice_restart(c);
				uint64_t isn = choice_uniform(c, "isn", 1u << 30);
				CHECK(!runs || isn == first);
				first = isn;
				choice_uniform(c, "backend", 3);
				runs++;
			} while (choice_advance(c));
			choice_exhaust_end(c);
			CHECK_INT(runs, 3);
		}
		for (int i = 0; i < 4; i++)
			drawn[with][i] = choice_uniform(c, i & 1 ? "isn" : "backend", 1u << 30);
		choice_free(c);
	}
	CHECK(memcmp(drawn[0], drawn[1], sizeof drawn[0]) == 0);
}

static void table_agrees_with_a_plain_array(void)
{
	enum { KEYS = 500 };
	bool present[KEYS] = { 0 };
	int values[KEYS] = { 0 };
	struct table t;
	struct choice *c = choice_new(11);
	table_init(&t, sizeof(uint32_t), sizeof(int));
	for (int i = 0; i < 50000; i++) {
		uint32_t k = (uint32_t)choice_uniform(c, "key", KEYS);
		if (choice_uniform(c, "op", 3)) {
			*(int *)table_put(&t, &k, NULL) = values[k] = i;
			present[k] = true;
		} else {
			CHECK_INT(table_remove(&t, &k), present[k]);
			present[k] = false;
		}
	}
	for (uint32_t k = 0; k < KEYS; k++) {
		int *v = table_find(&t, &k);
		CHECK_INT(v != NULL, present[k]);
		if (v && present[k])
			CHECK_INT(*v, values[k]);
	}
	table_free(&t);
	choice_free(c);
}

static void table_walks_in_order_of_insertion(void)
{
	struct table t;
	const char *words[] = { "pear", "apple", "fig", "date", "kiwi", "lime", "plum", "nut", "bean" };
	char seen[64] = "";
	table_init(&t, TABLE_STRING_KEYS, 0);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		table_put(&t, words[i], NULL);
	table_remove(&t, "fig");
	const void *key;
	for (uint32_t i = 0; table_next(&t, &i, &key, NULL);)
		strcat(strcat(seen, key), " ");
	CHECK_TEXT(seen, "pear apple date kiwi lime plum nut bean ");
	table_free(&t);
}

static void errors_name_the_place(void)
{
	struct err e;
	CHECK_INT(err_at(&e, 22, "a.yaml", 3, 7, "expected %s", "a port"), 22);
	CHECK_TEXT(e.text, "a.yaml:3:7: expected a port");
	err_at(&e, 22, "a.yaml", 0, 0, "empty");
	CHECK_TEXT(e.text, "a.yaml: empty");
}

static void arena_reset_gives_zeroed_memory(void)
{
	struct arena *a = arena_new();
	memset(arena_alloc(a, 100), 0xff, 100);
	arena_reset(a);
	unsigned char *p = arena_alloc(a, 100);
	int sum = 0;
	for (int i = 0; i < 100; i++)
		sum += p[i];
	CHECK_INT(sum, 0);
	CHECK_TEXT(arena_printf(a, "%d-%s", 4, "x"), "4-x");
	arena_free(a);
}

static const struct check tests[] = {
	{ "events of one nanosecond run in the order of scheduling", same_time_in_order_of_scheduling },
	{ "a cancelled event never runs and its slot is safe to use again", cancelled_events_never_run },
	{ "20,000 random times come out sorted", heap_sorts_random_times },
	{ "a draw at one site moves no other site", sites_have_streams_of_their_own },
	{ "scripted answers are used first and a bad one is reported", scripted_answers_come_first },
	{ "exhaustive runs cover all outcomes, probabilities sum to 1", exhaustive_probabilities_sum_to_one },
	{ "draws go on after exhaustive runs as if there had been none", exhaustive_mode_leaves_no_trace },
	{ "a hash table agrees with a plain array over 50,000 operations", table_agrees_with_a_plain_array },
	{ "a table walks in the order of insertion", table_walks_in_order_of_insertion },
	{ "an error names file, line and column", errors_name_the_place },
	{ "an arena hands out zeroed memory after reset", arena_reset_gives_zeroed_memory },
};

CHECK_MAIN(tests)
