/* task.c - coroutines that the worker runs: taken from a pool, resumed, parked, woken, cancelled.
 * Owns the pool; each coroutine is anchored in Lua's registry for as long as its task exists, and is used again after it
 * ended well.  A task waits in exactly one place, a task_wait; whoever ends the wait calls task_wake, and the task goes
 * on at the end of the turn (a job of the loop), never from within the callback.  Cancelling raises in that wait, so
 * that unwinding (<close>, pcall) runs and may itself wait; a second later the coroutine is closed by force.
 * Called by the HTTP area and by hooks.  Must not know what a task does. */
#include "worker/core/task.h"

#include <assert.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>

#include "worker/core/error.h"
#include "worker/core/runtime.h"

enum {
    GRACE_MS = 1000,
    FREE_MAX = 256,                   /* idle coroutines that are kept, about 1 KB each */
    SLEEP_MAX_S = 366 * 24 * 60 * 60, /* keeps the conversion to milliseconds exact */
};

static const struct cancel_word {
    const char *code;
    int status;
    const char *message;
} cancel_words[] = {
    [TASK_CANCEL_NONE] = {"", 0, ""},
    [TASK_CANCEL_ABORTED] = {"aborted", 499, "the client has gone"},
    [TASK_CANCEL_TIMEOUT] = {"timeout", 503, "the deadline has passed"},
    [TASK_CANCEL_SHUTDOWN] = {"shutdown", 503, "the worker is leaving"},
    [TASK_CANCEL_ASKED] = {"cancelled", 499, "the task was cancelled"},
};

struct task *task_new(struct runtime *runtime, const struct task_owner *owner, void *data)
{
    struct task_pool *pool = &runtime->tasks;
    struct task *task = pool->free;
    if (task != NULL) {
        pool->free = task->next_free;
        pool->free_count--;
    } else {
        task = calloc(1, sizeof(*task));
        if (task == NULL) {
            abort();
        }
        task->runtime = runtime;
        task->L = lua_newthread(runtime->L);
        lua_rawsetp(runtime->L, LUA_REGISTRYINDEX, task->L);
    }
    pool->live++;
    task->owner = owner;
    task->data = data;
    task->state = TASK_READY;
    task->cancel = TASK_CANCEL_NONE;
    task->cancelling = false;
    task->is_overdue = false;
    task->is_killed = false;
    task->wait = NULL;
    return task;
}

void task_pool_fini(struct task_pool *pool)
{
    while (pool->free != NULL) {
        struct task *task = pool->free;
        pool->free = task->next_free;
        free(task);
    }
    pool->free_count = 0;
}

static void recycle(struct task *task)
{
    struct task_pool *pool = &task->runtime->tasks;
    pool->live--;
    task->state = TASK_FREE;
    if (pool->free_count >= FREE_MAX) {
        lua_pushnil(task->runtime->L);
        lua_rawsetp(task->runtime->L, LUA_REGISTRYINDEX, task->L);
        free(task);
        return;
    }
    lua_settop(task->L, 0);
    lua_sethook(task->L, NULL, 0, 0); /* debug.sethook of one request is not for the next one's */
    task->next_free = pool->free;
    pool->free = task;
    pool->free_count++;
}

static void finish(struct task *task, int status)
{
    struct loop *loop = &task->runtime->loop;
    timer_clear(&loop->timers, &task->deadline);
    timer_clear(&loop->timers, &task->grace);
    task->wait = NULL;
    task->owner->on_done(task, status);
    if (status != LUA_OK) {
        lua_resetthread(
            task->L); /* an error leaves the coroutine dead; this makes it usable again */
    }
    recycle(task);
}

static void note_run(struct task *task)
{
    if (task->owner->on_run != NULL) {
        task->owner->on_run(task);
    } else {
        recorder_run_task(&task->runtime->recorder, task->owner->kind);
    }
}

/* Nothing is pushed before on_done has run: the collector could take what the owner still points to. */
static void close_by_force(struct task *task)
{
    task->state = TASK_RUNNING;
    note_run(task);
    lua_resetthread(task->L); /* closes its <close> variables; they can't wait here */
    recorder_pause(&task->runtime->recorder);
    lua_settop(task->L, 0);
    finish(task, TASK_CLOSED);
}

static void resume(struct task *task, int argument_count)
{
    struct task_pool *pool = &task->runtime->tasks;
    assert(pool->running == NULL);
    pool->running = task;
    task->state = TASK_RUNNING;
    note_run(task);
    int result_count = 0;
    int status = lua_resume(task->L, NULL, argument_count, &result_count);
    pool->running = NULL;
    recorder_pause(&task->runtime->recorder);
    if (status != LUA_YIELD) {
        finish(task, status);
        return;
    }
    bool is_lost = task->wait == NULL; /* some C function yielded to nobody: it would never go on */
    if (is_lost || task->is_overdue || task->is_killed) {
        if (!is_lost) {
            task->wait->on_cancel(task->wait);
        }
        close_by_force(task);
        return;
    }
    task->state = TASK_WAITING;
    if (task->owner->on_wait != NULL) {
        task->owner->on_wait(task);
    }
}

