#ifndef FSD_TEST_SUPPORT_ACTORS_RUN_H
#define FSD_TEST_SUPPORT_ACTORS_RUN_H

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "worker/actor/actors.h"
#include "worker/core/runtime.h"

enum { OWN = 7, LIMIT_MS = 30000, TOLD_MAX = 512 };

/* A runtime of the incarnation OWN whose actors tell() what they see. */
static struct runtime runtime;
static struct timer limit; /* a test that hangs fails */
static char told[TOLD_MAX];

static inline int lua_tell(lua_State *L)
{
    size_t len = strlen(told);
    (void)snprintf(told + len, sizeof(told) - len, "%s;", luaL_tolstring(L, 1, NULL));
    return 0;
}

static inline void on_start_done(struct task *task, int status)
{
    if (status != LUA_OK) {
        fail_msg("%s", luaL_tolstring(task->L, -1, NULL));
    }
}

static const struct task_owner owner = {.kind = "test", .on_done = on_start_done};

static inline void on_limit(struct timer *timer)
{
    (void)timer;
    loop_stop(&runtime.loop);
}

static inline void on_stopped(struct runtime *of)
{
    loop_stop(&of->loop);
}

/* What the actors of a test have in common is in a chunk of Lua. */
static inline void begin_telling(const char *prelude)
{
    lua_State *L = runtime.L;
    lua_register(L, "tell", lua_tell);
    if (luaL_dostring(L, prelude) != LUA_OK) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    lua_settop(L, 0);
    told[0] = '\0';
    limit = (struct timer){0};
}

static inline void on_turn(struct loop_job *job)
{
    (void)job;
    loop_stop(&runtime.loop);
}

/* What was queued runs, and what that queues. */
static inline void turn(void)
{
    struct loop_job jobs[4] = {{0}};
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        runtime.loop.stopping = false;
        loop_defer(&runtime.loop, &jobs[i], on_turn);
        loop_run(&runtime.loop, NULL);
    }
}

/* Runs until the actors have ended by themselves, or by the stop. */
static inline void stop_all(void)
{
    runtime.loop.stopping = false;
    loop_set_timer(&runtime.loop, &limit, LIMIT_MS, on_limit);
    actors_stop(&runtime, on_stopped);
    loop_run(&runtime.loop, NULL);
    assert_true(timer_is_set(&limit)); /* else it was too slow */
}

#endif
