#ifndef FSD_TEST_SUPPORT_LUA_TASKS_H
#define FSD_TEST_SUPPORT_LUA_TASKS_H

#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "worker/core/runtime.h"

/* A runtime whose tasks are chunks of Lua that tell what happens: tell(text), sleep(seconds).  No slice ends but those of a test
 * that sets runtime.slice itself, so that no test depends on the time. */
enum { TASKS_LIMIT_MS = 30000, TASKS_TOLD_MAX = 4096 };

static struct tasks {
    struct runtime runtime;
    struct timer limit;           /* a test that hangs fails */
    char told[TASKS_TOLD_MAX];    /* by tell() */
    char outcome[TASKS_TOLD_MAX]; /* what the task that ended last returned or raised */
    int status;                   /* of that one */
    char excess[TASKS_TOLD_MAX];  /* the words for the last one that had too much memory */
    unsigned started;
    unsigned ended;
    unsigned preempted; /* times that any was */
} tasks;

static inline int tasks_tell(lua_State *L)
{
    size_t len = strlen(tasks.told);
    (void)snprintf(tasks.told + len, sizeof(tasks.told) - len, "%s;", luaL_tolstring(L, 1, NULL));
    return 0;
}

static inline int tasks_sleep(lua_State *L)
{
    return task_sleep(L, luaL_checknumber(L, 1));
}

static inline void tasks_on_done(struct task *task, int status)
{
    tasks.status = status;
    tasks.outcome[0] = '\0';
    if (status != TASK_CLOSED && lua_gettop(task->L) > 0) {
        (void)snprintf(tasks.outcome, sizeof(tasks.outcome), "%s",
                       luaL_tolstring(task->L, -1, NULL));
    }
    tasks.ended++;
    if (tasks.ended == tasks.started) {
        loop_stop(&tasks.runtime.loop);
    }
}

static inline void tasks_on_wait(struct task *task)
{
    tasks.preempted += task->is_preempted ? 1 : 0;
}

/* As an actor's would. */
static inline void tasks_on_excess(struct task *task, const char *message)
{
    (void)snprintf(tasks.excess, sizeof(tasks.excess), "%s", message);
    task_kill(task);
}

static const struct task_owner tasks_owner = {
    .kind = "test", .on_done = tasks_on_done, .on_wait = tasks_on_wait};
/* Of those that may have a limit to their memory. */
static const struct task_owner tasks_limited = {.kind = "limited",
                                                .on_done = tasks_on_done,
                                                .on_wait = tasks_on_wait,
                                                .on_excess = tasks_on_excess};

static inline void tasks_on_limit(struct timer *timer)
{
    (void)timer;
    loop_stop(&tasks.runtime.loop);
}

static inline int tasks_set_up(void **state)
{
    (void)state;
    memset(&tasks, 0, sizeof(tasks));
    runtime_init(&tasks.runtime);
    tasks.runtime.slice.limit_ticks = UINT_MAX;
    lua_register(tasks.runtime.L, "tell", tasks_tell);
    lua_register(tasks.runtime.L, "sleep", tasks_sleep);
    return 0;
}

/* Nothing of any task is left. */
static inline int tasks_tear_down(void **state)
{
    (void)state;
    timer_clear(&tasks.runtime.loop.timers, &tasks.limit);
    assert_int_equal(tasks.ended, tasks.started);
    assert_int_equal(tasks.runtime.tasks.live, 0);
    assert_int_equal(tasks.runtime.tasks.pins, 0);
    assert_int_equal(tasks.runtime.loop.timers.count, 0);
    assert_null(tasks.runtime.loop.jobs);
    assert_null(tasks.runtime.loop.later);
    runtime_fini(&tasks.runtime);
    return 0;
}

static inline struct task *tasks_start_of(const struct task_owner *owner, const char *chunk,
                                          size_t memory_bytes)
{
    struct task *task = task_new(&tasks.runtime, owner, NULL);
    if (memory_bytes > 0) {
        task_set_memory_limit(task, memory_bytes);
    }
    if (luaL_loadbuffer(task->L, chunk, strlen(chunk), "=t") != LUA_OK) {
        fail_msg("%s", lua_tostring(task->L, -1));
    }
    tasks.started++;
    task_start(task, 0);
    return task;
}

/* The chunk runs until it waits, is preempted or ends. */
static inline struct task *tasks_start(const char *chunk)
{
    return tasks_start_of(&tasks_owner, chunk, 0);
}

/* The same, and it may have so much memory. */
static inline struct task *tasks_start_limited(const char *chunk, size_t memory_bytes)
{
    return tasks_start_of(&tasks_limited, chunk, memory_bytes);
}

/* Until all have ended. */
static inline void tasks_run(void)
{
    tasks.runtime.loop.stopping = tasks.ended == tasks.started;
    timer_set(&tasks.runtime.loop.timers, &tasks.limit, clock_monotonic_ms() + TASKS_LIMIT_MS,
              tasks_on_limit);
    loop_run(&tasks.runtime.loop, NULL);
    assert_int_equal(tasks.ended, tasks.started);
}

#endif
