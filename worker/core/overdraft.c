/* overdraft.c - tasks that have more memory than they may: which of them really do, and their end.
 * Owns the list of suspects.  What a task is charged for is in part garbage, and only a whole collection tells how much.  It is done in
 * steps of about a millisecond, one in each turn, so that nobody else waits for it; those who are under suspicion do not run
 * meanwhile.  A collection that is under way when the suspicion comes up tells nothing: that one is finished first.  Whoever is
 * still above the limit after the second one is ended by its owner, who is given the words for it.
 * Called by relief.c and task.c.  Must not know what a task does, nor what memory the worker has left (relief.c). */
#include "worker/core/overdraft.h"

#include <stdio.h>

#include "worker/core/runtime.h"

enum { MESSAGE_MAX = 128 };

static void note_suspects(struct overdraft *overdraft, const struct heap *heap)
{
    uint32_t account = 0;
    overdraft->suspect_count = 0;
    while (overdraft->suspect_count < OVERDRAFT_SUSPECTS &&
           (account = heap_find_overdrawn(heap, account)) != 0) {
        overdraft->suspects[overdraft->suspect_count++] =
            (struct overdraft_suspect){account, heap->accounts[account].serial};
    }
}

static void end_task(struct task *task)
{
    char message[MESSAGE_MAX];
    (void)snprintf(message, sizeof(message),
                   "it has %zu KiB of memory, of which %zu KiB are allowed",
                   task_memory(task) >> 10, task_memory_limit(task) >> 10);
    task_set_memory_limit(task, 0); /* it may need some on its way out */
    task->owner->on_excess(task, message);
}

static void judge(struct overdraft *overdraft, struct heap *heap)
{
    for (size_t i = 0; i < overdraft->suspect_count; i++) {
        const struct overdraft_suspect *suspect = &overdraft->suspects[i];
        const struct heap_account *account = &heap->accounts[suspect->account];
        if (account->serial == suspect->serial && heap_is_overdrawn(heap, suspect->account)) {
            end_task(account->holder);
        }
    }
}

static void proceed(struct runtime *runtime)
{
    struct overdraft *overdraft = &runtime->overdraft;
    struct heap *heap = &runtime->heap;
    if (overdraft->phase == OVERDRAFT_COLLECTING) {
        judge(overdraft, heap);
    }
    /* those who have passed their limit meanwhile */
    note_suspects(overdraft, heap);
    overdraft->phase = overdraft->suspect_count > 0 ? OVERDRAFT_COLLECTING : OVERDRAFT_NONE;
    if (overdraft->phase == OVERDRAFT_NONE) {
        heap_forget_overdrawn(heap);
    }
}

static void on_share(struct loop_job *job)
{
    struct runtime *runtime = H2O_STRUCT_FROM_MEMBER(struct runtime, overdraft.job, job);
    if (sweep_step(runtime->L)) {
        proceed(runtime);
    }
    if (runtime->overdraft.phase != OVERDRAFT_NONE) {
        loop_defer_share(&runtime->loop, job, on_share);
    }
}

void overdraft_begin(struct runtime *runtime)
{
    if (runtime->overdraft.phase == OVERDRAFT_NONE) {
        runtime->overdraft.phase = OVERDRAFT_FINISHING;
        loop_defer_share(&runtime->loop, &runtime->overdraft.job, on_share);
    }
}

bool overdraft_holds(const struct task *task)
{
    const struct heap *heap = &task->runtime->heap;
    return heap->is_overdrawn && heap_is_overdrawn(heap, task->account);
}
