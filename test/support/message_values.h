#ifndef FSD_TEST_SUPPORT_MESSAGE_VALUES_H
#define FSD_TEST_SUPPORT_MESSAGE_VALUES_H

#include <lauxlib.h>

#include "worker/actor/copy.h"
#include "worker/actor/pid.h"
#include "worker/actor/ref.h"
#include "worker/core/error.h"
#include "worker/core/runtime.h"
#include "worker/core/value.h"

/* A runtime, and what may be in a message as globals of its Lua: pid, ref, null, array_mark, error_mark; and what may not: address. */
static struct runtime runtime;
static struct copy_marks marks;

/* prelude is run in the end, and may use them. */
static inline void message_values_init(const char *prelude)
{
    runtime_init(&runtime);
    lua_State *L = runtime.L;
    pid_init(L);
    ref_init(L);
    value_push_array_mark(L);
    marks.array = lua_topointer(L, -1);
    lua_setglobal(L, "array_mark");
    luaL_getmetatable(L, ERROR_METATABLE);
    marks.error = lua_topointer(L, -1);
    lua_setglobal(L, "error_mark");
    marks.ref = ref_mark(L);
    struct pid pid = {.incarnation = 1, .index = 2, .serial = 3};
    pid_push(L, &pid);
    lua_setglobal(L, "pid");
    struct ref ref = {.incarnation = 1, .number = 2};
    (void)ref_push(L, &ref);
    lua_setglobal(L, "ref");
    lua_pushlightuserdata(L, NULL);
    lua_setglobal(L, "null");
    lua_pushlightuserdata(L, &runtime);
    lua_setglobal(L, "address");
    assert_int_equal(luaL_dostring(L, prelude), LUA_OK);
}

static inline void message_values_push(const char *expression)
{
    lua_pushfstring(runtime.L, "return %s", expression);
    if (luaL_dostring(runtime.L, lua_tostring(runtime.L, -1)) != LUA_OK) {
        fail_msg("%s", lua_tostring(runtime.L, -1));
    }
    lua_remove(runtime.L, -2);
}

#endif
