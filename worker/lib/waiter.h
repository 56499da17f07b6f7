#ifndef FSD_WORKER_LIB_WAITER_H
#define FSD_WORKER_LIB_WAITER_H

#include <lua.h>
#include <stdbool.h>

#include "worker/core/task.h"

struct waiter;

/* What a kind of object does with those who wait for it; rows that live for ever. */
struct waiter_kind {
    /* In the coroutine of the one that was woken: pushes what its call returns; the call's arguments still stand on the stack. */
    int (*on_resume)(struct waiter *waiter, lua_State *L);
    /* It will not go on: it was cancelled or killed, or its limit has passed.  was_woken: it had been given something, which must go
     * to the next one.  The object stands on the top of L.  Raises nothing and does not wait.  May be NULL. */
    void (*on_lost)(struct waiter *waiter, lua_State *L, bool was_woken);
    const char *what; /* "channel:get": for the message when it took too long */
};

/* Tasks that wait for one object, first come, first served; embedded in the object. */
struct waiter_queue {
    struct waiter *first; /* borrowed from the stacks of those who wait */
    struct waiter *last;
    const struct waiter_kind *kind;
};

enum waiter_state {
    WAITER_QUEUED,
    WAITER_WOKEN, /* was given what it waited for, and goes on at the end of the turn */
    WAITER_LATE,  /* its limit has passed */
    WAITER_GONE,  /* cancelled */
};

/* One task that waits: a userdata on the stack of the C function that waits, whose first argument is the object. */
struct waiter {
    struct task_wait wait;
    struct task *task;          /* borrowed */
    lua_State *L;               /* the coroutine that waits */
    struct waiter_queue *queue; /* borrowed from the object */
    struct waiter *previous;
    struct waiter *next;
    struct timer limit;
    enum waiter_state state;
    bool is_with; /* the object's own: what is to be done on resuming */
};

/* The optional limit at index, in seconds; a negative number when there is none. */
lua_Number waiter_check_limit(lua_State *L, int index);
/* Pushes a waiter for the object at index 1, which owns the queue.  Raises where nobody may wait. */
struct waiter *waiter_push(lua_State *L, struct waiter_queue *queue);
/* `return waiter_wait(L, waiter, limit_s)`: until waiter_wake.  A limit of 0 or more raises a TimeoutError when it has passed. */
int waiter_wait(lua_State *L, struct waiter *waiter, lua_Number limit_s);
/* Wakes the first one of the queue and returns it; NULL: nobody waits. */
struct waiter *waiter_wake(struct waiter_queue *queue);

#endif
