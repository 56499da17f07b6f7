/* task_limit.c - what a task may have: time until a deadline, CPU time, memory; and its timers.
 * Owns struct task_timing, which is made when a task needs it for the first time and is kept with the task, also in the pool: most
 * requests need it, and most of a hundred thousand actors do not.  A limit that is passed only tells task.c, or overdraft.c.
 * Called by whoever runs tasks, and by task.c.  Must not know how a task is ended. */
#include <assert.h>
#include <stdlib.h>

#include "worker/core/runtime.h"
#include "worker/core/task.h"

struct task_timing *task_need_timing(struct task *task)
{
    if (task->timing == NULL) {
        task->timing = calloc(1, sizeof(*task->timing));
        if (task->timing == NULL) {
            abort();
        }
        task->timing->task = task;
    }
    return task->timing;
}

void task_clear_timers(struct task *task)
{
    struct timer_heap *timers = &task->runtime->loop.timers;
    struct task_timing *timing = task->timing;
    if (timing != NULL) {
        timer_clear(timers, &timing->deadline);
        timer_clear(timers, &timing->grace);
        timer_clear(timers, &timing->wait);
    }
}

void task_pardon(struct task *task)
{
    if (task->cancelling && !task->is_killed) {
        timer_clear(&task->runtime->loop.timers, &task_need_timing(task)->grace);
        task->cancel = TASK_CANCEL_NONE;
        task->cancelling = false;
        task->is_overdue = false;
    }
}

static void on_deadline(struct timer *timer)
{
    task_cancel(H2O_STRUCT_FROM_MEMBER(struct task_timing, deadline, timer)->task,
                TASK_CANCEL_TIMEOUT);
}

void task_set_deadline(struct task *task, uint64_t after_ms)
{
    loop_set_timer(&task->runtime->loop, &task_need_timing(task)->deadline, after_ms, on_deadline);
}

bool task_has_deadline(const struct task *task)
{
    return task->timing != NULL && timer_is_set(&task->timing->deadline);
}

void task_clear_deadline(struct task *task)
{
    if (task->timing != NULL) {
        timer_clear(&task->runtime->loop.timers, &task->timing->deadline);
    }
}

void task_set_cpu_limit(struct task *task, uint64_t limit_ms)
{
    task_need_timing(task)->cpu_limit_us = limit_ms == 0 ? 0 : task->cpu_us + limit_ms * 1000;
}

bool task_is_out_of_cpu(const struct task *task)
{
    uint64_t limit_us = task->timing == NULL ? 0 : task->timing->cpu_limit_us;
    return limit_us > 0 && !task->cancelling &&
           task->cpu_us + task->runtime->slice.used_us >= limit_us;
}

void task_set_memory_limit(struct task *task, size_t limit_bytes)
{
    assert(task->owner->on_excess != NULL);
    heap_limit_account(&task->runtime->heap, task->account, limit_bytes);
}

size_t task_memory_limit(const struct task *task)
{
    return heap_account_limit(&task->runtime->heap, task->account);
}

size_t task_memory(const struct task *task)
{
    return heap_account_bytes(&task->runtime->heap, task->account);
}
