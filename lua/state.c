/* lua/state.c: see state.h. */
#include "lua/state.h"

#include <ctype.h>
#include <errno.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "core/arena.h"
#include "lua/order.h"

#define HOOK_STEP 1000000

struct state {
	lua_State *lua;
	struct state_options options;
	size_t bytes;
	uint64_t steps; /* hooks since the stretch began */
};

static struct state *self(lua_State *L)
{
	return *(struct state **)lua_getextraspace(L);
}

static void *allocate(void *ctx, void *old, size_t old_size, size_t size)
{
	struct state *s = ctx;
	size_t before = old ? old_size : 0;
	if (size == 0) {
		s->bytes -= before;
		free(old);
		return NULL;
	}
	if (size > before && s->bytes - before + size > STATE_MEMORY_BYTES)
		return NULL;
	void *grown = realloc(old, size);
	if (grown)
		s->bytes += size - before;
	return grown;
}

static void on_count(lua_State *L, lua_Debug *ar)
{
	(void)ar;
	struct state *s = self(L);
	if (++s->steps > STATE_INSTRUCTIONS / HOOK_STEP)
		luaL_error(L, "the script ran %d million instructions without waiting; expected it "
			      "to wait or end", (int)(STATE_INSTRUCTIONS / 1000000));
}

static int random_draw(lua_State *L)
{
	struct state *s = self(L);
	if (lua_gettop(L) == 0) {
		uint64_t n = choice_uniform(s->options.choice, "script", UINT64_C(1) << 53);
		lua_pushnumber(L, (lua_Number)n / 9007199254740992.0);
		return 1;
	}
	lua_Integer low = lua_gettop(L) > 1 ? luaL_checkinteger(L, 1) : 1;
	lua_Integer high = luaL_checkinteger(L, lua_gettop(L) > 1 ? 2 : 1);
	luaL_argcheck(L, low <= high && (lua_Unsigned)high - (lua_Unsigned)low < LUA_MAXINTEGER, 1,
		      "interval is empty");
	uint64_t count = (uint64_t)high - (uint64_t)low + 1;
	lua_pushinteger(L, low + (lua_Integer)choice_uniform(s->options.choice, "script", count));
	return 1;
}

static int print_line(lua_State *L)
{
	struct state *s = self(L);
	luaL_Buffer b;
	int n = lua_gettop(L);
	luaL_buffinit(L, &b);
	for (int i = 1; i <= n; i++) {
		if (i > 1)
			luaL_addchar(&b, '\t');
		order_tostring(L, i);
		luaL_addvalue(&b);
	}
	luaL_pushresult(&b);
	if (s->options.print)
		s->options.print(s->options.ctx, lua_tostring(L, -1));
	return 0;
}

/* string.format without %p, and with our tostring behind %s. */
static int format(lua_State *L)
{
	size_t length;
	const char *fmt = luaL_checklstring(L, 1, &length);
	int n = lua_gettop(L), argument = 1;
	for (const char *p = fmt; (p = memchr(p, '%', length - (size_t)(p - fmt))); ) {
		p++;
		if (*p == '%') {
			p++;
			continue;
		}
		p += strspn(p, "-+ #0123456789.");
		argument++;
		if (*p == 'p')
			return luaL_error(L, "%%p shows an address, which differs in every run");
		if (*p == 's' && argument <= n && lua_type(L, argument) >= LUA_TTABLE) {
			order_tostring(L, argument);
			lua_replace(L, argument);
		}
		if (!*p)
			break;
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, n, 1);
	return 1;
}

static const char *const removed[] = { "dofile", "loadfile", "load", "collectgarbage", "require",
				       NULL };

static void open_libraries(lua_State *L)
{
	static const luaL_Reg libraries[] = { { LUA_GNAME, luaopen_base },
					      { LUA_TABLIBNAME, luaopen_table },
					      { LUA_STRLIBNAME, luaopen_string },
					      { LUA_MATHLIBNAME, luaopen_math },
					      { LUA_UTF8LIBNAME, luaopen_utf8 },
					      { NULL, NULL } };
	for (const luaL_Reg *l = libraries; l->func; l++) {
		luaL_requiref(L, l->name, l->func, 1);
		lua_pop(L, 1);
	}
	for (const char *const *name = removed; *name; name++) {
		lua_pushnil(L);
		lua_setglobal(L, *name);
	}
	lua_register(L, "print", print_line);
	lua_register(L, "pairs", order_pairs);
	lua_register(L, "next", order_next);
	lua_register(L, "tostring", order_tostring_function);
	lua_getglobal(L, "math");
	lua_pushcfunction(L, random_draw);
	lua_setfield(L, -2, "random");
	lua_pushnil(L);
	lua_setfield(L, -2, "randomseed");
	lua_pop(L, 1);
	lua_getglobal(L, "string");
	lua_getfield(L, -1, "format");
	lua_pushcclosure(L, format, 1);
	lua_setfield(L, -2, "format");
	lua_pushnil(L);
	lua_setfield(L, -2, "dump");
	lua_pop(L, 1);
}

struct state *state_new(const struct state_options *options)
{
	struct state *s = mem_alloc(sizeof *s);
	s->options = *options;
	s->lua = lua_newstate(allocate, s);
	if (!s->lua)
		abort();
	*(struct state **)lua_getextraspace(s->lua) = s;
	open_libraries(s->lua);
	lua_sethook(s->lua, on_count, LUA_MASKCOUNT, HOOK_STEP);
	return s;
}

