/* mod_task.c - what fsd.task (lua/fsd/task.lua) has in C: tasks, waiting without blocking the worker, and the clocks.
 *   core.spawn(fn, ...) -> handle   core.current() -> handle or nil
 *   core.sleep(seconds)             core.yield()
 *   core.now(), core.time() -> seconds of the monotonic clock that sleep counts on, and since 1970
 *   core.channel([capacity])  core.mutex()  core.semaphore(count)  core.wait_group()
 *   core.local_storage   values of the task that runs
 *   core.state(name[, initial]) -> table   what fsd.state is
 *   core.tell(handle, channel, value)  core.forget(handle, channel)   for task.lua only
 * Owns nothing; core/task.c does the waiting. */
#include "worker/lib/mod_task.h"

#include <lauxlib.h>
#include <math.h>

#include "common/clock.h"
#include "worker/core/runtime.h"
#include "worker/lib/background.h"
#include "worker/lib/channel.h"
#include "worker/lib/handle.h"
#include "worker/lib/lock.h"
#include "worker/lib/state.h"
#include "worker/lib/storage.h"
#include "worker/lib/wait_group.h"

static int mod_spawn(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (task_acting(L) == NULL) {
        return luaL_error(L, "cannot spawn a task here: only requests and tasks can, not code "
                             "that is being loaded (use app:on), collected or closed");
    }
    (void)spawned_push(L, &background_of(L)->spawns, lua_gettop(L) - 1);
    return 1;
}

static int mod_current(lua_State *L)
{
    const struct spawned *spawn = spawned_running(L);
    if (spawn == NULL) {
        lua_pushnil(L);
    } else {
        lua_rawgetp(L, LUA_REGISTRYINDEX, spawn);
    }
    return 1;
}

static int mod_sleep(lua_State *L)
{
    lua_Number seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= 0 && !isnan(seconds), 1, "must not be negative");
    task_mark_idle(task_check(L));
    return task_sleep(L, seconds);
}

/* By a timer and not by a job, of which the loop runs all before it looks for anything else. */
static int mod_yield(lua_State *L)
{
    return task_sleep(L, 0);
}

static int mod_now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_monotonic_us() / 1e6);
    return 1;
}

static int mod_time(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_wall_us() / 1e6);
    return 1;
}

static const luaL_Reg functions[] = {
    {"channel", channel_new},  {"current", mod_current},
    {"forget", handle_forget}, {"mutex", lock_new_mutex},
    {"now", mod_now},          {"semaphore", lock_new_semaphore},
    {"sleep", mod_sleep},      {"spawn", mod_spawn},
    {"state", state_get},      {"tell", handle_tell},
    {"time", mod_time},        {"wait_group", wait_group_new},
    {"yield", mod_yield},      {NULL, NULL},
};

int luaopen_fsd_task_core(lua_State *L)
{
    handle_register(L);
    channel_register(L);
    lock_register(L);
    wait_group_register(L);
    luaL_newlib(L, functions);
    storage_push(L);
    lua_setfield(L, -2, "local_storage");
    return 1;
}