void task_start(struct task *task, int argument_count)
{
    resume(task, argument_count);
}

static void on_wake(struct loop_job *job)
{
    struct task *task = H2O_STRUCT_FROM_MEMBER(struct task, wake, job);
    if (task->is_killed) {
        close_by_force(task);
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

static void raise_cancel(lua_State *L, struct task *task)
{
    const struct cancel_word *word = &cancel_words[task->cancel];
    task->cancel = TASK_CANCEL_NONE; /* raised once: what unwinds may wait again */
    error_raise(L, "CancelError", word->code, word->status, "%s", word->message);
}

static int on_resumed(lua_State *L, int status, lua_KContext context)
{
    (void)status; /* always LUA_YIELD: only resume() brings us here */
    (void)context;
    struct task *task = runtime_of(L)->tasks.running; /* never NULL: resume() has set it */
    struct task_wait *wait = task->wait;
    task->wait = NULL;
    if (task->cancel != TASK_CANCEL_NONE) {
        raise_cancel(L, task);
    }
    return wait->on_resume(wait, L);
}

int task_wait(lua_State *L, struct task_wait *wait)
{
    struct task *task = runtime_of(L)->tasks.running;
    assert(task != NULL && task->L == L &&
           task->wait == NULL); /* the caller has asked task_check */
    if (task->cancel != TASK_CANCEL_NONE) {
        wait->on_cancel(wait);
        raise_cancel(L, task);
    }
    task->wait = wait;
    return lua_yieldk(L, 0, 0, on_resumed);
}

static void on_grace_over(struct timer *timer)
{
    struct task *task = H2O_STRUCT_FROM_MEMBER(struct task, grace, timer);
    if (task->state == TASK_READY) {
        task->is_overdue =
            true; /* it is about to run once more; resume() ends it when it waits again */
        return;
    }
    task->wait->on_cancel(task->wait);
    close_by_force(task);
}

void task_cancel(struct task *task, enum task_cancel reason)
{
    if (task->cancelling || task->state == TASK_FREE) {
        return;
    }
    struct loop *loop = &task->runtime->loop;
    task->cancelling = true;
    task->cancel = reason;
    loop_set_timer(loop, &task->grace, GRACE_MS, on_grace_over);
    if (task->state == TASK_WAITING) {
        task->wait->on_cancel(task->wait);
        make_ready(task);
    }
}

void task_kill(struct task *task)
{
    if (task->is_killed || task->state == TASK_FREE) {
        return;
    }
    task->is_killed = true;
    task->cancelling = true; /* no other reason counts any more */
    if (task->state == TASK_WAITING) {
        task->wait->on_cancel(task->wait);
        make_ready(task);
    }
}

static void on_deadline(struct timer *timer)
{
    task_cancel(H2O_STRUCT_FROM_MEMBER(struct task, deadline, timer), TASK_CANCEL_TIMEOUT);
}

void task_set_deadline(struct task *task, uint64_t after_ms)
{
    loop_set_timer(&task->runtime->loop, &task->deadline, after_ms, on_deadline);
}

struct task *task_of(lua_State *L)
{
    struct task *task = runtime_of(L)->tasks.running;
    return task != NULL && task->L == L ? task : NULL;
}

struct task *task_check(lua_State *L)
{
    struct task *task = task_of(L);
    if (task != NULL && lua_isyieldable(L)) {
        return task;
    }
    if (task != NULL) {
        luaL_error(L, "cannot wait here: called from within a C function (a sort, a gsub, a "
                      "metamethod, require ...)");
    } else if (runtime_of(L)->tasks.running != NULL) {
        luaL_error(L, "cannot wait inside a coroutine of your own: wait in the handler itself");
    }
    luaL_error(L, "cannot wait here: only requests and tasks can, not code that is being loaded, "
                  "collected or closed");
    __builtin_unreachable(); /* luaL_error does not return, but its prototype can't say so */
}

bool task_owns(lua_State *L, lua_State *thread)
{
    bool owns = lua_rawgetp(L, LUA_REGISTRYINDEX, thread) == LUA_TTHREAD;
    lua_pop(L, 1);
    return owns;
}

static void on_sleep_over(struct timer *timer)
{
    task_wake(H2O_STRUCT_FROM_MEMBER(struct task, sleep, timer));
}

static void on_sleep_cancel(struct task_wait *wait)
{
    struct task *task = H2O_STRUCT_FROM_MEMBER(struct task, sleep_wait, wait);
    timer_clear(&task->runtime->loop.timers, &task->sleep);
}

static int on_sleep_resume(struct task_wait *wait, lua_State *L)
{
    (void)wait;
    (void)L;
    return 0;
}

int task_sleep(lua_State *L, double seconds)
{
    struct task *task = task_check(L);
    struct loop *loop = &task->runtime->loop;
    double limited = fmin(fmax(seconds, 0), SLEEP_MAX_S);
    task->sleep_wait = (struct task_wait){on_sleep_cancel, on_sleep_resume};
    loop_set_timer(loop, &task->sleep, (uint64_t)ceil(limited * 1000), on_sleep_over);
    return task_wait(L, &task->sleep_wait);
}
