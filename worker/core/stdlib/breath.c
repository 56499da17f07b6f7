/* breath.c - lets loops in C be preempted.
 * Owns an empty Lua function in the registry.  A hook runs at instructions of Lua's machine and nowhere else; so a loop in C
 * that has worked for about a millisecond calls that function, by a call that may yield: an armed hook then does what it
 * does in any function.  Costs less than 100 ns.  Called by the functions that replace those of Lua's libraries.
 * Must not know who arms hooks and why. */
#include "worker/core/stdlib/breath.h"

#include <lauxlib.h>

static const char key[] = "fsd.breath";

void breath_open(lua_State *L)
{
    static const char source[] = "return function() end";
    if (luaL_loadbufferx(L, source, sizeof(source) - 1, "=breath", "t") != LUA_OK) {
        lua_error(L);
    }
    lua_call(L, 0, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void breath_take(lua_State *L, lua_KContext context, lua_KFunction next)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, key);
    lua_callk(L, 0, 0, context, next);
}
