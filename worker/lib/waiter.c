/* waiter.c - tasks that wait in a queue for a channel, a lock, another task's end.
 * Owns the queues' links; the object that embeds a queue owns what is waited for.  A waiter lives on the stack of the C function that
 * waits, which its task keeps as long as it waits.  Whoever wakes a waiter has given it something by then; if it does not go on to take
 * that, because it is cancelled or killed first, the object hears of it in on_lost and gives it to the next one: no wake is lost.
 * Called by channel.c, lock.c, wait_group.c, handle.c and spawned.c.  Must not know what they give. */
#include "worker/lib/waiter.h"

#include <assert.h>
#include <lauxlib.h>
#include <math.h>

#include "worker/core/error.h"
#include "worker/core/runtime.h"

static const lua_Number limit_max_s = 366.0 * 24 * 60 * 60; /* as that of a sleep */

lua_Number waiter_check_limit(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index)) {
        return -1;
    }
    lua_Number seconds = luaL_checknumber(L, index);
    luaL_argcheck(L, seconds >= 0, index, "must not be negative"); /* nor NaN */
    return fmin(seconds, limit_max_s);
}

static void append(struct waiter_queue *queue, struct waiter *waiter)
{
    waiter->previous = queue->last;
    waiter->next = NULL;
    if (queue->last != NULL) {
        queue->last->next = waiter;
    } else {
        queue->first = waiter;
    }
    queue->last = waiter;
}

static void leave(struct waiter *waiter, enum waiter_state state)
{
    struct waiter_queue *queue = waiter->queue;
    assert(waiter->state == WAITER_QUEUED);
    if (waiter->previous != NULL) {
        waiter->previous->next = waiter->next;
    } else {
        queue->first = waiter->next;
    }
    if (waiter->next != NULL) {
        waiter->next->previous = waiter->previous;
    } else {
        queue->last = waiter->previous;
    }
    timer_clear(&waiter->task->runtime->loop.timers, &waiter->limit);
    waiter->state = state;
}

/* The object's part, on the stack of the main thread: the coroutine that waits is not to be disturbed.  Allocates nothing unless the
 * object gives something to another waiter. */
static void lose(struct waiter *waiter, bool was_woken)
{
    struct runtime *runtime = waiter->task->runtime;
    lua_State *L = runtime->L;
    const struct waiter_kind *kind = waiter->queue->kind;
    if (kind->on_lost != NULL) {
        runtime->heap.pins++; /* an error would have nowhere to go there */
        int top = lua_gettop(L);
        luaL_checkstack(L, LUA_MINSTACK, NULL);
        lua_pushvalue(waiter->L, 1);
        lua_xmove(waiter->L, L, 1);
        kind->on_lost(waiter, L, was_woken);
        lua_settop(L, top);
        runtime->heap.pins--;
    }
}

static void on_limit(struct timer *timer)
{
    struct waiter *waiter = H2O_STRUCT_FROM_MEMBER(struct waiter, limit, timer);
    leave(waiter, WAITER_LATE);
    lose(waiter, false);
    task_wake(waiter->task);
}

static void on_cancel(struct task_wait *wait)
{
    struct waiter *waiter = H2O_STRUCT_FROM_MEMBER(struct waiter, wait, wait);
    leave(waiter, WAITER_GONE);
    lose(waiter, false);
}

static void on_pass(struct task_wait *wait)
{
    struct waiter *waiter = H2O_STRUCT_FROM_MEMBER(struct waiter, wait, wait);
    if (waiter->state == WAITER_WOKEN) { /* else it had come too late for anything */
        waiter->state = WAITER_GONE;
        lose(waiter, true);
    }
}

static int on_resume(struct task_wait *wait, lua_State *L)
{
    struct waiter *waiter = H2O_STRUCT_FROM_MEMBER(struct waiter, wait, wait);
    const struct waiter_kind *kind = waiter->queue->kind;
    if (waiter->state == WAITER_LATE) {
        error_raise(L, "TimeoutError", "timeout", 503, "%s took too long", kind->what);
    }
    assert(waiter->state == WAITER_WOKEN);
    return kind->on_resume(waiter, L);
}

struct waiter *waiter_push(lua_State *L, struct waiter_queue *queue)
{
    struct task *task = task_check(L);
    struct waiter *waiter = lua_newuserdatauv(L, sizeof(*waiter), 0);
    *waiter = (struct waiter){
        .wait = {on_cancel, on_resume}, .task = task, .L = L, .queue = queue, .state = WAITER_GONE};
    return waiter;
}

int waiter_wait(lua_State *L, struct waiter *waiter, lua_Number limit_s)
{
    waiter->state = WAITER_QUEUED;
    append(waiter->queue, waiter);
    if (limit_s >= 0) {
        loop_set_timer(&waiter->task->runtime->loop, &waiter->limit, (uint64_t)ceil(limit_s * 1000),
                       on_limit);
    }
    return task_wait_or_pass(L, &waiter->wait, on_pass);
}

struct waiter *waiter_wake(struct waiter_queue *queue)
{
    struct waiter *waiter = queue->first;
    if (waiter != NULL) {
        leave(waiter, WAITER_WOKEN);
        task_wake(waiter->task);
    }
    return waiter;
}
