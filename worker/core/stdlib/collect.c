/* collect.c - collectgarbage that lets others run in between.
 * Owns nothing.  A full collection is two cycles in steps: the first may have begun before, and so finds only what was unreachable
 * then.  In generational mode there are no steps, and where nothing can be put aside they would be of no use: there Lua's own
 * function runs, as it does for all other options.  Called by Lua. */
#include "worker/core/stdlib/collect.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "worker/core/stdlib/breath.h"

enum {
    CYCLES = 2,
    STEP_KIB = 8, /* what Lua takes one step for by default */
    STEPS_FEW = 32,
};

static int run_original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* The context is how many cycles have ended. */
static int collect_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    lua_KContext ended = context;
    while (ended < CYCLES) {
        ended += lua_gc(L, LUA_GCSTEP, 0);
        breath_take(L, ended, collect_on);
    }
    lua_pushinteger(L, 0);
    return 1;
}

/* The context is how many steps are left. */
static int step_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    for (lua_KContext left = context; left > 0; left--) {
        if (lua_gc(L, LUA_GCSTEP, 0) != 0) {
            lua_pushboolean(L, 1);
            return 1;
        }
        breath_take(L, left - 1, step_on);
    }
    lua_pushboolean(L, 0);
    return 1;
}

static void note_mode(lua_State *L, bool is_generational)
{
    lua_pushboolean(L, is_generational);
    lua_replace(L, lua_upvalueindex(2));
}

int collect_call(lua_State *L)
{
    const char *option = luaL_optstring(L, 1, "collect");
    if (strcmp(option, "generational") == 0) {
        note_mode(L, true);
    } else if (strcmp(option, "incremental") == 0) {
        note_mode(L, false);
    }
    if (lua_toboolean(L, lua_upvalueindex(2)) || !lua_isyieldable(L)) {
        return run_original(L);
    }
    if (strcmp(option, "collect") == 0) {
        lua_settop(L, 0);
        return collect_on(L, LUA_OK, 0);
    }
    if (strcmp(option, "step") == 0) {
        lua_Integer steps = luaL_optinteger(L, 2, 0) / STEP_KIB;
        lua_settop(L, 2);
        return steps > STEPS_FEW ? step_on(L, LUA_OK, steps) : run_original(L);
    }
    return run_original(L);
}
