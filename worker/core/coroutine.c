/* coroutine.c - Lua's coroutine library, such that a task can be suspended inside of coroutines of the application's own.
 *   coroutine.resume, wrap    as Lua's.  When the task waits or is preempted inside of what they run, they yield as well, so that the
 *                             task's own coroutine reaches task.c, and go on inwards when the task does: the application's code
 *                             sees nothing of it
 *   coroutine.close, status   as Lua's, for a coroutine that is suspended with its task it is "normal"
 *   coroutine.yield           raises in the coroutine of a task: nobody would ever resume it
 * A handler may hand its coroutine.running() to anybody, as libraries for other servers do; only task.c may resume or close it,
 * because it alone knows what the coroutine waits for.  Owns nothing; messages are Lua's own, word for word.
 * Installed by runtime.c.  Must not know what a task does. */
#include "worker/core/coroutine.h"

#include <assert.h>
#include <lauxlib.h>
#include <stdbool.h>

#include "worker/core/closing.h"
#include "worker/core/runtime.h"

enum {
    CLOSE_DEPTH = 100
}; /* coroutines whose closing closes another: Lua 5.4.4 does not count them */

/* Why nobody may resume or close a coroutine now; NULL: Lua's own checks decide. */
static const char *find_obstacle(lua_State *L, lua_State *inner)
{
    if (L != inner && runtime_has_mark(inner, RUNTIME_THREAD_OF_TASK)) {
        return "cannot resume the coroutine of a request or task: only fsd does";
    }
    return runtime_has_mark(inner, RUNTIME_THREAD_HELD) ? "cannot resume non-suspended coroutine"
                                                        : NULL;
}

