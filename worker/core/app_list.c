/* app_list.c - where what an application declares is kept until it is started.
 * Owns, for each key, a table of the registry: application -> list.  Its keys are weak, so that the list of an application that was
 * refused goes with it.  Loading declares and activation starts: a worker in reserve loads the code as well, and so does one
 * that only tries a new version.
 * Called by the areas that add methods to the application's class.  Must not know what is in a list. */
#include "worker/core/app_list.h"

#include <lauxlib.h>

static void push_lists(lua_State *L, const char *key)
{
    if (luaL_getsubtable(L, LUA_REGISTRYINDEX, key)) {
        return;
    }
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

void app_list_get(lua_State *L, const char *key, int app)
{
    app = lua_absindex(L, app);
    app_list_find(L, key, app);
    if (!lua_isnil(L, -1)) {
        return;
    }
    lua_pop(L, 1);
    push_lists(L, key);
    lua_newtable(L);
    lua_pushvalue(L, app);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
    lua_remove(L, -2);
}

void app_list_find(lua_State *L, const char *key, int app)
{
    app = lua_absindex(L, app);
    push_lists(L, key);
    lua_pushvalue(L, app);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}
