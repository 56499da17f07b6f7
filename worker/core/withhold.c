/* withhold.c - the few things of Lua's libraries that would take the worker away from fsd.
 *   setmetatable, debug.setmetatable   refuse a metatable with a __gc: Lua runs finalizers with hooks off, so one that does not end
 *                                      could not be ended
 *   debug.sethook                      raises: the one hook is what shares the CPU among tasks (slice.c)
 *   os.exit                            raises in code that is tried: it would end a worker that serves
 *   load, loadfile, dofile             take text only: bytecode is not checked, and can crash the process; load is stdlib/reading.c
 * Owns nothing.  C libraries still set finalizers through Lua's C interface; an application is trusted, this is to keep it from
 * mistakes.  Called once by runtime.c.  Must not know who runs, but for what is tried. */
#include "worker/core/withhold.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/runtime.h"
#include "worker/core/stdlib/reading.h"

/* Upvalue 1: Lua's own function, which has no upvalues itself and so can be run in our place. */
static int run_original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Upvalue 2: "__gc". */
static int guarded_setmetatable(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TTABLE) {
        lua_pushvalue(L, lua_upvalueindex(2));
        if (lua_rawget(L, 2) != LUA_TNIL) {
            return luaL_argerror(L, 2,
                                 "has a __gc, which is not available here: use a <close> variable");
        }
        lua_pop(L, 1);
    }
    return run_original(L);
}

static int refused_sethook(lua_State *L)
{
    return luaL_error(L,
                      "debug.sethook is not available here: fsd needs the hook to share the CPU");
}

static int guarded_exit(lua_State *L)
{
    const struct task *task = runtime_of(L)->tasks.running;
    if (task != NULL && task->trial != TASK_TRIAL_NONE) {
        return luaL_error(L, "cannot exit here: the code is being loaded or checked in a worker "
                             "that serves");
    }
    return run_original(L);
}

/* "t", or an empty mode, which takes nothing, for one that does not admit text. */
static void restrict_mode(lua_State *L, int index)
{
    const char *mode = luaL_optstring(L, index, "t");
    lua_pushstring(L, strchr(mode, 't') != NULL ? "t" : "");
    if (lua_gettop(L) > index) {
        lua_replace(L, index);
    }
}

/* For the mode as the argument at index. */
static void guard_mode(lua_State *L, int index)
{
    if (lua_gettop(L) < index - 1) {
        lua_settop(L, index - 1);
    }
    restrict_mode(L, index);
}

static int guarded_load(lua_State *L)
{
    guard_mode(L, 3);
    return reading_load(L);
}

static int guarded_loadfile(lua_State *L)
{
    guard_mode(L, 2);
    return run_original(L);
}

static int after_dofile(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L) - 1;
}

static int guarded_dofile(lua_State *L)
{
    const char *name = luaL_optstring(L, 1, NULL);
    lua_settop(L, 1);
    if (luaL_loadfilex(L, name, "t") != LUA_OK) {
        return lua_error(L);
    }
    lua_callk(L, 0, LUA_MULTRET, 0, after_dofile);
    return after_dofile(L, LUA_OK, 0);
}

/* Replaces a field of the table on the top; the upvalue on top of that becomes the guard's second. */
static void guard(lua_State *L, const char *name, lua_CFunction function)
{
    lua_getfield(L, -2, name);
    lua_insert(L, -2);
    lua_pushcclosure(L, function, 2);
    lua_setfield(L, -2, name);
}

void withhold_install(lua_State *L)
{
    lua_pushglobaltable(L);
    lua_pushliteral(L, "__gc");
    guard(L, "setmetatable", guarded_setmetatable);
    lua_pushnil(L);
    guard(L, "load", guarded_load);
    lua_pushnil(L);
    guard(L, "loadfile", guarded_loadfile);
    lua_pushcfunction(L, guarded_dofile);
    lua_setfield(L, -2, "dofile");
    lua_getfield(L, -1, "debug");
    lua_pushliteral(L, "__gc");
    guard(L, "setmetatable", guarded_setmetatable);
    lua_pushcfunction(L, refused_sethook);
    lua_setfield(L, -2, "sethook");
    lua_getfield(L, -2, "os");
    lua_pushnil(L);
    guard(L, "exit", guarded_exit);
    lua_pop(L, 3);
}
