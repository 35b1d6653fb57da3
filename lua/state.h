/* lua/state.h: the sandbox that scenarios run in.
 *
 * A state is Lua 5.4 without what would make two runs differ or let a script reach
 * the machine: no io, os, package, debug, coroutine, load, dofile. `pairs` and
 * `next` walk keys in sorted order (numbers, strings, booleans; other keys are an
 * error), `tostring` shows no addresses, math.random draws from core/choice (site
 * "script"), print writes to `print`. Globals are strict: reading or writing an
 * unknown one is an error.
 *
 * Bounds: a state may take STATE_MEMORY_BYTES; a stretch of script without waiting may
 * take STATE_INSTRUCTIONS, then it ends with an error.
 *
 * Only lua/ includes lua.h. Errors come back as one line file:line:column.
 */
#ifndef LUA_STATE_H
#define LUA_STATE_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

#include "core/choice.h"
#include "core/err.h"
#include "core/strbuf.h"

#define STATE_MEMORY_BYTES ((size_t)1 << 30)
#define STATE_INSTRUCTIONS UINT64_C(2000000000)

struct state_options {
	struct choice *choice;
	void (*print)(void *ctx, const char *line);
	void *ctx;
};

struct state;

/* The state keeps the options' choice. */
struct state *state_new(const struct state_options *options);
void state_free(struct state *s);
lua_State *state_lua(struct state *s);
void state_set_choice(struct state *s, struct choice *choice);
/* Call before each resume: the stretch begins. */
void state_begin_stretch(struct state *s);
/* Forbids unknown globals from now on. */
void state_make_strict(struct state *s);
/* A coroutine that forgets nothing of the bounds above; anchored at registry index
 * *ref (luaL_unref when it is done). */
lua_State *state_thread(struct state *s, int *ref);

/* Compiles script text as `file` (shown in messages) and leaves the function on L's
 * stack; EINVAL with file:line:column on a syntax error. */
int state_compile(lua_State *L, const char *file, const char *text, size_t length,
		  struct err *err);
/* The error value at the top of L's stack as one line file:line:column where that can
 * be told, `source` being the script's text; pops it. */
void state_error(lua_State *L, const char *file, const char *source, struct err *err);

#endif
