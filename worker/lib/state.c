/* state.c - tables that survive a change of the application's code: fsd.state(name[, initial]) -> table.
 * Owns one table of the registry, name -> table, which belongs to the worker and not to a generation.  The first call with a
 * name keeps its `initial`; every later one, in whatever generation, gets that same table.  Code that is only tried makes tables on
 * probation: they go when it is dropped, unless code that runs has asked for them meanwhile; what it has changed in others stays changed.
 * Called by applications, also while they load; life_code.c says what has become of the code.  Must not know what is kept. */
#include "worker/lib/state.h"

#include <lauxlib.h>

#include "worker/core/runtime.h"

#define STATES    "fsd.states"
#define PROBATION "fsd.states.tried" /* a set of the names */

enum { NAME_MAX_BYTES = 255 };

static bool is_tried(lua_State *L)
{
    const struct task *task = runtime_of(L)->tasks.running;
    return task != NULL && task->trial != TASK_TRIAL_NONE;
}

/* The name at index 1 is on probation, or is not. */
static void mark(lua_State *L, bool is_on_probation)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, PROBATION);
    lua_pushvalue(L, 1);
    if (is_on_probation) {
        lua_pushboolean(L, 1);
    } else {
        lua_pushnil(L);
    }
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

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
        if (!is_tried(L)) {
            mark(L, false);
        }
        return 1;
    }
    if (is_tried(L)) {
        mark(L, true);
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

void state_keep_tried(lua_State *L)
{
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, PROBATION);
}

void state_drop_tried(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, PROBATION);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, STATES);
    lua_pushnil(L);
    while (lua_next(L, -3) != 0) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, -4);
    }
    lua_pop(L, 2);
    state_keep_tried(L);
}
