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
