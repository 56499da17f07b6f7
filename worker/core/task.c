/* task.c - coroutines that the worker runs: taken from a pool (task_pool.c), resumed, parked, woken, cancelled.
 * Owns the life of each task, but not its memory.  A task waits in exactly one place, a task_wait; whoever ends the wait calls
 * task_wake, and the task goes on at the end of the turn (a job of the loop), never from within the callback.  One that has
 * used up its slice is preempted: it yields between two instructions (preempt.c) and gets its share of a later turn.
 * Cancelling raises in the wait, or where the task was preempted, so that unwinding (<close>, pcall) runs and may itself wait;
 * a second after it was told the coroutine is closed by force.
 * Called by the HTTP area and by hooks.  Must not know what a task does. */
#include "worker/core/task.h"

#include <assert.h>

#include "common/page.h"
#include "worker/core/closing.h"
#include "worker/core/error.h"
#include "worker/core/generation.h"
#include "worker/core/hook_error.h"
#include "worker/core/overdraft.h"
#include "worker/core/relief.h"
#include "worker/core/runtime.h"

enum {
    GRACE_MS = 1000,
};

static const struct cancel_word {
    const char *name;
    const char *code;
    int status;
    const char *message;
} cancel_words[] = {
    [TASK_CANCEL_NONE] = {"", "", 0, ""},
    [TASK_CANCEL_ABORTED] = {"CancelError", "aborted", 499, "the client has gone"},
    [TASK_CANCEL_TIMEOUT] = {"CancelError", "timeout", 503, "the deadline has passed"},
    [TASK_CANCEL_SHUTDOWN] = {"CancelError", "shutdown", 503, "the worker is leaving"},
    [TASK_CANCEL_ASKED] = {"CancelError", "cancelled", 499, "the task was cancelled"},
    [TASK_CANCEL_REPLACED] = {"CancelError", "replaced", 503,
                              "the code was replaced, and the time to finish is over"},
    [TASK_CANCEL_RELOAD] = {"CancelError", "reload", 503,
                            "the code was replaced, and the new code goes on from here"},
    [TASK_CANCEL_CPU] = {"CancelError", "cpu", 503, "the CPU time is used up"},
    [TASK_CANCEL_MEMORY] = {"LimitError", "memory", 503, TASK_MEMORY_WORDS},
};

struct task *task_new(struct runtime *runtime, const struct task_owner *owner, void *data)
{
    struct task *task = task_pool_take(runtime);
    task->owner = owner;
    task->data = data;
    task->state = TASK_READY;
    task->cancel = TASK_CANCEL_NONE;
    task->cancelling = false;
    task->is_overdue = false;
    task->is_killed = false;
    task->is_suspending = false;
    task->is_preempted = false;
    task->is_spoiled = false;
    task->is_hog = false;
    task->descent = 0;
    task->trial = TASK_TRIAL_NONE;
    task->is_idle = false;
    task->is_told = false;
    task->generation = runtime->tasks.running != NULL ? runtime->tasks.running->generation
                       : runtime->generation != NULL  ? (uint16_t)runtime->generation->number
                                                      : 0;
    generations_enter(runtime, task->generation);
    task->cpu_us = 0;
    if (task->timing != NULL) {
        task->timing->cpu_limit_us = 0;
    }
    task->wait = NULL;
    return task;
}

/* Closes the coroutine's <close> variables; they can't wait here. */
static void reset(struct task *task)
{
    struct slice *slice = &task->runtime->slice;
    slice_begin(slice, task->L, task->runtime->loop.now_us);
    chain_close(&task->chain, slice);
    (void)closing_reset(task->L); /* an error in there has nobody to go to */
    (void)slice_end(slice);
}

static void finish(struct task *task, int status)
{
    task_clear_timers(task);
    task->wait = NULL;
    task->owner->on_done(task, status);
    if (task->is_hog) {
        task->runtime->heap.is_tight = true; /* what it had is to be collected */
    }
    if (status != LUA_OK) {
        reset(task); /* an error leaves the coroutine dead; this makes it usable again */
    }
    task_hold_end(task);
    generations_leave(task->runtime, task->generation);
    task_pool_give(task);
}

