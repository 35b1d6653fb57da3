/* The sandbox that scenarios run in: order, bounds, one-line errors; unified differences. */
#include <stdlib.h>

#include "core/choice.h"
#include "lua/internal.h"
#include "lua/order.h"
#include "tests/unit/check.h"

static struct choice *choice;

static struct state *fresh(void)
{
	choice = choice_new(1);
	return state_new(&(struct state_options){ .choice = choice });
}

static void drop(struct state *s)
{
	state_free(s);
	choice_free(choice);
}

/* Runs a chunk; its result as text, or the error line. */
static const char *run(struct state *s, const char *source)
{
	static char out[700];
	struct err err = { 0 };
	lua_State *L = state_lua(s);
	lua_settop(L, 0);
	state_begin_stretch(s);
	if (state_compile(L, "t.lua", source, strlen(source), &err) == 0) {
		if (lua_pcall(L, 0, 1, 0) == LUA_OK) {
			order_tostring(L, -1);
			snprintf(out, sizeof out, "%s", lua_tostring(L, -1));
			return out;
		}
		state_error(L, "t.lua", source, &err);
	}
	snprintf(out, sizeof out, "%s", err.text);
	return out;
}

static void pairs_are_sorted(void)
{
	struct state *s = fresh();
	CHECK_TEXT(run(s, "local t = {b=1, a=2, [3]='x', [true]=0, [1.5]='y'} local o = {}\n"
			  "for k in pairs(t) do o[#o+1] = tostring(k) end return table.concat(o, ' ')"),
		   "1.5 3 a b true");
	CHECK_TEXT(run(s, "local t = {} for i = 1, 300 do t['k' .. (i * 7919 % 1000)] = i end\n"
			  "local last = '' for k in pairs(t) do if k <= last then return k end last = k end\n"
			  "return next({z=1,y=2})"), "y");
	CHECK_TEXT(run(s, "for k in pairs({[{}]=1}) do end"),
		   "t.lua:1:1: a table is the key of a table that is walked; expected numbers, strings or "
		   "booleans");
	drop(s);
}

static void text_has_no_addresses(void)
{
	struct state *s = fresh();
	CHECK_TEXT(run(s, "return {1, 'two', {x = true}}"), "{ 1, \"two\", { x = true } }");
	CHECK_TEXT(run(s, "return tostring(print) .. ' ' .. string.format('%s', {a = 1})"),
		   "function { a = 1 }");
	CHECK(strstr(run(s, "return string.format('%p', {})"), "address") != NULL);
	drop(s);
}

static void nothing_reaches_the_machine(void)
{
	struct state *s = fresh();
	const char *const gone[] = { "io", "os", "package", "debug", "coroutine", "load", "dofile",
				     "loadfile", "require", "collectgarbage" };
	for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
		char source[64];
		snprintf(source, sizeof source, "return tostring(rawget(_G, '%s'))", gone[i]);
		CHECK_TEXT(run(s, source), "nil");
	}
	drop(s);
}

static void random_follows_the_seed(void)
{
	struct state *s = fresh();
	char first[200];
	const char *source = "local o = {} for i = 1, 8 do o[i] = math.random(1, 100) end return o";
	snprintf(first, sizeof first, "%s", run(s, source));
	drop(s);
	s = fresh();
	CHECK_TEXT(run(s, source), first);
	CHECK_TEXT(run(s, "local x = math.random() return x >= 0 and x < 1"), "true");
	drop(s);
}

static void bounds_end_a_script(void)
{
	struct state *s = fresh();
	CHECK(strstr(run(s, "while true do end"), "without waiting") != NULL);
	CHECK(strstr(run(s, "local t = {} while true do t[#t+1] = ('x'):rep(1 << 24) end"),
		     "not enough memory") != NULL);
	drop(s);
}

static void errors_name_line_and_column(void)
{
	struct state *s = fresh();
	CHECK_TEXT(run(s, "local x = 1\n  local y = = 2"),
		   "t.lua:2:11: unexpected symbol near '=', expected a statement or an expression");
	CHECK_TEXT(run(s, "if true then\nreturn 1"),
		   "t.lua:2:9: 'end' expected (to close 'if' at line 1) near <eof>");
	CHECK_TEXT(run(s, "local t = {}\n  t.missing.field = 1"),
		   "t.lua:2:5: attempt to index a nil value (field 'missing')");
	state_make_strict(s);
	CHECK_TEXT(run(s, "x = 1"), "t.lua:1:1: 'x' would become a global; expected 'local x'");
	CHECK_TEXT(run(s, "\033Lua"), "t.lua:1:1: this is compiled Lua; expected source text");
	drop(s);
}

static void differences_are_unified(void)
{
	struct strbuf out = { 0 };
	unified_difference("a", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "b", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n", &out);
	CHECK_TEXT(strbuf_text(&out), "--- a\n+++ b\n@@ -2,8 +2,9 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n 9\n+10\n");
	strbuf_clear(&out);
	unified_difference("a", "", "b", "x\n", &out);
	CHECK_TEXT(strbuf_text(&out), "--- a\n+++ b\n@@ -0,0 +1,1 @@\n+x\n");
	strbuf_free(&out);
}

static const struct check tests[] = {
	{ "pairs and next walk keys in sorted order", pairs_are_sorted },
	{ "no text shows an address", text_has_no_addresses },
	{ "a script cannot reach files, processes or other code", nothing_reaches_the_machine },
	{ "math.random follows the seed", random_follows_the_seed },
	{ "an endless loop and endless memory end with an error", bounds_end_a_script },
	{ "errors are one line with file, line and column", errors_name_line_and_column },
	{ "differences of texts are unified with three lines of context", differences_are_unified },
};
CHECK_MAIN(tests)
