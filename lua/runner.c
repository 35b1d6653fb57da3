/* lua/runner.c: see scenario.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/file.h"
#include "dns/master.h"
#include "lua/internal.h"
#include "lua/replay.h"
#include "lua/results.h"
#include "lua/story.h"
#include "report/trace_text.h"

#define TRACE_LINES 60
#define LAST_PACKETS_NS (200 * NS_PER_MS)

static void on_print(void *ctx, const char *line)
{
	struct script *s = ctx;
	strbuf_printf(&s->printed, "%s\n", line);
}

/* The prelude is the scenario language written in Lua over the bindings. */
static int open_language(struct script *s, struct err *err)
{
	lua_State *L = state_lua(s->state);
	script_register(L, s);
	int code = state_compile(L, "prelude", prelude_text, prelude_length, err);
	if (code)
		return code;
	lua_newtable(L);
	bind_start(L);
	bind_traffic(L);
	bind_cluster(L);
	bind_node(L);
	bind_texts(L);
	bind_kubectl(L);
	task_bind(L);
	lua_newtable(L);
	for (uint32_t i = 0; i < s->options->param_count; i++)
		set_string(L, s->options->params[i].key, s->options->params[i].value);
	lua_setfield(L, -2, "given");
	if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
		state_error(L, "prelude", prelude_text, err);
		return EINVAL;
	}
	state_make_strict(s->state);
	return 0;
}

static struct script *script_new(const char *file, const char *dataplane,
				 const struct scenario_options *options)
{
	struct script *s = mem_alloc(sizeof *s);
	s->options = options;
	s->arena = arena_new();
	s->file = arena_strdup(s->arena, file);
	s->dataplane = arena_strdup(s->arena, dataplane);
	struct state_options o = { .print = on_print, .ctx = s };
	s->state = state_new(&o);
	return s;
}

static void script_free(struct script *s)
{
	tasks_free(s);
	state_free(s->state); /* operations go before their world */
	watch_free(s->watch);
	world_free(s->world);
	dns_master_free(s->upstream);
	for (uint32_t i = 0; i < s->trace_count; i++)
		trace_free(s->traces[i]);
	free(s->traces);
	strbuf_free(&s->source);
	strbuf_free(&s->printed);
	strbuf_free(&s->golden);
	arena_free(s->arena);
	free(s->tests);
	free(s);
}

/* The error on t's stack: an expectation's text goes to `text` and true comes back;
 * otherwise `err` has one line. */
static bool failed_expectation(struct script *s, struct task *t, struct strbuf *text,
			       struct err *err)
{
	lua_State *L = t->lua;
	const char *broken = s->world ? world_broken(s->world) : NULL;
	if (broken) {
		err_set(err, ENOTRECOVERABLE, "%s", broken);
		return false;
	}
	if (lua_istable(L, -1)) {
		lua_getfield(L, -1, "expectation");
		if (lua_isstring(L, -1)) {
			strbuf_puts(text, lua_tostring(L, -1));
			lua_pop(L, 2);
			return true;
		}
		lua_getfield(L, -2, "located");
		err_set(err, EINVAL, "%s", lua_isstring(L, -1) ? lua_tostring(L, -1) : "error");
		lua_pop(L, 3);
		return false;
	}
	state_error(L, s->file, strbuf_text(&s->source), err);
	return false;
}

/* A verb that this place cannot do raised { skip = reason }. */
static bool skipped(struct script *s, struct task *t)
{
	if (!lua_istable(t->lua, -1))
		return false;
	const char *reason = field_string(t->lua, lua_gettop(t->lua), "skip", NULL);
	if (reason)
		s->skip = arena_strdup(s->arena, reason);
	return reason != NULL;
}

