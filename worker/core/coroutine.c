/* coroutine.c - the three functions of Lua's coroutine library that could reach into a task's own coroutine.
 *   coroutine.yield(...)      raises in the coroutine of a request: nobody would ever resume it
 *   coroutine.resume(co, ...) returns false and why when co is the coroutine of a task
 *   coroutine.close(co)       raises then
 * Owns nothing.  A handler may hand its coroutine.running() to anybody, as libraries for other servers do; only task.c may
 * resume it, because it alone knows what the coroutine waits for.  Everything else of the library is Lua's own.
 * Called once by runtime.c.  Must not know what a task does. */
#include "worker/core/coroutine.h"

#include <lauxlib.h>

#include "worker/core/task.h"

static int protected_yield(lua_State *L)
{
    if (task_of(L) != NULL) {
        return luaL_error(L, "cannot yield here: not inside a coroutine of your own (to let others "
                             "run, use fsd.task.sleep(0))");
    }
    return lua_yield(L, lua_gettop(L));
}

static bool is_of_task(lua_State *L)
{
    lua_State *thread = lua_tothread(L, 1);
    return thread != NULL && task_owns(L, thread);
}

/* Upvalue: Lua's own function, which has none itself and so can be run in our place. */
static int run_original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int protected_resume(lua_State *L)
{
    if (is_of_task(L)) {
        lua_pushboolean(L, 0);
        lua_pushliteral(L, "cannot resume the coroutine of a request or task: only fsd does");
        return 2;
    }
    return run_original(L);
}

static int protected_close(lua_State *L)
{
    if (is_of_task(L)) {
        return luaL_error(L, "cannot close the coroutine of a request or task: only fsd does");
    }
    return run_original(L);
}

void coroutine_protect(lua_State *L)
{
    lua_getglobal(L, "coroutine");
    lua_pushcfunction(L, protected_yield);
    lua_setfield(L, -2, "yield");
    lua_getfield(L, -1, "resume");
    lua_pushcclosure(L, protected_resume, 1);
    lua_setfield(L, -2, "resume");
    lua_getfield(L, -1, "close");
    lua_pushcclosure(L, protected_close, 1);
    lua_setfield(L, -2, "close");
    lua_pop(L, 1);
}
