/* lua/task.c: coroutines in virtual time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lua/internal.h"

#define LONGEST_RUN_NS (INT64_C(3650) * 24 * 3600 * NS_PER_S)

struct task *task_new(struct script *s)
{
	struct task *t = mem_alloc(sizeof *t);
	t->script = s;
	t->lua = state_thread(s->state, &t->ref);
	if (s->task_count == s->task_capacity) {
		uint32_t more = s->task_capacity ? s->task_capacity * 2 : 8;
		s->tasks = mem_grow(s->tasks, s->task_capacity, more, sizeof *s->tasks);
		s->task_capacity = more;
	}
	t->id = s->task_count;
	s->tasks[s->task_count++] = t;
	return t;
}

void task_wake(struct task *t)
{
	struct script *s = t->script;
	if (t->queued || t->done)
		return;
	t->queued = true;
	if (s->queue_count == s->queue_capacity) {
		uint32_t more = s->queue_capacity ? s->queue_capacity * 2 : 8;
		s->queue = mem_grow(s->queue, s->queue_capacity, more, sizeof *s->queue);
		s->queue_capacity = more;
	}
	s->queue[s->queue_count++] = t;
}

static void on_timer(void *ctx)
{
	task_wake(ctx);
}

void task_wake_after(struct task *t, int64_t ns)
{
	t->timer = engine_after(world_engine(t->script->world), ns, on_timer, t);
}

static bool anybody(void *ctx)
{
	return ((struct script *)ctx)->queue_count > 0;
}

/* Resumes one task; EINVAL with the error on its stack. */
static int resume(struct script *s, struct task *t, int arguments)
{
	int results;
	s->current = t;
	state_begin_stretch(s->state);
	int status = lua_resume(t->lua, NULL, arguments, &results);
	s->current = NULL;
	if (status == LUA_YIELD) {
		lua_pop(t->lua, results);
		return 0;
	}
	t->done = true;
	if (t->waiter)
		task_wake(t->waiter);
	return status == LUA_OK ? 0 : EINVAL;
}

int task_drive(struct script *s, struct task *t, int arguments, struct err *err)
{
	int code = resume(s, t, arguments);
	while (!code && !t->done) {
		if (s->queue_count == 0) {
			const char *broken = s->world ? world_broken(s->world) : NULL;
			bool more = !broken && s->world && world_run_while_not(s->world, anybody, s,
								    world_now(s->world) + LONGEST_RUN_NS);
			broken = s->world ? world_broken(s->world) : NULL;
			if (broken) {
				lua_pushfstring(t->lua, "%s", broken);
				return err_set(err, ENOTRECOVERABLE, "%s", broken);
			}
			if (!more) {
				lua_pushstring(t->lua, "the script waits for something that never comes");
				return err_set(err, EINVAL, "%s: the script waits for something that "
							    "never comes", s->file);
			}
			continue;
		}
		struct task *next = s->queue[0];
		memmove(s->queue, s->queue + 1, --s->queue_count * sizeof *s->queue);
		next->queued = false;
		code = resume(s, next, 0);
		if (code && next != t)
			lua_xmove(next->lua, t->lua, 1);
	}
	return code;
}

void tasks_free(struct script *s)
{
	for (uint32_t i = 0; i < s->task_count; i++) {
		if (s->world)
			engine_cancel(world_engine(s->world), &s->tasks[i]->timer);
		free(s->tasks[i]);
	}
	free(s->tasks);
	free(s->queue);
	s->tasks = s->queue = NULL;
	s->task_count = s->queue_count = s->task_capacity = s->queue_capacity = 0;
}

static int svclab_sleep(lua_State *L)
{
	struct script *s = script_of(L);
	lua_Integer ns = luaL_checkinteger(L, 1);
	need_verb(L);
	luaL_argcheck(L, ns >= 0 && ns <= LONGEST_RUN_NS, 1, "expected a duration up to ten years");
	if (!s->current || L != s->current->lua)
		return luaL_error(L, "cannot wait here: this function is called from C");
	task_wake_after(s->current, ns);
	return lua_yield(L, 0);
}

static int svclab_spawn(lua_State *L)
{
	struct script *s = script_of(L);
	need_verb(L);
	luaL_checktype(L, 1, LUA_TFUNCTION);
	struct task *t = task_new(s);
	lua_pushvalue(L, 1);
	lua_xmove(L, t->lua, 1);
	task_wake(t);
	lua_pushinteger(L, t->id);
	return 1;
}

/* Waits until a spawned task has ended. */
static int svclab_join(lua_State *L)
{
	struct script *s = script_of(L);
	lua_Integer id = luaL_checkinteger(L, 1);
	luaL_argcheck(L, id >= 0 && id < s->task_count, 1, "not a task");
	struct task *t = s->tasks[id];
	if (t->done)
		return 0;
	if (t->waiter || t == s->current)
		return luaL_error(L, "this task is waited for already");
	t->waiter = s->current;
	return lua_yield(L, 0);
}

void task_bind(lua_State *L)
{
	static const luaL_Reg functions[] = { { "sleep", svclab_sleep }, { "spawn", svclab_spawn },
					      { "join", svclab_join }, { NULL, NULL } };
	luaL_setfuncs(L, functions, 0);
}
