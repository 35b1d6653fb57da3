/* lua/common.c: what the bindings share. */
#include <jansson.h>
#include <string.h>

#include "lua/internal.h"

static const char script_key;

void script_register(lua_State *L, struct script *s)
{
	lua_pushlightuserdata(L, s);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &script_key);
}

struct script *script_of(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &script_key);
	struct script *s = lua_touserdata(L, -1);
	lua_pop(L, 1);
	return s;
}

struct world *need_world(lua_State *L)
{
	struct script *s = script_of(L);
	if (!s->world)
		luaL_error(L, "there is no cluster yet; expected scenario {...} first");
	return s->world;
}

struct world *need_verb(lua_State *L)
{
	struct script *s = script_of(L);
	struct world *w = need_world(L);
	if (s->phase == PHASE_TOP && s->test_count)
		luaL_error(L, "this would happen before the tests above it; expected it inside a test");
	return w;
}

int raise_err(lua_State *L, const struct err *err)
{
	lua_pushstring(L, err->text);
	return lua_error(L);
}

int raise_located(lua_State *L, const struct err *err)
{
	lua_newtable(L);
	lua_pushstring(L, err->text);
	lua_setfield(L, -2, "located");
	return lua_error(L);
}

struct place *check_place(lua_State *L, int index)
{
	struct err err = { 0 };
	struct place *p = world_place(need_world(L), luaL_checkstring(L, index), &err);
	if (!p)
		raise_err(L, &err);
	return p;
}

const char *field_string(lua_State *L, int index, const char *name, const char *otherwise)
{
	const char *value = otherwise;
	int type = lua_getfield(L, index, name);
	if (type == LUA_TSTRING || type == LUA_TNUMBER)
		value = lua_tostring(L, -1);
	else if (type != LUA_TNIL)
		luaL_error(L, "%s: expected a string, not a %s", name, lua_typename(L, type));
	if (type == LUA_TNUMBER) { /* the text must outlive the pop */
		lua_pushstring(L, value);
		lua_setfield(L, index, name);
	}
	lua_pop(L, 1);
	return value;
}

int64_t field_integer(lua_State *L, int index, const char *name, int64_t otherwise)
{
	int ok;
	int type = lua_getfield(L, index, name);
	if (type == LUA_TNIL) {
		lua_pop(L, 1);
		return otherwise;
	}
	lua_Integer value = lua_tointegerx(L, -1, &ok);
	if (!ok)
		luaL_error(L, "%s: expected an integer, not a %s", name, lua_typename(L, type));
	lua_pop(L, 1);
	return value;
}

bool field_bool(lua_State *L, int index, const char *name)
{
	lua_getfield(L, index, name);
	bool value = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
}

void set_string(lua_State *L, const char *name, const char *value)
{
	if (!value)
		return;
	lua_pushstring(L, value);
	lua_setfield(L, -2, name);
}

void set_integer(lua_State *L, const char *name, int64_t value)
{
	lua_pushinteger(L, value);
	lua_setfield(L, -2, name);
}

static void push_value(lua_State *L, const json_t *v)
{
	const char *key;
	json_t *item;
	size_t i;
	luaL_checkstack(L, 8, "JSON nested too deep");
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		lua_newtable(L);
		json_object_foreach((json_t *)v, key, item) {
			push_value(L, item);
			lua_setfield(L, -2, key);
		}
		return;
	case JSON_ARRAY:
		lua_newtable(L);
		json_array_foreach(v, i, item) {
			push_value(L, item);
			lua_rawseti(L, -2, (lua_Integer)i + 1);
		}
		return;
	case JSON_STRING:
		lua_pushlstring(L, json_string_value(v), json_string_length(v));
		return;
	case JSON_INTEGER:
		lua_pushinteger(L, json_integer_value(v));
		return;
	case JSON_REAL:
		lua_pushnumber(L, json_real_value(v));
		return;
	case JSON_TRUE:
	case JSON_FALSE:
		lua_pushboolean(L, json_is_true(v));
		return;
	default:
		lua_pushnil(L);
	}
}

int push_json(lua_State *L, const char *text, size_t length)
{
	json_error_t error;
	json_t *v = json_loadb(text, length, JSON_DECODE_ANY, &error);
	if (!v)
		return luaL_error(L, "JSON: line %d: %s", error.line, error.text);
	push_value(L, v);
	json_decref(v);
	return 1;
}