static void note_run(struct task *task)
{
    if (task->owner->on_run != NULL) {
        task->owner->on_run(task);
    } else {
        recorder_run_task(&task->runtime->recorder, task->owner->kind);
    }
}

/* No task runs, and none is on the C stack's way. */
static void tidy(struct runtime *runtime)
{
    const struct heap *heap = &runtime->heap;
    if (runtime->page != NULL) {
        page_set(&runtime->page->lua_bytes, heap->used_bytes);
    }
    if (heap->is_tight) {
        relief_run(runtime);
    }
}

/* Nothing is pushed before on_done has run: the collector could take what the owner still points to. */
static void close_by_force(struct task *task)
{
    task->state = TASK_RUNNING;
    /* Lua 5.4.4 does not forget the message handler of an xpcall that it was inside of */
    task->is_spoiled = true;
    note_run(task);
    reset(task);
    recorder_pause(&task->runtime->recorder);
    lua_settop(task->L, 0);
    struct runtime *runtime = task->runtime;
    finish(task, TASK_CLOSED);
    tidy(runtime);
}

static void on_wake(struct loop_job *job);

/* The coroutine has yielded. */
static void suspend(struct task *task)
{
    /* else some C function yielded to nobody: it would never go on */
    if (!task->is_suspending || task->is_overdue || task->is_killed) {
        if (task->wait != NULL) {
            task->wait->on_cancel(task->wait);
        }
        close_by_force(task);
        return;
    }
    chain_hold(&task->chain);
    if (task->is_preempted) {
        task->state = TASK_READY;
        loop_defer_share(&task->runtime->loop, &task->wake, on_wake);
    } else {
        task->state = TASK_WAITING;
    }
    if (task->owner->on_wait != NULL) {
        task->owner->on_wait(task);
    }
}

static void resume(struct task *task, int argument_count)
{
    struct runtime *runtime = task->runtime;
    struct task_pool *pool = &runtime->tasks;
    assert(pool->running == NULL);
    pool->running = task;
    task->state = TASK_RUNNING;
    task->is_suspending = false;
    /* to be raised now, not a slice later */
    bool is_due = (task->is_hog || task->cancel != TASK_CANCEL_NONE) && task->is_preempted;
    task->is_preempted = false;
    note_run(task);
    slice_begin(&runtime->slice, task->L, runtime->loop.now_us);
    if (is_due) {
        slice_cut(&runtime->slice);
    }
    (void)heap_charge(&runtime->heap, task->account);
    int result_count = 0;
    int status = lua_resume(task->L, NULL, argument_count, &result_count);
    task->cpu_us += slice_end(&runtime->slice);
    (void)heap_charge(&runtime->heap, 0);
    pool->running = NULL;
    recorder_pause(&runtime->recorder);
    if (status == LUA_YIELD) {
        suspend(task);
    } else {
        finish(task, status);
    }
    tidy(runtime);
}

void task_start(struct task *task, int argument_count)
{
    resume(task, argument_count);
}

static void on_wake(struct loop_job *job)
{
    struct task *task = H2O_STRUCT_FROM_MEMBER(struct task, wake, job);
    if (task->is_killed || (task->is_overdue && task->is_preempted)) {
        close_by_force(task);
    } else if (overdraft_holds(task)) {
        loop_defer_share(&task->runtime->loop, job, on_wake);
    } else {
        resume(task, 0);
    }
}

static void make_ready(struct task *task)
{
    task->state = TASK_READY;
    loop_defer(&task->runtime->loop, &task->wake, on_wake);
}

void task_wake(struct task *task)
{
    assert(task->state == TASK_WAITING || task->state == TASK_READY);
    if (task->state == TASK_WAITING) {
        make_ready(task);
    }
}

static void on_grace_over(struct timer *timer)
{
    struct task *task = H2O_STRUCT_FROM_MEMBER(struct task_timing, grace, timer)->task;
    if (task->state == TASK_READY) {
        task->is_overdue = true; /* one whose wait is over runs once more; suspend() ends it then */
    } else {
        task->wait->on_cancel(task->wait);
        close_by_force(task);
    }
}

