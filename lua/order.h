/* lua/order.h: walks of tables in an order that is the same in every run.
 *
 * Lua 5.4 seeds its string hashes from an address and the time, so `pairs` differs
 * between processes. Here keys are sorted: numbers, then strings, then booleans.
 */
#ifndef LUA_ORDER_H
#define LUA_ORDER_H

#include <lua.h>

/* pairs(t) (honours __pairs) and next(t, key). */
int order_pairs(lua_State *L);
int order_next(lua_State *L);
/* Pushes the value at `index` as text: __tostring is honoured, tables show their
 * contents sorted (three levels), other types their type's name only. */
void order_tostring(lua_State *L, int index);
int order_tostring_function(lua_State *L);

#endif
