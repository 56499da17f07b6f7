/* task_sleep.c - the simplest wait of a task: for a time.
 * Owns nothing; the timer and the wait are the task's own, since it waits in one place at a time.
 * Called by whatever offers sleeping to Lua.  Must not know how a task is suspended (task.c). */
#include <math.h>

#include "worker/core/runtime.h"
#include "worker/core/task.h"

enum { SLEEP_MAX_S = 366 * 24 * 60 * 60 }; /* keeps the conversion to milliseconds exact */

static void on_sleep_over(struct timer *timer)
{
    task_wake(H2O_STRUCT_FROM_MEMBER(struct task_timing, wait, timer)->task);
}

static void on_sleep_cancel(struct task_wait *wait)
{
    struct task_timing *timing = H2O_STRUCT_FROM_MEMBER(struct task_timing, sleep, wait);
    timer_clear(&timing->task->runtime->loop.timers, &timing->wait);
}

static int on_sleep_resume(struct task_wait *wait, lua_State *L)
{
    (void)wait;
    (void)L;
    return 0;
}

int task_sleep_then(lua_State *L, double seconds,
                    int (*on_resume)(struct task_wait *wait, lua_State *L))
{
    struct task *task = task_check(L);
    struct task_timing *timing = task_need_timing(task);
    double limited = fmin(fmax(seconds, 0), SLEEP_MAX_S);
    timing->sleep = (struct task_wait){on_sleep_cancel, on_resume};
    loop_set_timer(&task->runtime->loop, &timing->wait, (uint64_t)ceil(limited * 1000),
                   on_sleep_over);
    return task_wait(L, &timing->sleep);
}

int task_sleep(lua_State *L, double seconds)
{
    return task_sleep_then(L, seconds, on_sleep_resume);
}
