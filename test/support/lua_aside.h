#ifndef FSD_TEST_SUPPORT_LUA_ASIDE_H
#define FSD_TEST_SUPPORT_LUA_ASIDE_H

/* Lua code that is put aside wherever it can be, as if its slice were always over.  To be included behind cmocka.h. */

#include <lauxlib.h>
#include <stdbool.h>

static inline void aside_hook(lua_State *L, lua_Debug *activation)
{
    (void)activation;
    if (lua_isyieldable(L)) {
        (void)lua_yield(L, 0);
    }
}

/* A coroutine on the top of L's stack that will run source, aside. */
static inline lua_State *aside_load(lua_State *L, const char *source)
{
    lua_State *thread = lua_newthread(L);
    assert_int_equal(luaL_loadstring(thread, source), LUA_OK);
    lua_sethook(thread, aside_hook, LUA_MASKCOUNT, 1);
    return thread;
}

/* Resumes it; false: it is over.  Fails when that is by an error. */
static inline bool aside_step(lua_State *L, lua_State *thread)
{
    int count = 0;
    int r = lua_resume(thread, L, 0, &count);
    if (r == LUA_YIELD) {
        lua_pop(thread, count);
    } else if (r != LUA_OK) {
        fail_msg("%s", lua_tostring(thread, -1));
    }
    return r == LUA_YIELD;
}

/* Runs source to its end; returns how often it was put aside. */
static inline unsigned aside_run(lua_State *L, const char *source)
{
    lua_State *thread = aside_load(L, source);
    unsigned yields = 0;
    while (aside_step(L, thread)) {
        yields++;
    }
    lua_settop(L, 0);
    return yields;
}

#endif
