/* handle.c - the class fsd.Task: what Lua sees of a spawned task.
 *   handle:join([limit]) -> results   waits for the end; raises the task's error
 *   handle:cancel([reason]) -> whether it had not ended
 *   handle:status() -> "running", "waiting", "done", "failed" or "cancelled"
 * Owns nothing; spawned.c runs the task.  tell and forget are for lua/fsd/task.lua: they let one task wait for the first of many.
 * Called through mod_task.c's functions.  Must not know what the tasks do. */
#include "worker/lib/handle.h"

#include <lauxlib.h>

#include "worker/core/runtime.h"
#include "worker/lib/channel.h"
#include "worker/lib/spawned.h"
#include "worker/lib/spawned_report.h"

static struct spawned *check_spawn(lua_State *L)
{
    return luaL_checkudata(L, 1, SPAWNED_METATABLE);
}

/* The task has ended: its results, or its error. */
static int finish_join(lua_State *L, struct spawned *spawn)
{
    lua_getiuservalue(L, 1, SPAWNED_RESULT);
    int results = lua_gettop(L);
    if (spawn->state != SPAWNED_DONE) {
        spawn->is_error_taken = true;
        return lua_error(L);
    }
    lua_getfield(L, results, "n");
    int count = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    luaL_checkstack(L, count, "too many results");
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, results, i);
    }
    return count;
}

static int on_join_resume(struct waiter *waiter, lua_State *L)
{
    (void)waiter;
    return finish_join(L, lua_touserdata(L, 1));
}

/* The one that waited for the error has gone. */
static void on_join_lost(struct waiter *waiter, lua_State *L, bool was_woken)
{
    (void)waiter;
    struct spawned *spawn = lua_touserdata(L, -1);
    if (was_woken && spawn->state == SPAWNED_FAILED && !spawn->is_error_taken) {
        spawned_report(L, spawn);
    }
}

const struct waiter_kind handle_join_kind = {on_join_resume, on_join_lost, "the task"};

static int handle_join(lua_State *L)
{
    struct spawned *spawn = check_spawn(L);
    lua_Number limit_s = waiter_check_limit(L, 2);
    if (spawn->task == NULL) {
        return finish_join(L, spawn);
    }
    if (spawn == spawned_running(L)) {
        return luaL_error(L, "a task cannot join itself");
    }
    lua_settop(L, 1);
    return waiter_wait(L, waiter_push(L, &spawn->joiners), limit_s);
}

static int handle_cancel(lua_State *L)
{
    struct spawned *spawn = check_spawn(L);
    lua_settop(L, 2);
    if (spawn->task != NULL && !spawn->is_cancelled) {
        lua_setiuservalue(L, 1, SPAWNED_REASON);
    }
    lua_pushboolean(L, spawned_cancel(spawn));
    return 1;
}

static int handle_status(lua_State *L)
{
    const struct spawned *spawn = check_spawn(L);
    const char *word = "waiting";
    if (spawn->task == NULL) {
        word = spawn->state == SPAWNED_DONE     ? "done"
               : spawn->state == SPAWNED_FAILED ? "failed"
                                                : "cancelled";
    } else if (spawn == spawned_running(L)) {
        word = "running";
    }
    lua_pushstring(L, word);
    return 1;
}

static int handle_tostring(lua_State *L)
{
    const struct spawned *spawn = check_spawn(L);
    lua_pushfstring(L, "%s (%p)", spawn->place, (const void *)spawn);
    return 1;
}

/* Pushes the list of who is told, a new one if need be. */
static void push_told(lua_State *L)
{
    if (lua_getiuservalue(L, 1, SPAWNED_TOLD) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, 1, SPAWNED_TOLD);
    }
}

int handle_tell(lua_State *L)
{
    struct spawned *spawn = check_spawn(L);
    lua_settop(L, 3);
    if (spawn->task == NULL) {
        spawn->is_error_taken = true;
        channel_put_always(L, 2);
        return 0;
    }
    push_told(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, 4);
    lua_pushvalue(L, 2);
    lua_rawseti(L, 4, count + 1);
    lua_pushvalue(L, 3);
    lua_rawseti(L, 4, count + 2);
    return 0;
}

int handle_forget(lua_State *L)
{
    struct spawned *spawn = check_spawn(L);
    lua_settop(L, 2);
    if (spawn->task == NULL || lua_getiuservalue(L, 1, SPAWNED_TOLD) == LUA_TNIL) {
        return 0;
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, 3);
    lua_newtable(L); /* those that remain */
    lua_Integer kept = 0;
    for (lua_Integer i = 1; i < count; i += 2) {
        lua_rawgeti(L, 3, i);
        if (!lua_rawequal(L, 2, -1)) {
            lua_rawseti(L, 4, ++kept);
            lua_rawgeti(L, 3, i + 1);
            lua_rawseti(L, 4, ++kept);
        } else {
            lua_pop(L, 1);
        }
    }
    lua_setiuservalue(L, 1, SPAWNED_TOLD);
    return 0;
}

static const luaL_Reg methods[] = {
    {"join", handle_join}, {"cancel", handle_cancel}, {"status", handle_status}, {NULL, NULL}};

void handle_register(lua_State *L)
{
    luaL_newmetatable(L, SPAWNED_METATABLE);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, handle_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, SPAWNED_METATABLE);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