/* Moves what it returned or yielded to L and returns their number; -1 with a message on the top when that can't be. */
static int take_results(lua_State *L, lua_State *inner, int count)
{
    if (!lua_checkstack(L, count + 1)) {
        lua_pop(inner, count);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(inner, L, count);
    return count;
}

/* Runs inner, which has its arguments, until it ends or yields to L.  Returns the number of results, -1 with an error on the top.
 * When it is the task that is suspended, this yields and does not return: proceed is to call it again, without arguments. */
static int run_inner(lua_State *L, lua_State *inner, int argument_count, lua_KFunction proceed)
{
    struct runtime *runtime = runtime_of(L);
    struct task_pool *tasks = &runtime->tasks;
    struct task *task = tasks->running; /* NULL: L is not in a task, and nothing is suspended */
    unsigned pins = lua_isyieldable(L) ? 0 : 1;
    if (task != NULL) {
        chain_enter(&task->chain, inner);
        tasks->pins += pins;
    }
    lua_State *before = slice_switch(&runtime->slice, inner);
    int count = 0;
    int status = lua_resume(inner, L, argument_count, &count);
    (void)slice_switch(&runtime->slice, before);
    if (task != NULL) {
        tasks->pins -= pins;
        if (status == LUA_YIELD && task->is_suspending) {
            assert(pins == 0); /* whoever suspends a task has looked at pins */
            return lua_yieldk(L, 0, 0, proceed);
        }
        chain_leave(&task->chain);
    }
    if (status == LUA_OK || status == LUA_YIELD) {
        return take_results(L, inner, count);
    }
    lua_xmove(inner, L, 1);
    return -1;
}

/* Moves the arguments, which are the topmost values, and runs it. */
static int begin_inner(lua_State *L, lua_State *inner, int argument_count, lua_KFunction proceed)
{
    const char *obstacle = find_obstacle(L, inner);
    if (obstacle != NULL) {
        lua_pushstring(L, obstacle);
        return -1;
    }
    if (!lua_checkstack(inner, argument_count)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, inner, argument_count);
    return run_inner(L, inner, argument_count, proceed);
}

static int end_resume(lua_State *L, int count)
{
    lua_pushboolean(L, count >= 0);
    int results = count >= 0 ? count : 1;
    lua_insert(L, -(results + 1));
    return results + 1;
}

static int proceed_resume(lua_State *L, int status, lua_KContext context)
{
    (void)status; /* always LUA_YIELD: only task.c brings us here */
    (void)context;
    return end_resume(L, run_inner(L, lua_tothread(L, 1), 0, proceed_resume));
}

static lua_State *check_thread(lua_State *L)
{
    lua_State *inner = lua_tothread(L, 1);
    luaL_argexpected(L, inner != NULL, 1, "thread");
    return inner;
}

static int replaced_resume(lua_State *L)
{
    lua_State *inner = check_thread(L);
    return end_resume(L, begin_inner(L, inner, lua_gettop(L) - 1, proceed_resume));
}

/* Closes its <close> variables; leaves nothing on its stack but, when the result is not LUA_OK, an error. */
static int reset(lua_State *L, lua_State *inner)
{
    struct runtime *runtime = runtime_of(L);
    struct task_pool *tasks = &runtime->tasks;
    if (tasks->pins >= CLOSE_DEPTH) {
        return luaL_error(L, "C stack overflow");
    }
    lua_State *before = slice_switch(&runtime->slice, inner);
    tasks->pins++;
    int status = closing_reset(inner);
    tasks->pins--;
    (void)slice_switch(&runtime->slice, before);
    return status;
}

/* An error leaves what coroutine.wrap gave with the place that called it in front, as Lua does. */
static int end_wrapped(lua_State *L, int count)
{
    if (count >= 0) {
        return count;
    }
    lua_State *inner = lua_tothread(L, lua_upvalueindex(1));
    int status = lua_status(inner);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_pop(L, 1);
        status = reset(L, inner);
        lua_xmove(inner, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int proceed_wrapped(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    lua_State *inner = lua_tothread(L, lua_upvalueindex(1));
    return end_wrapped(L, run_inner(L, inner, 0, proceed_wrapped));
}

/* What coroutine.wrap gives.  Upvalue: the coroutine. */
static int call_wrapped(lua_State *L)
{
    lua_State *inner = lua_tothread(L, lua_upvalueindex(1));
    return end_wrapped(L, begin_inner(L, inner, lua_gettop(L), proceed_wrapped));
}

static int replaced_wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *inner = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, inner, 1);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

static int replaced_yield(lua_State *L)
{
    if (runtime_has_mark(L, RUNTIME_THREAD_OF_TASK)) {
        return luaL_error(L, "cannot yield here: not inside a coroutine of your own (to let others "
                             "run, use fsd.task.sleep(0))");
    }
    return lua_yield(L, lua_gettop(L));
}

/* cppcheck-suppress constParameter ; it is compared with what Lua's functions take */
static const char *find_status(lua_State *L, lua_State *inner)
{
    lua_Debug level;
    if (L == inner) {
        return "running";
    }
    switch (lua_status(inner)) {
    case LUA_YIELD:
        return runtime_has_mark(inner, RUNTIME_THREAD_HELD) ? "normal" : "suspended";
    case LUA_OK:
        if (lua_getstack(inner, 0, &level) != 0) {
            return "normal";
        }
        return lua_gettop(inner) == 0 ? "dead" : "suspended";
    default:
        return "dead";
    }
}

static int replaced_status(lua_State *L)
{
    lua_pushstring(L, find_status(L, check_thread(L)));
    return 1;
}

static int replaced_close(lua_State *L)
{
    lua_State *inner = check_thread(L);
    const char *status = find_status(L, inner);
    if (L != inner && runtime_has_mark(inner, RUNTIME_THREAD_OF_TASK)) {
        return luaL_error(L, "cannot close the coroutine of a request or task: only fsd does");
    }
    if (*status != 'd' && *status != 's') {
        return luaL_error(L, "cannot close a %s coroutine", status);
    }
    if (reset(L, inner) == LUA_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    lua_pushboolean(L, 0);
    lua_xmove(inner, L, 1);
    return 2;
}

void coroutine_replace(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"close", replaced_close}, {"resume", replaced_resume}, {"status", replaced_status},
        {"wrap", replaced_wrap},   {"yield", replaced_yield},   {NULL, NULL},
    };
    lua_getglobal(L, "coroutine");
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
