/* tests/fuzz/script.c: any bytes as a scenario's text, in the sandbox alone: it compiles or
 * tells file, line and column, runs or ends with one line, and never leaves its bounds. The
 * bound on instructions is a low one here. */
#include <assert.h>
#include <string.h>

#include "lua/state.h"

#include "fuzz.h"

#define FEW_INSTRUCTIONS 20000

static void enough(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	luaL_error(L, "enough");
}

static void print(void *ctx, const char *line)
{
	*(size_t *)ctx += strlen(line);
}

FUZZ_TARGET(bytes, length)
{
	struct choice *choice = choice_new(1);
	size_t printed = 0;
	struct state *s = state_new(&(struct state_options){ .choice = choice, .print = print,
							     .ctx = &printed });
	lua_State *L = state_lua(s);
	struct err err = { "" };
	struct strbuf source = { 0 };
	strbuf_add(&source, (const char *)bytes, length);
	state_make_strict(s);
	state_begin_stretch(s);
	lua_sethook(L, enough, LUA_MASKCOUNT, FEW_INSTRUCTIONS);
	int code = state_compile(L, "fuzz.lua", strbuf_text(&source), length, &err);
	if (code == 0 && lua_pcall(L, 0, 1, 0) != LUA_OK) {
		state_error(L, "fuzz.lua", strbuf_text(&source), &err);
		code = 1;
	}
	assert(!code || (err.text[0] && !strchr(err.text, '\n')));
	strbuf_free(&source);
	state_free(s);
	choice_free(choice);
}