/* The CPU may be short, or a disk slow: the grace begins when the task is told. */
static void push_cancel(lua_State *L, struct task *task)
{
    const struct cancel_word *word = &cancel_words[task->cancel];
    task->cancel = TASK_CANCEL_NONE; /* raised once: what unwinds may wait again */
    if (task->cancelling) {
        loop_set_timer(&task->runtime->loop, &task_need_timing(task)->grace, GRACE_MS,
                       on_grace_over);
    }
    error_push(L, word->name, word->code, word->status, word->message);
    if (task->owner->on_raise != NULL) {
        task->owner->on_raise(task, L);
    }
}

static int on_resumed(lua_State *L, int status, lua_KContext context)
{
    (void)status; /* always LUA_YIELD: only resume() brings us here */
    (void)context;
    struct task *task = runtime_of(L)->tasks.running; /* never NULL: resume() has set it */
    struct task_wait *wait = task->wait;
    task->wait = NULL;
    task->is_idle = false;
    if (task->cancel != TASK_CANCEL_NONE) {
        push_cancel(L, task);
        return lua_error(L);
    }
    return wait->on_resume(wait, L);
}

void task_mark_idle(struct task *task)
{
    task->is_idle = true;
}

void task_raise_cancel(lua_State *L)
{
    struct task *task = task_of(L);
    if (task != NULL && task->cancel != TASK_CANCEL_NONE) {
        push_cancel(L, task);
        (void)lua_error(L);
    }
}

int task_wait_or_pass(lua_State *L, struct task_wait *wait, void (*on_pass)(struct task_wait *wait))
{
    struct task *task = task_of(L);
    assert(task != NULL && task->wait == NULL); /* the caller has asked task_check */
    if (task->cancel != TASK_CANCEL_NONE) {
        task->is_idle = false;
        wait->on_cancel(wait);
        push_cancel(L, task);
        return lua_error(L);
    }
    task->wait = wait;
    task->on_pass = on_pass;
    task->is_suspending = true;
    return lua_yieldk(L, 0, 0, on_resumed);
}

int task_wait(lua_State *L, struct task_wait *wait)
{
    return task_wait_or_pass(L, wait, NULL);
}

void task_preempt(lua_State *L)
{
    struct task *task = runtime_of(L)->tasks.running;
    if (task_is_out_of_cpu(task)) {
        task_cancel(task, TASK_CANCEL_CPU);
    }
    if (task->cancel != TASK_CANCEL_NONE && !task->is_killed) {
        push_cancel(L, task);
        hook_error_raise(L);
    }
    task->is_preempted = true;
    task->is_suspending = true;
    (void)lua_yield(L, 0); /* comes back: Lua yields when the hook returns */
}

/* It was woken, but will not take what that has brought; once, also when it is killed behind being cancelled. */
static void pass_on(struct task *task)
{
    if (task->state == TASK_READY && task->wait != NULL && task->cancel == TASK_CANCEL_NONE &&
        task->on_pass != NULL) {
        task->on_pass(task->wait);
    }
}

void task_cancel(struct task *task, enum task_cancel reason)
{
    if (task->cancelling || task->state == TASK_FREE) {
        return;
    }
    pass_on(task);
    task->cancelling = true;
    task->is_told |= reason == TASK_CANCEL_REPLACED;
    task->cancel = reason;
    if (task->state == TASK_WAITING) {
        task->wait->on_cancel(task->wait);
        make_ready(task);
    }
}

bool task_tell(struct task *task)
{
    if (task->state != TASK_WAITING || !task->is_idle || task->is_told || task->cancelling) {
        return false;
    }
    task->is_told = true;
    task->cancel = TASK_CANCEL_RELOAD;
    task->wait->on_cancel(task->wait);
    make_ready(task);
    return true;
}

void task_kill(struct task *task)
{
    if (task->is_killed || task->state == TASK_FREE) {
        return;
    }
    pass_on(task);
    task->is_killed = true;
    task->cancelling = true; /* no other reason counts any more */
    if (task->state == TASK_WAITING) {
        task->wait->on_cancel(task->wait);
        make_ready(task);
    }
}
