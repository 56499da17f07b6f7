/* mod_task.c - fsd.task: waiting without blocking the worker.
 *   task.sleep(seconds)       other requests run meanwhile
 *   task.now() -> seconds     the monotonic clock that sleep counts on (= fsd.now)
 * Owns nothing; core/task.c does the waiting. */
#include "worker/lib/mod_task.h"

#include <lauxlib.h>
#include <math.h>

#include "common/clock.h"
#include "worker/core/task.h"

static int mod_sleep(lua_State *L)
{
    lua_Number seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= 0 && !isnan(seconds), 1, "must not be negative");
    return task_sleep(L, seconds);
}

static int mod_now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_monotonic_us() / 1e6);
    return 1;
}

static const luaL_Reg functions[] = {
    {"now", mod_now},
    {"sleep", mod_sleep},
    {NULL, NULL},
};

int luaopen_fsd_task(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