void state_free(struct state *s)
{
	if (!s)
		return;
	lua_close(s->lua);
	free(s);
}

lua_State *state_lua(struct state *s)
{
	return s->lua;
}

void state_set_choice(struct state *s, struct choice *choice)
{
	s->options.choice = choice;
}

void state_begin_stretch(struct state *s)
{
	s->steps = 0;
}

static int unknown_global(lua_State *L)
{
	return luaL_error(L, "there is no global '%s'; expected a local or a verb of the scenario "
			     "language", lua_tostring(L, 2));
}

static int new_global(lua_State *L)
{
	return luaL_error(L, "'%s' would become a global; expected 'local %s'", lua_tostring(L, 2),
			  lua_tostring(L, 2));
}

void state_make_strict(struct state *s)
{
	lua_State *L = s->lua;
	lua_pushglobaltable(L);
	lua_newtable(L);
	lua_pushcfunction(L, unknown_global);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, new_global);
	lua_setfield(L, -2, "__newindex");
	lua_pushboolean(L, 0);
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_pop(L, 1);
}

lua_State *state_thread(struct state *s, int *ref)
{
	lua_State *thread = lua_newthread(s->lua);
	lua_sethook(thread, on_count, LUA_MASKCOUNT, HOOK_STEP);
	*ref = luaL_ref(s->lua, LUA_REGISTRYINDEX);
	return thread;
}

int state_compile(lua_State *L, const char *file, const char *text, size_t length,
		  struct err *err)
{
	if (length > 3 && memcmp(text, LUA_SIGNATURE, 4) == 0)
		return err_at(err, EINVAL, file, 1, 1, "this is compiled Lua; expected source text");
	lua_pushfstring(L, "@%s", file);
	int status = luaL_loadbufferx(L, text, length, lua_tostring(L, -1), "t");
	lua_remove(L, -2);
	if (status == LUA_OK)
		return 0;
	state_error(L, file, text, err);
	return EINVAL;
}

/* Start of line `number` of the source, NULL when it has fewer. */
static const char *source_line(const char *source, int number, size_t *length)
{
	const char *p = source;
	for (int i = 1; p && i < number; i++) {
		p = strchr(p, '\n');
		p = p ? p + 1 : NULL;
	}
	*length = p ? strcspn(p, "\n") : 0;
	return p;
}

/* The word that the message quotes last, as 'word', is where the trouble is. */
static int column_of(const char *message, const char *line, size_t length)
{
	const char *end = strrchr(message, '\''), *begin = NULL;
	for (const char *p = message; end && p < end; p++)
		if (*p == '\'')
			begin = p + 1;
	size_t indent = strspn(line, " \t");
	int fallback = (int)(indent < length ? indent : 0) + 1;
	if (!begin || begin >= end || strstr(message, "near <eof>"))
		return strstr(message, "near <eof>") ? (int)length + 1 : fallback;
	size_t word = (size_t)(end - begin);
	for (size_t i = 0; i + word <= length; i++) {
		bool begins = i == 0 || !isalnum((unsigned char)line[i - 1]) || !isalnum((unsigned char)*begin);
		bool ends = i + word == length || !isalnum((unsigned char)line[i + word]) ||
			    !isalnum((unsigned char)end[-1]);
		if (begins && ends && memcmp(line + i, begin, word) == 0)
			return (int)i + 1;
	}
	return fallback;
}

/* Replaces the message at the top, which stands at no line of the script (it comes
 * from C or from the prelude), by one that names the script's innermost line: after an
 * error the stack of a coroutine is still there. */
static void locate(lua_State *L, const char *file)
{
	const char *text = lua_tostring(L, -1);
	size_t name = strlen(file);
	lua_Debug ar;
	if (strncmp(text, file, name) == 0 && text[name] == ':')
		return;
	if (strncmp(text, "prelude:", 8) == 0) {
		const char *message = strchr(text + 8, ':');
		text = message ? message + 1 + (message[1] == ' ') : text;
	}
	for (int level = 0; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (ar.source[0] == '@' && strcmp(ar.source + 1, file) == 0 && ar.currentline > 0) {
			lua_pushfstring(L, "%s:%d: %s", file, ar.currentline, text);
			lua_replace(L, -2);
			return;
		}
	}
}

void state_error(lua_State *L, const char *file, const char *source, struct err *err)
{
	order_tostring(L, -1);
	locate(L, file);
	const char *text = lua_tostring(L, -1);
	size_t name = strlen(file);
	if (strncmp(text, file, name) == 0 && text[name] == ':') {
		char *message;
		long number = strtol(text + name + 1, &message, 10);
		size_t length;
		const char *line = number > 0 ? source_line(source, (int)number, &length) : NULL;
		message += *message == ':';
		message += *message == ' ';
		bool vague = strstr(message, "unexpected symbol") != NULL;
		if (line)
			err_at(err, EINVAL, file, (int)number, column_of(message, line, length), "%s%s",
			       message, vague ? ", expected a statement or an expression" : "");
		else
			err_set(err, EINVAL, "%s", text);
	} else {
		err_set(err, EINVAL, "%s", text);
	}
	for (char *c = err->text; *c; c++) /* a token may go over several lines */
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	lua_pop(L, 2);
}
