/* task_hold.c - what a task holds, and loses when it ends, as a process of Erlang's loses what belongs to it.
 * Owns the links; whoever has the thing embeds the hold.  The end of the task, whatever it is, comes after its <close> variables, which
 * may have given the thing back themselves.
 * Called by task.c at the end of a task, and by lib/lock.c.  Must not know what is held. */
#include <assert.h>
#include <stddef.h>

#include "worker/core/task.h"

void task_hold_add(struct task *task, struct task_hold *hold)
{
    assert(hold->task == NULL);
    hold->task = task;
    hold->previous = NULL;
    hold->next = task->holds;
    if (task->holds != NULL) {
        task->holds->previous = hold;
    }
    task->holds = hold;
}

void task_hold_remove(struct task_hold *hold)
{
    if (hold->task == NULL) {
        return;
    }
    if (hold->previous != NULL) {
        hold->previous->next = hold->next;
    } else {
        hold->task->holds = hold->next;
    }
    if (hold->next != NULL) {
        hold->next->previous = hold->previous;
    }
    hold->task = NULL;
}

void task_hold_end(struct task *task)
{
    while (task->holds != NULL) {
        struct task_hold *hold = task->holds;
        task_hold_remove(hold);
        hold->on_task_end(hold);
    }
}
