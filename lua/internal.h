/* lua/internal.h: what the files behind scenario.h share.
 *
 * A script is one run of one file on one dataplane. Its tasks are coroutines: task 0
 * is the file's top level, then each test; `spawn` adds more. A task that waits is
 * woken by the engine (a timer or the end of an operation) and queued; the driver
 * resumes queued tasks in that order.
 */
#ifndef LUA_INTERNAL_H
#define LUA_INTERNAL_H

#include "core/arena.h"
#include "core/engine.h"
#include "lua/scenario.h"
#include "lua/state.h"
#include "world/world.h"

struct task {
	struct script *script;
	lua_State *lua;
	int ref;              /* keeps the coroutine alive */
	bool queued, done;
	struct event_id timer;
	struct task *waiter;  /* who joins it */
	uint32_t id;
};

struct test {
	const char *sentence;
	int ref;              /* function */
	const char *todo, *skip; /* reasons, NULL none */
};

enum phase { PHASE_TOP, PHASE_TESTS };

struct script {
	const struct scenario_options *options;
	const char *file, *dataplane;
	struct strbuf source;
	struct arena *arena;
	struct state *state;
	struct world *world;  /* NULL before scenario {...} */
	struct dns_master *upstream; /* the servers outside that the scenario gives */
	struct watch_tap *watch; /* all packets since the current test began */
	enum phase phase;
	char *name, *refs;    /* of the scenario; in the arena */
	const char *skip;     /* why it does not run on this dataplane; NULL: it runs */
	struct test *tests;
	uint32_t test_count, test_capacity;
	struct task **tasks;
	uint32_t task_count, task_capacity;
	struct task **queue;
	uint32_t queue_count, queue_capacity;
	struct task *current;
	struct traced *last;  /* the last traced operation, for failures */
	/* All traces: packets under way may point to one whose operation is over. */
	struct trace **traces;
	uint32_t trace_count, trace_capacity;
	struct strbuf printed; /* print and kubectl's words, for the diagnostics */
	struct strbuf golden;  /* names of texts that this test was compared with, each with NUL */
	struct replay *replay; /* NULL: random choices are the seed's */
};

struct script_run { /* one run of one file on one dataplane */
	const char *file, *dataplane;
	bool named;           /* the user asked for this dataplane */
	bool many;            /* several files: names tell which */
	struct replay *replay;
};
struct results;

/* ---- runner.c */
int script_run(const struct script_run *run, const struct scenario_options *options,
	       struct results *results, struct err *err);

struct traced { /* userdata: an operation and its trace */
	struct script *script;
	struct op *op;
	struct trace *trace;
	struct task *waiter;
	int anchor;           /* registry reference while the operation is under way */
	char about[256];
};

/* The script of a Lua state; set once. */
void script_register(lua_State *L, struct script *s);
struct script *script_of(lua_State *L);

/* ---- task.c */
struct task *task_new(struct script *s);
void task_wake(struct task *t);
/* Sets its timer. */
void task_wake_after(struct task *t, int64_t ns);
/* Runs the clock and tasks until `t` has ended. 0; EINVAL: a Lua error, its value is on
 * top of t->lua's stack. */
int task_drive(struct script *s, struct task *t, int arguments, struct err *err);
void tasks_free(struct script *s);
/* Registers sleep, spawn, join. */
void task_bind(lua_State *L);

/* ---- bindings: each adds functions to the table on top of the stack */
void bind_start(lua_State *L);   /* scenario, it, apply */
void bind_traffic(lua_State *L); /* requests, pings, look-ups, load */
void bind_cluster(lua_State *L); /* objects, controllers, kubectl */
void bind_node(lua_State *L);    /* dumps, sysctls, faults, kube-proxy, packets */
void bind_texts(lua_State *L);    /* durations, golden files, positions */
void bind_kubectl(lua_State *L);  /* kubectl's command lines, files of places */

/* Reads a file for the script, and tells options->reading of it. */
int script_read(struct script *s, const char *path, struct strbuf *out, struct err *err);

/* ---- shared by the bindings */
/* The world; raises an error before scenario {...}. */
struct world *need_world(lua_State *L);
/* The same, for verbs that act: not at the top level after the first `it`. */
struct world *need_verb(lua_State *L);
/* Raises err's text: with the script's position in front, or as it stands when it
 * names a place of its own (a manifest's). */
int raise_err(lua_State *L, const struct err *err);
int raise_located(lua_State *L, const struct err *err);
/* A place by name, or an error at the script's line. */
struct place *check_place(lua_State *L, int index);
/* Fields of the table at `index`, or the default. Strings live as long as the table. */
const char *field_string(lua_State *L, int index, const char *name, const char *otherwise);
int64_t field_integer(lua_State *L, int index, const char *name, int64_t otherwise);
bool field_bool(lua_State *L, int index, const char *name);
void set_string(lua_State *L, const char *name, const char *value); /* NULL: not set */
void set_integer(lua_State *L, const char *name, int64_t value);
/* Pushes JSON text as a Lua value. */
int push_json(lua_State *L, const char *text, size_t length);
/* A unified difference of two texts, three lines around each change. */
void unified_difference(const char *from_name, const char *from, const char *to_name,
			const char *to, struct strbuf *out);

extern const char prelude_text[];
extern const unsigned prelude_length;

#endif