static void add_trace(struct script *s, struct strbuf *text)
{
	struct strbuf trace = { 0 };
	if (!s->last || !s->last->trace || !s->last->trace->count)
		return;
	trace_text(s->last->trace, &trace);
	strbuf_printf(text, "trace of the last packet, %s:\n", s->last->about);
	const char *p = strbuf_text(&trace);
	for (int i = 0; *p && i < TRACE_LINES; i++) {
		size_t n = strcspn(p, "\n");
		strbuf_printf(text, "  %.*s\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
	if (*p)
		strbuf_puts(text, "  ...\n");
	strbuf_free(&trace);
}

static char *test_name(struct script *s, bool many, const char *sentence)
{
	const char *on = s->options->on;
	const char *where = on ? arena_printf(s->arena, "%s on %s", s->dataplane, on) : s->dataplane;
	const char *base = strrchr(s->file, '/');
	base = base ? base + 1 : s->file;
	return many ? arena_printf(s->arena, "%s: %s (%.*s)", where, sentence,
				   (int)strcspn(base, "."), base)
		    : arena_printf(s->arena, "%s: %s", where, sentence);
}

/* Runs one test in a coroutine of its own; non-zero: the run ends. */
static int run_test(struct script *s, struct test *t, bool many, struct results *results,
		    struct err *err)
{
	char *name = test_name(s, many, t->sentence);
	struct strbuf text = { 0 };
	bool ok = true;
	if (t->skip) {
		results_skip(results, name, t->skip);
		return 0;
	}
	struct task *task = task_new(s);
	lua_rawgeti(state_lua(s->state), LUA_REGISTRYINDEX, t->ref);
	lua_xmove(state_lua(s->state), task->lua, 1);
	s->last = NULL;
	strbuf_clear(&s->printed);
	strbuf_clear(&s->golden);
	watch_free(s->watch);
	s->watch = NULL;
	int code = world_watch(s->world, "*", &s->watch, err);
	if (!code && task_drive(s, task, 0, err)) {
		ok = false;
		if (skipped(s, task)) {
			results_skip(results, name, s->skip);
			s->skip = NULL;
			strbuf_free(&text);
			return 0;
		}
		if (failed_expectation(s, task, &text, err))
			add_trace(s, &text);
		else
			code = EINVAL;
	}
	if (!code) {
		strbuf_puts(&text, strbuf_text(&s->printed));
		results_add(results, ok, name, t->todo, strbuf_text(&text));
		story_add(s, t->sentence);
	}
	strbuf_free(&text);
	return code;
}

int script_read(struct script *s, const char *path, struct strbuf *out, struct err *err)
{
	if (s->options->reading)
		s->options->reading(s->options->reading_ctx, path);
	return file_read(path, out, err);
}

/* The top level of the file: afterwards the cluster runs and tests are registered. */
static int run_top(struct script *s, struct err *err)
{
	struct strbuf text = { 0 };
	int code = script_read(s, s->file, &s->source, err);
	if (!code)
		code = open_language(s, err);
	if (code)
		return code;
	struct task *top = task_new(s);
	code = state_compile(top->lua, s->file, strbuf_text(&s->source), s->source.length, err);
	if (!code && task_drive(s, top, 0, err)) {
		code = EINVAL;
		if (!skipped(s, top) && failed_expectation(s, top, &text, err))
			err_set(err, EINVAL, "%s", strbuf_text(&text));
		if (s->skip)
			code = 0;
	}
	strbuf_free(&text);
	if (!code && !s->name)
		code = err_at(err, EINVAL, s->file, 1, 1, "expected scenario {...}");
	if (!code && !s->skip && !s->test_count)
		code = err_at(err, EINVAL, s->file, 1, 1, "the scenario \"%s\" has no tests; expected "
							  "it(\"sentence\", function)", s->name);
	return code;
}

/* Whose results follow, also when that is one skip. */
static void introduce(struct script *s, struct results *results)
{
	results_note(results, arena_printf(s->arena, "scenario: %s (%s) refs: %s", s->name, s->file,
					   s->refs));
}

static int run_tests(struct script *s, bool many, struct results *results, struct err *err)
{
	int code = 0;
	introduce(s, results);
	s->phase = PHASE_TESTS;
	if (s->replay)
		choice_record(world_choice(s->world), "backend");
	if (s->options->capture)
		code = world_capture_start(s->world, s->options->capture, err);
	for (uint32_t i = 0; i < s->test_count && !code; i++)
		code = run_test(s, &s->tests[i], many, results, err);
	if (!code && s->options->capture) /* the last FINs are on their way */
		world_run(s->world, world_now(s->world) + LAST_PACKETS_NS);
	if (!code && (s->options->pcap || s->options->capture))
		code = world_capture_end(s->world, err);
	if (s->replay)
		replay_run_ends(s);
	return code;
}

int script_run(const struct script_run *run, const struct scenario_options *options,
	       struct results *results, struct err *err)
{
	struct script *s = script_new(run->file, run->dataplane, options);
	s->replay = run->replay;
	int code = run_top(s, err);
	bool about_others = s->skip && strncmp(s->skip, "the scenario is about", 21) == 0;
	if (!code && s->skip && (run->named || !about_others)) {
		introduce(s, results);
		results_skip(results, test_name(s, run->many, s->name), s->skip);
	} else if (!code && !s->skip) {
		code = run_tests(s, run->many, results, err);
	}
	script_free(s);
	return code;
}

/* Whether `name` is in the comma separated list. */
static bool chosen(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = list; *p;) {
		size_t length = strcspn(p, ",");
		if (length == n && strncmp(p, name, n) == 0)
			return true;
		p += length + (p[length] == ',');
	}
	return false;
}

static int check_dataplanes(const struct scenario_options *o, struct err *err)
{
	const char *p = o->dataplanes;
	if (!p || strcmp(p, "all") == 0)
		return 0;
	while (*p) {
		char name[64];
		size_t length = strcspn(p, ",");
		snprintf(name, sizeof name, "%.*s", (int)length, p);
		if (!registry_find(o->registry, name)) {
			struct strbuf known = { 0 };
			registry_names(o->registry, &known);
			err_set(err, EINVAL, "there is no dataplane \"%s\"; expected all or some of %s", name,
				strbuf_text(&known));
			strbuf_free(&known);
			return EINVAL;
		}
		p += length + (p[length] == ',');
	}
	return 0;
}

/* Seconds that the machine's clock counts. */
static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* On real Linux each run says what it took; the Linux model takes no time worth telling. */
static int run_one(const char *file, const char *dataplane, bool named, bool many,
		   const struct scenario_options *o, struct results *results, struct err *err)
{
	struct script_run run = { .file = file, .dataplane = dataplane, .named = named, .many = many };
	struct results_tally before = results_tally(results);
	char line[512];
	double began = seconds();
	if (o->progress)
		fprintf(o->progress, "svclab: begins %s %s\n", file, dataplane);
	int code = o->replay ? replay_run(file, dataplane, o, results, err)
			     : script_run(&run, o, results, err);
	struct results_tally after = results_tally(results);
	double took = seconds() - began;
	if (o->progress)
		fprintf(o->progress, "svclab: ends %s %s: %u tests, %u failed, %u skipped, %.1f s\n", file,
			dataplane, after.tests - before.tests, after.failed - before.failed,
			after.skipped - before.skipped, took);
	if (!code && o->on && after.tests > before.tests) {
		snprintf(line, sizeof line, "%s on %s: %.1f s", dataplane, o->on, took);
		results_note(results, line);
	}
	return code;
}

int scenario_run(const char *const *files, uint32_t count, const struct scenario_options *o,
		 FILE *out, FILE *errors)
{
	struct err err = { 0 };
	struct results *results = results_new();
	bool named = o->dataplanes && strcmp(o->dataplanes, "all") != 0;
	int code = check_dataplanes(o, &err);
	for (uint32_t f = 0; f < count && !code; f++)
		for (uint32_t d = 0; d < o->registry->count && !code; d++) {
			const struct dataplane *row = &o->registry->rows[d];
			const char *dataplane = row->name;
			if (!registry_is_plain(o->registry, d))
				continue;
			bool wanted = named ? chosen(o->dataplanes, dataplane)
					    : strcmp(dataplane, "null") != 0;
			if (wanted)
				code = run_one(files[f], dataplane, named, count > 1, o, results, &err);
		}
	if (code)
		fprintf(errors, "svclab: %s\n", err.text);
	bool good = results_print(results, out, code ? err.text : NULL);
	results_free(results);
	return code ? 2 : good ? 0 : 1;
}
