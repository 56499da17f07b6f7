/* state.c - tables that survive a change of the application's code: fsd.state(name[, initial]) -> table.
 * Owns one table of the registry, name -> table, which belongs to the worker and not to a generation.  The first call with a
 * name keeps its `initial`; every later one, in whatever generation, gets that same table.
 * Called by applications, also while they load.  Must not know what is kept. */
#include "worker/lib/state.h"

#include <lauxlib.h>

#define STATES "fsd.states"

enum { NAME_MAX_BYTES = 255 };

int state_get(lua_State *L)
{
    size_t len;
    (void)luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, len > 0 && len <= NAME_MAX_BYTES, 1, "a name has 1 to 255 bytes");
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
    }
    lua_settop(L, 2);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, STATES);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, 3) != LUA_TNIL) {
        return 1;
    }
    if (lua_isnil(L, 2)) {
        lua_newtable(L);
        lua_replace(L, 2);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_rawset(L, 3);
    lua_settop(L, 2);
    return 1;
}
