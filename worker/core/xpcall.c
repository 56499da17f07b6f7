/* xpcall.c - Lua's xpcall, whose message handler does not run while Lua has hooks off.
 * Owns nothing.  An error of the hook unwinds with hooks off, and a message handler that did not end then could not be ended.  So in
 * the hook the handler in the frame of the innermost xpcall is replaced by a function in C that returns the error as it is; when
 * the stack is unwound, xpcall calls the application's handler, which can be preempted then, and may even wait.  All
 * other errors find the application's function in its place: no frame of ours stands between it and the error.
 * The search for that frame ends at a pcall and after LEVELS_MAX calls, because Lua counts the way to each level anew: an
 * xpcall farther down has its handler run with hooks off, as Lua does.  Handlers in C run at once: those end.
 * Installed by runtime.c; hook_error.c calls xpcall_put_off.  Must not know why an error is raised. */
#include "worker/core/xpcall.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

enum {
    AT_FUNCTION = 1, /* and then the application's handler, when it is put off */
    AT_HANDLER,
    AT_RESULTS,
};

static const char key[] = "fsd.pcall"; /* of Lua's own, in the registry */

enum { LEVELS_MAX = 2000 }; /* 2 million steps, about 3 ms */

static int end_put_off(lua_State *L, int status, lua_KContext context)
{
    (void)status; /* an error of the handler stands in the place of its result */
    (void)context;
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

/* The error stands on the top. */
static int run_put_off(lua_State *L)
{
    lua_pushvalue(L, AT_FUNCTION);
    lua_insert(L, -2);
    int status = lua_pcallk(L, 1, 1, 0, 0, end_put_off);
    return end_put_off(L, status, 0);
}

/* Stands in for a handler.  Upvalue: whether an error of the hook has come; another one may come first, where something between
 * here and the hook has caught that. */
static int keep_error(lua_State *L)
{
    lua_Debug own;
    if (lua_getstack(L, 0, &own) && lua_getinfo(L, "n", &own) &&
        strcmp(own.namewhat, "hook") == 0) {
        lua_pushboolean(L, 1);
        lua_replace(L, lua_upvalueindex(2));
        return 1;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static bool is_put_off(lua_State *L)
{
    if (lua_tocfunction(L, AT_HANDLER) != keep_error) {
        return false;
    }
    (void)lua_getupvalue(L, AT_HANDLER, 2);
    bool is = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    if (is) {
        (void)lua_getupvalue(L, AT_HANDLER, 1);
        lua_replace(L, AT_FUNCTION);
    }
    return is;
}

static int end_call(lua_State *L, int status, lua_KContext context)
{
    (void)context;
    if (status == LUA_OK || status == LUA_YIELD) {
        return lua_gettop(L) - AT_HANDLER;
    }
    if (is_put_off(L)) {
        return run_put_off(L);
    }
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return 2;
}

static int replaced_xpcall(lua_State *L)
{
    int count = lua_gettop(L) - AT_HANDLER;
    luaL_checktype(L, AT_HANDLER, LUA_TFUNCTION);
    lua_pushboolean(L, 1);
    lua_pushvalue(L, AT_FUNCTION);
    lua_rotate(L, AT_RESULTS, 2);
    int status = lua_pcallk(L, count, LUA_MULTRET, AT_HANDLER, 0, end_call);
    return end_call(L, status, 0);
}

/* Puts keep_error into the frame, in the place of a handler in Lua. */
static void replace_handler(lua_State *L, lua_Debug *frame)
{
    if (lua_getlocal(L, frame, AT_HANDLER) == NULL) {
        return;
    }
    if (lua_iscfunction(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    lua_pushboolean(L, 0);
    lua_pushcclosure(L, keep_error, 2);
    (void)lua_setlocal(L, frame, AT_HANDLER);
}

void xpcall_put_off(lua_State *L)
{
    lua_Debug frame;
    lua_rawgetp(L, LUA_REGISTRYINDEX, key);
    lua_CFunction pcall = lua_tocfunction(L, -1);
    lua_pop(L, 1);
    for (int level = 0; level < LEVELS_MAX && lua_getstack(L, level, &frame); level++) {
        (void)lua_getinfo(L, "f", &frame);
        lua_CFunction called = lua_tocfunction(L, -1);
        lua_pop(L, 1);
        if (called == replaced_xpcall) {
            replace_handler(L, &frame);
            return;
        }
        if (called == pcall && pcall != NULL) {
            return;
        }
    }
}

void xpcall_replace(lua_State *L)
{
    lua_getglobal(L, "pcall");
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
    lua_pushcfunction(L, replaced_xpcall);
    lua_setglobal(L, "xpcall");
}
