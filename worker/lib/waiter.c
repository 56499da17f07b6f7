/* waiter.c - tasks that wait in a queue for a channel, a lock, another task's end.
 * Owns the queues' links; the object that embeds a queue owns what is waited for.  A waiter is a to-be-closed value of the C function
 * that waits, so it is closed however that ends: when it goes on, when it is cancelled between its wake and its turn, and when its
 * coroutine is closed by force.  Whoever wakes a waiter has given it something by then; if it does not go on to take that, the
 * object hears of it in on_lost and gives it to the next one, so no wake is lost.
 * Called by channel.c, lock.c, wait_group.c and handle.c.  Must not know what they give. */
#include "worker/lib/waiter.h"

#include <assert.h>
#include <lauxlib.h>
#include <math.h>

#include "worker/core/error.h"
#include "worker/core/runtime.h"

#define WAITER_METATABLE "fsd.Waiter"

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

static void on_limit(struct timer *timer)
{
    struct waiter *waiter = H2O_STRUCT_FROM_MEMBER(struct waiter, limit, timer);
    leave(waiter, WAITER_LATE);
    task_wake(waiter->task);
}

static void on_cancel(struct task_wait *wait)
{
    leave(H2O_STRUCT_FROM_MEMBER(struct waiter, wait, wait), WAITER_GONE);
}

static int on_resume(struct task_wait *wait, lua_State *L)
{
    struct waiter *waiter = H2O_STRUCT_FROM_MEMBER(struct waiter, wait, wait);
    const struct waiter_kind *kind = waiter->queue->kind;
    if (waiter->state == WAITER_LATE) {
        error_raise(L, "TimeoutError", "timeout", 503, "%s took too long", kind->what);
    }
    assert(waiter->state == WAITER_WOKEN);
    waiter->state = WAITER_OVER;
    return kind->on_resume(waiter, L);
}

/* __close: of no consequence when the wait went well. */
static int waiter_close(lua_State *L)
{
    struct waiter *waiter = lua_touserdata(L, 1);
    const struct waiter_kind *kind = waiter->queue->kind;
    bool was_woken = waiter->state == WAITER_WOKEN;
    if (waiter->state != WAITER_OVER && kind->on_lost != NULL) {
        lua_settop(L, 1);
        lua_getiuservalue(L, 1, 1);
        waiter->state = WAITER_OVER;
        kind->on_lost(waiter, L, was_woken);
    }
    return 0;
}

struct waiter *waiter_push(lua_State *L, struct waiter_queue *queue)
{
    struct task *task = task_check(L);
    struct waiter *waiter = lua_newuserdatauv(L, sizeof(*waiter), 1);
    *waiter = (struct waiter){
        .wait = {on_cancel, on_resume}, .task = task, .queue = queue, .state = WAITER_OVER};
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, WAITER_METATABLE);
    return waiter;
}

int waiter_wait(lua_State *L, struct waiter *waiter, lua_Number limit_s)
{
    lua_toclose(L, -1);
    waiter->state = WAITER_QUEUED;
    append(waiter->queue, waiter);
    if (limit_s >= 0) {
        loop_set_timer(&waiter->task->runtime->loop, &waiter->limit, (uint64_t)ceil(limit_s * 1000),
                       on_limit);
    }
    return task_wait(L, &waiter->wait);
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

void waiter_register(lua_State *L)
{
    luaL_newmetatable(L, WAITER_METATABLE);
    lua_pushcfunction(L, waiter_close);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
}
