/* relief.c - what a worker does when most of the memory that it may use is used.
 * Owns nothing.  The allocator can't collect, it is called in the middle of anything: it only cuts the slice of what runs.  Between
 * tasks everything unreachable is collected then; when that does not help, the task that has the most is told to end, and closed
 * by force when it is still there the next time, which is an eighth of the limit later: so no task is worth a second
 * collection at once, and a pcall saves nobody.  What nobody has who runs, such as global tables, can't be taken from anybody:
 * once that alone is above the limit, the worker asks to be replaced.
 * Called by task.c.  Must not know what a task does. */
#include "worker/core/relief.h"

#include <h2o.h>

#include "worker/core/overdraft.h"
#include "worker/core/runtime.h"

enum {
    OFFENCE_PART = 16, /* of the limit: who has less is not to blame */
    MIB = 1 << 20,
};

void relief_note(struct heap *heap)
{
    struct runtime *runtime = H2O_STRUCT_FROM_MEMBER(struct runtime, heap, heap);
    slice_cut(&runtime->slice);
    if (heap->is_overdrawn) {
        overdraft_begin(runtime);
    }
}

static unsigned long to_mib(size_t bytes)
{
    return (unsigned long)(bytes / MIB);
}

static void end_task(struct runtime *runtime, struct task *task)
{
    struct heap *heap = &runtime->heap;
    if (task->is_killed) {
        return; /* on its way */
    }
    logger_write(&runtime->logger, LOG_LEVEL_WARNING,
                 "ending a task of kind \"%s\": it has %lu MiB of the %lu MiB of memory in use, "
                 "%lu MiB are allowed",
                 task->owner->kind, to_mib(task_memory(task)), to_mib(heap->used_bytes),
                 to_mib(heap->limit_bytes));
    if (task->owner->on_excess != NULL) {
        task->owner->on_excess(task, TASK_MEMORY_WORDS);
    } else if (task->cancelling) {
        task_kill(task);
    } else {
        task_cancel(task, TASK_CANCEL_MEMORY);
    }
    task->is_hog = true;
}

static void blame_nobody(struct runtime *runtime)
{
    struct heap *heap = &runtime->heap;
    logger_write(&runtime->logger, LOG_LEVEL_WARNING,
                 "%lu MiB of memory are in use, %lu MiB are allowed, and no single task has much "
                 "of it: global data grows",
                 to_mib(heap->used_bytes), to_mib(heap->limit_bytes));
    if (heap->used_bytes > heap->limit_bytes && runtime->on_exhausted != NULL) {
        runtime->on_exhausted(runtime);
    }
}

void relief_run(struct runtime *runtime)
{
    struct heap *heap = &runtime->heap;
    if (!heap->was_refused) { /* else Lua has just done that */
        (void)lua_gc(runtime->L, LUA_GCCOLLECT);
    }
    if (heap->used_bytes > heap->soft_bytes) {
        struct task *task = heap_find_largest(heap, heap->limit_bytes / OFFENCE_PART);
        if (task != NULL) {
            end_task(runtime, task);
        } else {
            blame_nobody(runtime);
        }
    }
    heap_settle(heap);
}
