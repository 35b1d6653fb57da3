/* lua/order.c: see order.h. */
#include "lua/order.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

static int rank(lua_State *L, int index)
{
	switch (lua_type(L, index)) {
	case LUA_TNUMBER:
		return 0;
	case LUA_TSTRING:
		return 1;
	case LUA_TBOOLEAN:
		return 2;
	default:
		return luaL_error(L, "a %s is the key of a table that is walked; expected numbers, "
				     "strings or booleans", luaL_typename(L, index));
	}
}

/* Whether the key at a comes before the one at b. */
static bool before(lua_State *L, int a, int b)
{
	int ra = rank(L, a), rb = rank(L, b);
	if (ra != rb)
		return ra < rb;
	if (ra == 2)
		return !lua_toboolean(L, a) && lua_toboolean(L, b);
	return lua_compare(L, a, b, LUA_OPLT);
}

/* Sift-down of a heap sort over list[1..count] at `list`. */
static void sift(lua_State *L, int list, lua_Integer root, lua_Integer count)
{
	for (;;) {
		lua_Integer child = root * 2;
		if (child > count)
			return;
		lua_rawgeti(L, list, child);
		if (child + 1 <= count) {
			lua_rawgeti(L, list, child + 1);
			if (before(L, -2, -1)) {
				child++;
				lua_remove(L, -2);
			} else {
				lua_pop(L, 1);
			}
		}
		lua_rawgeti(L, list, root);
		if (!before(L, -1, -2)) {
			lua_pop(L, 2);
			return;
		}
		lua_rawseti(L, list, child);
		lua_rawseti(L, list, root);
		root = child;
	}
}

/* Pushes a list of the table's keys, sorted; returns their number. */
static lua_Integer sorted_keys(lua_State *L, int table)
{
	lua_Integer count = 0;
	bool sorted = true;
	lua_newtable(L);
	int list = lua_gettop(L);
	lua_pushnil(L);
	while (lua_next(L, table)) {
		lua_pop(L, 1);
		rank(L, -1);
		if (count > 0) {
			lua_rawgeti(L, list, count);
			sorted = sorted && before(L, -1, -2);
			lua_pop(L, 1);
		}
		lua_pushvalue(L, -1);
		lua_rawseti(L, list, ++count);
	}
	if (sorted)
		return count;
	for (lua_Integer i = count / 2; i >= 1; i--)
		sift(L, list, i, count);
	for (lua_Integer end = count; end > 1; end--) {
		lua_rawgeti(L, list, 1);
		lua_rawgeti(L, list, end);
		lua_rawseti(L, list, 1);
		lua_rawseti(L, list, end);
		sift(L, list, 1, end - 1);
	}
	return count;
}

/* Upvalues: the keys, their number, the position. Removed keys are passed over. */
static int step(lua_State *L)
{
	lua_Integer count = lua_tointeger(L, lua_upvalueindex(2));
	lua_Integer at = lua_tointeger(L, lua_upvalueindex(3));
	while (at < count) {
		lua_rawgeti(L, lua_upvalueindex(1), ++at);
		lua_pushvalue(L, -1);
		if (lua_gettable(L, 1) != LUA_TNIL) {
			lua_pushinteger(L, at);
			lua_replace(L, lua_upvalueindex(3));
			return 2;
		}
		lua_pop(L, 2);
	}
	lua_pushnil(L);
	return 1;
}

int order_pairs(lua_State *L)
{
	luaL_checkany(L, 1);
	if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
		lua_pushvalue(L, 1);
		lua_call(L, 1, 3);
		return 3;
	}
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_Integer count = sorted_keys(L, 1);
	lua_pushinteger(L, count);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, step, 3);
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	return 3;
}

int order_next(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	lua_Integer count = sorted_keys(L, 1);
	lua_Integer at = 1;
	if (!lua_isnil(L, 2)) {
		for (; at <= count; at++) {
			lua_rawgeti(L, 3, at);
			bool same = lua_rawequal(L, -1, 2);
			lua_pop(L, 1);
			if (same)
				break;
		}
		if (at++ > count)
			return luaL_error(L, "invalid key to 'next'");
	}
	if (at > count) {
		lua_pushnil(L);
		return 1;
	}
	lua_rawgeti(L, 3, at);
	lua_pushvalue(L, -1);
	lua_rawget(L, 1);
	return 2;
}

static void add_text(lua_State *L, luaL_Buffer *b, int index, int depth);

static void add_table(lua_State *L, int table, int depth)
{
	lua_Integer count = sorted_keys(L, table), sequence = 1;
	int keys = lua_gettop(L);
	lua_newtable(L);
	int texts = lua_gettop(L);
	for (lua_Integer i = 1; i <= count; i++) {
		luaL_Buffer item;
		lua_rawgeti(L, keys, i);
		int key = lua_gettop(L);
		lua_pushvalue(L, key);
		lua_rawget(L, table);
		int value = lua_gettop(L);
		luaL_buffinit(L, &item);
		if (lua_isinteger(L, key) && lua_tointeger(L, key) == sequence) {
			sequence++;
		} else {
			lua_pushvalue(L, key);
			luaL_tolstring(L, -1, NULL);
			lua_remove(L, -2);
			luaL_addvalue(&item);
			luaL_addstring(&item, " = ");
		}
		add_text(L, &item, value, depth + 1);
		luaL_pushresult(&item);
		lua_rawseti(L, texts, i);
		lua_settop(L, texts);
	}
	luaL_Buffer all;
	luaL_buffinit(L, &all);
	luaL_addstring(&all, count ? "{ " : "{");
	for (lua_Integer i = 1; i <= count; i++) {
		if (i > 1)
			luaL_addstring(&all, ", ");
		lua_rawgeti(L, texts, i);
		luaL_addvalue(&all);
	}
	luaL_addstring(&all, count ? " }" : "}");
	luaL_pushresult(&all);
	lua_replace(L, keys);
	lua_settop(L, keys);
}

/* Pushes the text of the value at `index`. */
static void push_text(lua_State *L, int index, int depth)
{
	luaL_checkstack(L, 20, "table too deep");
	int type = lua_type(L, index);
	if (luaL_getmetafield(L, index, "__tostring") != LUA_TNIL) {
		lua_pushvalue(L, index);
		lua_call(L, 1, 1);
		if (!lua_isstring(L, -1))
			luaL_error(L, "'__tostring' must return a string");
		return;
	}
	if (type == LUA_TTABLE && depth < 4)
		add_table(L, index, depth);
	else if (type == LUA_TTABLE)
		lua_pushstring(L, "{...}");
	else if (type == LUA_TSTRING && depth > 0)
		lua_pushfstring(L, "\"%s\"", lua_tostring(L, index));
	else if (type > LUA_TTABLE || type == LUA_TLIGHTUSERDATA)
		lua_pushstring(L, lua_typename(L, type));
	else
		luaL_tolstring(L, index, NULL);
}

static void add_text(lua_State *L, luaL_Buffer *b, int index, int depth)
{
	push_text(L, index, depth);
	luaL_addvalue(b);
}

void order_tostring(lua_State *L, int index)
{
	push_text(L, lua_absindex(L, index), 0);
}

int order_tostring_function(lua_State *L)
{
	luaL_checkany(L, 1);
	push_text(L, 1, 0);
	return 1;
}
