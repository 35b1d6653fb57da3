/* lua/bind_text.c: durations, positions in the script, golden texts. */
#include <errno.h>
#include <string.h>

#include "core/file.h"
#include "kube/types.h"
#include "lua/internal.h"
#include "lua/order.h"

/* duration("1m30s") -> ns; a number counts seconds */
static int svclab_duration(lua_State *L)
{
	int64_t ns;
	if (lua_type(L, 1) == LUA_TNUMBER) {
		lua_Number seconds = lua_tonumber(L, 1);
		luaL_argcheck(L, seconds >= 0 && seconds < 1e9, 1, "expected seconds, 0 to 1e9");
		lua_pushinteger(L, (lua_Integer)(seconds * 1e9 + 0.5));
		return 1;
	}
	const char *text = luaL_checkstring(L, 1);
	if (!kube_duration_parse(text, &ns) || ns < 0)
		return luaL_error(L, "\"%s\" is not a duration; expected one like \"31s\" or \"1m30s\"", text);
	lua_pushinteger(L, ns);
	return 1;
}

/* where() -> "file:line" of the innermost frame that is the scenario's own */
static int svclab_where(lua_State *L)
{
	struct script *s = script_of(L);
	lua_Debug ar;
	for (int level = 0; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (ar.source[0] == '@' && strcmp(ar.source + 1, s->file) == 0) {
			lua_pushfstring(L, "%s:%d", s->file, ar.currentline);
			return 1;
		}
	}
	lua_pushstring(L, s->file);
	return 1;
}

/* tests/golden of the tree that the script lies in, else beside the script. */
static const char *golden_folder(struct script *s)
{
	const char *at = strstr(s->file, "scenarios/");
	if (at)
		return arena_printf(s->arena, "%.*stests/golden", (int)(at - s->file), s->file);
	const char *slash = strrchr(s->file, '/');
	return arena_printf(s->arena, "%.*sgolden", slash ? (int)(slash - s->file) + 1 : 0, s->file);
}

/* golden(NAME, text) -> true, or false and a unified difference */
static int svclab_golden(lua_State *L)
{
	struct script *s = script_of(L);
	const char *name = luaL_checkstring(L, 1);
	size_t length;
	const char *text = luaL_checklstring(L, 2, &length);
	struct err err = { 0 };
	struct strbuf expected = { 0 };
	luaL_argcheck(L, *name && !strstr(name, "..") && *name != '/', 1,
		      "expected a name below tests/golden");
	strbuf_add(&s->golden, name, strlen(name) + 1);
	const char *path = arena_printf(s->arena, "%s/%s", golden_folder(s), name);
	if (s->options->update) {
		const char *slash = strrchr(path, '/');
		int code = file_make_folder(arena_strndup(s->arena, path, (size_t)(slash - path)), &err);
		if (!code)
			code = file_write(path, text, length, &err);
		if (code)
			return raise_err(L, &err);
		lua_pushboolean(L, true);
		return 1;
	}
	if (script_read(s, path, &expected, &err)) {
		lua_pushboolean(L, false);
		lua_pushfstring(L, "%s; `svclab run --update %s` writes it", err.text, s->file);
		return 2;
	}
	bool same = expected.length == length && memcmp(strbuf_text(&expected), text, length) == 0;
	lua_pushboolean(L, same);
	if (!same) {
		struct strbuf difference = { 0 };
		unified_difference(path, strbuf_text(&expected), "actual", text, &difference);
		lua_pushstring(L, strbuf_text(&difference));
		strbuf_free(&difference);
	}
	strbuf_free(&expected);
	return same ? 1 : 2;
}

/* show(value) -> text for a failure: strings quoted, tables opened */
static int svclab_show(lua_State *L)
{
	luaL_checkany(L, 1);
	if (lua_type(L, 1) == LUA_TSTRING)
		lua_pushfstring(L, "\"%s\"", lua_tostring(L, 1));
	else
		order_tostring(L, 1);
	return 1;
}

void bind_texts(lua_State *L)
{
	static const luaL_Reg functions[] = { { "duration", svclab_duration }, { "where", svclab_where },
					      { "golden", svclab_golden }, { "show", svclab_show },
					      { NULL, NULL } };
	luaL_setfuncs(L, functions, 0);
}
