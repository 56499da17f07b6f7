/* closing.c - the <close> variables of a coroutine that died in the hook.
 * Owns nothing.  Lua runs no hooks any more in a coroutine that died of an error of its hook, so a __close that did not end there could
 * not be ended.  The threads of Lua each have hooks of their own: so before such a coroutine is closed, each __close in
 * Lua that is found behind a value on its stack is replaced in its metatable by one in C that runs it on a new thread, and put
 * back afterwards.  Nobody sees that: nothing else runs meanwhile, since closing can't wait.
 * The search goes through the LEVELS_MAX innermost calls, because Lua counts the way to each level anew; a <close> variable farther
 * down is closed as Lua does it.  Called by coroutine.c and task.c.  Must not know why a coroutine is closed. */
#include "worker/core/closing.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "worker/core/hook_error.h"
#include "worker/core/runtime.h"

enum { LEVELS_MAX = 2000 }; /* 2 million steps, about 3 ms */

/* A function that Lua does not let yield. */
static int call_plainly(lua_State *L)
{
    lua_call(L, lua_gettop(L) - 1, 0);
    return 0;
}

/* Stands in for a __close, which is its upvalue. */
static int close_apart(lua_State *L)
{
    struct slice *slice = &runtime_of(L)->slice;
    int count = lua_gettop(L);
    lua_State *apart = lua_newthread(L);
    lua_insert(L, 1);
    lua_pushcfunction(apart, call_plainly);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 2);
    lua_xmove(L, apart, count + 1);
    lua_State *before = slice_switch(slice, apart);
    int result_count = 0;
    int status = lua_resume(apart, L, count + 1, &result_count);
    if (status != LUA_OK) {
        status = closing_reset(apart);
    }
    (void)slice_switch(slice, before);
    if (status != LUA_OK) {
        lua_xmove(apart, L, 1);
        return lua_error(L);
    }
    return 0;
}

/* Replaces the __close behind the value on the top, which is popped.  The list that stands below it gets the metatable, and what
 * stands there now. */
static void replace_close(lua_State *L)
{
    int list = lua_gettop(L) - 1;
    if (lua_getmetatable(L, -1)) {
        lua_pushliteral(L, "__close");
        int kind = lua_rawget(L, -2);
        if (kind != LUA_TNIL && !lua_iscfunction(L, -1)) {
            lua_Integer count = (lua_Integer)lua_rawlen(L, list);
            lua_pushcclosure(L, close_apart, 1);
            lua_pushvalue(L, -1);
            lua_rawseti(L, list, count + 2);
            lua_pushliteral(L, "__close");
            lua_insert(L, -2);
            lua_rawset(L, -3);
            lua_rawseti(L, list, count + 1);
        }
    }
    lua_settop(L, list);
}

/* The list stands on the top of main. */
static void replace_all(lua_State *main, lua_State *L)
{
    lua_Debug frame;
    for (int level = 0; level < LEVELS_MAX && lua_getstack(L, level, &frame); level++) {
        for (int i = 1; lua_getlocal(L, &frame, i) != NULL; i++) {
            lua_xmove(L, main, 1);
            replace_close(main);
        }
    }
}

/* Unless somebody has set another one meanwhile. */
static void put_back(lua_State *L)
{
    int list = lua_gettop(L);
    for (lua_Integer i = (lua_Integer)lua_rawlen(L, list); i > 0; i -= 2) {
        lua_rawgeti(L, list, i - 1);
        lua_pushliteral(L, "__close");
        lua_rawget(L, -2);
        lua_rawgeti(L, list, i);
        if (lua_rawequal(L, -1, -2)) {
            lua_pushliteral(L, "__close");
            (void)lua_getupvalue(L, -2, 1);
            lua_rawset(L, -5);
        }
        lua_settop(L, list);
    }
}

/* The main thread's stack is used because the coroutine that runs may be full; nothing raises there. */
static int reset_apart(lua_State *L)
{
    struct runtime *runtime = runtime_of(L);
    lua_State *main = runtime->L;
    int top = lua_gettop(main);
    runtime->heap.pins++;
    if (!lua_checkstack(main, LUA_MINSTACK) || !lua_checkstack(L, LUA_MINSTACK)) {
        abort(); /* out of memory */
    }
    lua_newtable(main);
    replace_all(main, L);
    runtime->heap.pins--;
    int status = lua_resetthread(L);
    runtime->heap.pins++;
    put_back(main);
    lua_settop(main, top);
    runtime->heap.pins--;
    return status;
}

int closing_reset(lua_State *L)
{
    return hook_error_had(L) ? reset_apart(L) : lua_resetthread(L);
}
