/* task_pool.c - the tasks that nobody uses now, and the making of new ones.
 * Owns the pool; each coroutine is anchored in Lua's registry for as long as its task exists, and is used again after it
 * ended well.  A task keeps its account of the heap, too: what it has allocated is its own until it is given back.
 * Called by task.c.  Must not know what a task does, nor how it runs. */
#include <stdlib.h>

#include "worker/core/runtime.h"
#include "worker/core/task.h"

enum { FREE_MAX = 256 }; /* idle coroutines that are kept, about 1 KB each */

/* A hundred thousand actors have one each: malloc would take the next 16 bytes. */
_Static_assert(sizeof(struct task) <= 120, "what few tasks need goes into struct task_timing");

/* No error can be raised in the main coroutine while a task runs, hence the pin. */
static void make_coroutine(struct task *task)
{
    struct runtime *runtime = task->runtime;
    struct heap *heap = &runtime->heap;
    uint32_t before = heap_charge(heap, task->account);
    heap->pins++;
    task->L = lua_newthread(runtime->L);
    lua_rawsetp(runtime->L, LUA_REGISTRYINDEX, task->L);
    heap->pins--;
    (void)heap_charge(heap, before);
    runtime_mark(task->L, RUNTIME_THREAD_OF_TASK);
}

struct task *task_pool_take(struct runtime *runtime)
{
    struct task_pool *pool = &runtime->tasks;
    struct task *task = pool->free;
    pool->live++;
    if (task != NULL) {
        pool->free = task->next_free;
        pool->free_count--;
        heap_renew_account(&runtime->heap, task->account, task);
        return task;
    }
    task = calloc(1, sizeof(*task));
    if (task == NULL) {
        abort();
    }
    task->runtime = runtime;
    task->account = heap_open_account(&runtime->heap, task);
    make_coroutine(task);
    return task;
}

static void free_task(struct task *task)
{
    chain_fini(&task->chain);
    free(task->timing);
    free(task);
}

void task_pool_fini(struct task_pool *pool)
{
    while (pool->free != NULL) {
        struct task *task = pool->free;
        pool->free = task->next_free;
        free_task(task);
    }
    pool->free_count = 0;
}

void task_pool_give(struct task *task)
{
    struct heap *heap = &task->runtime->heap;
    struct task_pool *pool = &task->runtime->tasks;
    pool->live--;
    task->state = TASK_FREE;
    heap_clear_account(heap, task->account);
    if (pool->free_count >= FREE_MAX || task->is_spoiled) {
        lua_pushnil(task->runtime->L);
        lua_rawsetp(task->runtime->L, LUA_REGISTRYINDEX, task->L);
        heap_close_account(heap, task->account);
        free_task(task);
        return;
    }
    lua_settop(task->L, 0);
    lua_sethook(task->L, NULL, 0, 0); /* it may have been armed in the last moment */
    task->next_free = pool->free;
    pool->free = task;
    pool->free_count++;
}
