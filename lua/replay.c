/* lua/replay.c: see replay.h. */
#include "lua/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/capture.h"
#include "net/compare.h"

#define SITE "backend"
#define RUNS_MAX 3000
#define SHOWN 10

static struct replay_op *op_at(struct replay *r, uint32_t index)
{
	while (index >= r->op_capacity) {
		uint32_t more = r->op_capacity ? r->op_capacity * 2 : 16;
		r->ops = mem_grow(r->ops, r->op_capacity, more, sizeof *r->ops);
		r->op_capacity = more;
	}
	if (index >= r->op_count)
		r->op_count = index + 1;
	return &r->ops[index];
}

void replay_op_begins(struct script *s)
{
	const struct choice_drawn *drawn;
	struct choice *choice = world_choice(s->world);
	struct replay_op *op = op_at(s->replay, s->replay->begun++);
	op->first_draw = choice_recorded(choice, SITE, &drawn);
	choice_script_clear(choice, SITE);
	for (uint32_t i = 0; i < op->count; i++)
		choice_script(choice, SITE, op->answers[i]);
}

void replay_run_ends(struct script *s)
{
	const struct choice_drawn *drawn;
	struct replay *r = s->replay;
	r->drawn_count = choice_recorded(world_choice(s->world), SITE, &drawn);
	free(r->drawn);
	r->drawn = mem_array(r->drawn_count + 1u, sizeof *r->drawn);
	memcpy(r->drawn, drawn, r->drawn_count * sizeof *drawn);
}

static void remove_run(const char *folder)
{
	char command[512];
	snprintf(command, sizeof command, "%s/all.pcapng", folder);
	unlink(command);
}

struct attempt {
	struct results *results;
	struct comparison *comparison;
};

static void attempt_free(struct attempt *a)
{
	if (a->results)
		results_free(a->results);
	if (a->comparison)
		comparison_free(a->comparison);
	*a = (struct attempt){ 0 };
}

/* One run with the answers as they stand. */
static int attempt(const char *file, const char *dataplane, const struct scenario_options *options,
		   struct replay *r, const struct capture *real, struct attempt *out, struct err *err)
{
	static const struct compare_options compare = { .without_acks = true };
	char path[512];
	struct capture *simulated = NULL;
	struct script_run run = { .file = file, .dataplane = dataplane, .named = true, .replay = r };
	r->begun = 0;
	out->results = results_new();
	int code = script_run(&run, options, out->results, err);
	snprintf(path, sizeof path, "%s/all.pcapng", r->folder);
	if (!code)
		code = capture_read(path, &simulated, err);
	if (!code)
		out->comparison = compare_captures(real, simulated, &compare);
	capture_free(simulated);
	return code;
}

/* The next outcome of operation `index` after the run that just ended, like an odometer
 * over its draws; false when all were tried. */
static bool next_outcome(struct replay *r, uint32_t index)
{
	struct replay_op *op = &r->ops[index];
	uint32_t end = index + 1 < r->begun ? r->ops[index + 1].first_draw : r->drawn_count;
	uint32_t count = end - op->first_draw;
	const struct choice_drawn *drawn = r->drawn + op->first_draw;
	op->answers = mem_grow(op->answers, op->count, count > op->count ? count : op->count + 1u,
			       sizeof *op->answers);
	for (uint32_t i = 0; i < count; i++)
		op->answers[i] = drawn[i].answer;
	for (op->count = count; op->count; op->count--) {
		uint64_t *last = &op->answers[op->count - 1];
		if (++*last < drawn[op->count - 1].count)
			return true;
	}
	return false;
}

/* Steers operation `index`: the outcome with the fewest differences stays. */
static int steer(const char *file, const char *dataplane, const struct scenario_options *options,
		 struct replay *r, const struct capture *real, uint32_t index, struct attempt *best,
		 uint32_t *runs, struct err *err)
{
	struct replay_op *op = op_at(r, index);
	struct attempt tried = { 0 };
	uint64_t *kept = NULL;
	uint32_t kept_count = 0;
	int code = 0;
	bool more = true;
	/* Begin with the first outcome: zeros for as many draws as there may be. */
	op->count = 16;
	op->answers = mem_grow(op->answers, 0, op->count, sizeof *op->answers);
	memset(op->answers, 0, op->count * sizeof *op->answers);
	while (!code && more && ++*runs < RUNS_MAX) {
		code = attempt(file, dataplane, options, r, real, &tried, err);
		op = &r->ops[index];
		if (!code && (!kept || tried.comparison->count < best->comparison->count)) {
			attempt_free(best);
			*best = tried;
			tried = (struct attempt){ 0 };
			free(kept);
			kept_count = op->count;
			kept = mem_array(kept_count + 1u, sizeof *kept);
			memcpy(kept, op->answers, kept_count * sizeof *kept);
		}
		attempt_free(&tried);
		more = !code && best->comparison->count && next_outcome(r, index);
		op = &r->ops[index];
		/* After the digits that are set, later draws take their first outcome. */
		if (more) {
			op->answers = mem_grow(op->answers, op->count, op->count + 16u, sizeof *op->answers);
			memset(op->answers + op->count, 0, 16 * sizeof *op->answers);
			op->count += 16;
		}
	}
	free(op->answers);
	op->answers = kept;
	op->count = kept_count;
	return code;
}

static void report(const struct attempt *best, const char *dataplane, const char *capture,
		   const struct capture *real, struct results *results)
{
	struct strbuf text = { 0 }, name = { 0 };
	const char *base = strrchr(capture, '/');
	results_move(results, best->results);
	strbuf_printf(&name, "%s: every packet equals the capture %s", dataplane, base ? base + 1 : capture);
	if (best->comparison->count)
		comparison_print(best->comparison, capture, "simulated", SHOWN, &text);
	else
		strbuf_printf(&text, "%u of %u packets compared\n", best->comparison->compared, real->count);
	results_add(results, best->comparison->count == 0 && best->comparison->compared, strbuf_text(&name),
		    NULL, strbuf_text(&text));
	strbuf_free(&text);
	strbuf_free(&name);
}

int replay_run(const char *file, const char *dataplane, const struct scenario_options *options,
	       struct results *results, struct err *err)
{
	char folder[] = "/tmp/svclab-replay.XXXXXX";
	struct capture *real = NULL;
	struct replay r = { 0 };
	struct attempt best = { 0 };
	struct scenario_options quiet = *options;
	uint32_t runs = 1;
	int code = capture_read(options->replay, &real, err);
	if (code)
		return code;
	if (!mkdtemp(folder)) {
		capture_free(real);
		return err_set(err, errno, "%s: %s", folder, strerror(errno));
	}
	r.folder = folder;
	quiet.capture = folder;
	code = attempt(file, dataplane, &quiet, &r, real, &best, err);
	uint32_t ops = r.begun;
	for (uint32_t i = 0; !code && i < ops && best.comparison->count; i++)
		code = steer(file, dataplane, &quiet, &r, real, i, &best, &runs, err);
	if (!code)
		report(&best, dataplane, options->replay, real, results);
	attempt_free(&best);
	for (uint32_t i = 0; i < r.op_count; i++)
		free(r.ops[i].answers);
	free(r.ops);
	free(r.drawn);
	capture_free(real);
	remove_run(folder);
	rmdir(folder);
	return code;
}
