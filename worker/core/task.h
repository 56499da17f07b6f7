#ifndef FSD_WORKER_CORE_TASK_H
#define FSD_WORKER_CORE_TASK_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/chain.h"
#include "worker/core/loop.h"

struct runtime;
struct task;

/* Why a task is told to stop; the words that its Error carries stand in task.c. */
enum task_cancel {
    TASK_CANCEL_NONE,
    TASK_CANCEL_ABORTED,  /* whoever wanted the result has gone */
    TASK_CANCEL_TIMEOUT,  /* its deadline has passed */
    TASK_CANCEL_SHUTDOWN, /* the worker is leaving */
    TASK_CANCEL_ASKED,    /* another task wants it */
    TASK_CANCEL_CPU,      /* it has used up its CPU time */
    TASK_CANCEL_REPLACED, /* other code has taken the place of its own, long ago */
    TASK_CANCEL_RELOAD,   /* other code goes on with what it does (task_tell) */
    TASK_CANCEL_MEMORY,   /* it has the most of the worker's memory, of which little is left */
};

#define TASK_MEMORY_WORDS "the worker's memory is used up, and most of it is this task's"

/* A task that runs code which is only tried: it may start nothing, since nobody would undo that. */
enum task_trial {
    TASK_TRIAL_NONE,
    TASK_TRIAL_LOADS, /* the top level: as in a worker that loads before it serves, it can't wait either */
    TASK_TRIAL_CHECKS, /* the application's own checks */
};

enum task_state {
    TASK_FREE,
    TASK_READY, /* wakes at the end of this turn; or was preempted, and gets its share of a later one */
    TASK_RUNNING, /* on the C stack now */
    TASK_WAITING, /* for its task_wait */
};

/* What a task waits for; embedded in its owner, which must outlive the wait. */
struct task_wait {
    /* The wait is over early: unlink from whatever would wake the task.  Never called after task_wake. */
    void (*on_cancel)(struct task_wait *wait);
    /* Runs in the coroutine when it goes on: pushes results and returns their number. */
    int (*on_resume)(struct task_wait *wait, lua_State *L);
};

/* A status beside Lua's own: the coroutine was closed where it stood. */
enum { TASK_CLOSED = -1 };

/* Whose task it is; rows that live for ever. */
struct task_owner {
    const char *kind; /* "request", "hook": for messages */
    /* The coroutine is finished.  status is LUA_OK with the results on the stack, an error code with the error on the top, or
     * TASK_CLOSED with nothing.  The task goes back to its pool when this returns. */
    void (*on_done)(struct task *task, int status);
    /* The coroutine has just begun to wait, or was preempted (then its state is READY); may be NULL. */
    void (*on_wait)(struct task *task);
    /* It is about to run: says so to the recorder.  May be NULL: then kind is what the recorder notes. */
    void (*on_run)(struct task *task);
    /* It has more memory than it may have, as message says, and does not run now: ends it for good.  NULL: it is cancelled instead, and may
     * have no limit of its own. */
    void (*on_excess)(struct task *task, const char *message);
    /* Adds to the CancelError on the top, which is about to be raised in it; may be NULL. */
    void (*on_raise)(const struct task *task, lua_State *L);
    /* Writes what of its kind it is: "GET /path".  May be NULL. */
    void (*on_describe)(const struct task *task, char *text, size_t room);
    /* Its code was replaced, and the time to finish is over; called again and again until it has ended, or runs other code.  NULL: it is
     * cancelled. */
    void (*on_replaced)(struct task *task);
};

/* What belongs to a task until it gives it back or ends; embedded in its owner. */
struct task_hold {
    struct task *task; /* borrowed; NULL: it belongs to nobody */
    /* The task has ended with it, and does not have it any more.  Raises nothing. */
    void (*on_task_end)(struct task_hold *hold);
    struct task_hold *previous; /* borrowed: of the task's */
    struct task_hold *next;
};

/* What a task has only if it has a deadline, is cancelled or waits for a time. */
struct task_timing {
    struct task *task;     /* borrowed */
    uint64_t cpu_limit_us; /* 0: none */
    struct timer deadline;
    struct timer grace;
    struct timer wait; /* of sleep and of receive: a task waits in one place at a time */
    struct task_wait sleep;
};

/* One coroutine that the worker runs.  There are a hundred thousand of them: what few need is not in here. */
struct task {
    struct runtime *runtime; /* borrowed */
    lua_State *L;            /* anchored in the registry under its own address */
    enum task_state state : 8;
    enum task_cancel cancel : 8; /* to be raised when it goes on */
    bool is_overdue;             /* the grace is over, but it was ready to run just then */
    bool is_killed;     /* to be closed where it stands, at the latest when it waits again */
    bool cancelling;    /* was cancelled; once it is told, the grace is running */
    bool is_suspending; /* it yields to task.c now, not to a coroutine of the application's own */
    bool is_preempted;  /* it has yielded without waiting */
    /* Lua's hooks may be off in the coroutine for good, or a message handler on: not to be used again */
    bool is_spoiled;
    uint8_t
        descent; /* how many requests of the worker to itself have led to it: a spawned task takes it over (inject.c) */
    bool is_hog : 1; /* ended for its memory, which is to be collected then */
    enum task_trial trial : 4;
    bool is_idle : 1; /* what it waits for is the next thing to do: nothing is under way */
    bool is_told : 1; /* it was told to end because of other code, whether it is cancelled or not */
    uint16_t generation; /* the low bits of the number of the code that it runs (generations.h) */
    uint32_t account;    /* of the heap: what it allocates is charged to */
    struct chain chain;  /* the coroutines of the application's own that it is inside of */
    uint64_t cpu_us;     /* CPU time it has had; counted in ticks, exact on the average */
    const struct task_owner *owner;
    union {
        void *data;             /* borrowed: the owner's */
        struct task *next_free; /* borrowed; while it is in the pool */
    };
    struct task_wait *wait; /* borrowed while WAITING or READY; NULL: it has only to be resumed */
    void (*on_pass)(struct task_wait *wait); /* of that wait; NULL: nothing is passed on */
    struct task_timing *timing;              /* owned; NULL: was never needed */
    struct loop_job wake;
    struct task_hold *holds; /* borrowed list */
};

struct task_pool {
    struct task *free; /* owned list */
    size_t free_count;
    size_t live;          /* handed out now */
    struct task *running; /* borrowed; NULL between tasks */
    unsigned pins;        /* places on the C stack that the task that runs can't be suspended in */
};

/* Frees the idle tasks; the Lua state is closed already. */
void task_pool_fini(struct task_pool *pool);
/* For task.c: a task with an empty coroutine and an account of its own; dies on no memory.  And back. */
struct task *task_pool_take(struct runtime *runtime);
void task_pool_give(struct task *task);
/* The task's timing, made if it has none yet.  Dies on no memory. */
struct task_timing *task_need_timing(struct task *task);
/* For task.c: it has ended; and whether it has had the CPU time that it may have. */
void task_clear_timers(struct task *task);
bool task_is_out_of_cpu(const struct task *task);
/* Takes a task from the pool (or makes one).  The caller pushes a function and its arguments on task->L, then
 * task_start.  Dies on no memory. */
struct task *task_new(struct runtime *runtime, const struct task_owner *owner, void *data);
/* Runs it until it waits or ends.  Only from the loop, never from within Lua. */
void task_start(struct task *task, int argument_count);

/* The task that runs and may start things: tasks, timers, actors; NULL in code that is loaded, checked, collected or closed. */
struct task *task_acting(lua_State *L);
/* Whether code is being loaded here, which may declare what it is. */
bool task_is_declaring(lua_State *L);
/* For what others would notice: raises "cannot WHAT here: ..." in code that is loaded or checked, which may come to nothing. */
void task_check_loaded(lua_State *L, const char *what);
/* The task that may wait here, at any depth of coroutines of the application's own; raises a plain error in code that is not in a
 * task, and where Lua can't yield.  To be asked before anything is armed that would wake the task. */
struct task *task_check(lua_State *L);
/* In a C function called by Lua, after task_check: `return task_wait(L, wait)`.  Yields until task_wake; raises the Error
 * when the task is cancelled. */
int task_wait(lua_State *L, struct task_wait *wait);
/* Raises at once what the next wait of the task that runs would raise, for a function that has found the cause itself: so it is told of
 * it once.  Returns when there is nothing to be raised. */
void task_raise_cancel(lua_State *L);
/* As task_wait, for a wake that brings something: when the task is cancelled or killed behind it, before it goes on, on_pass is called
 * and not on_resume, so that it goes to somebody else. */
int task_wait_or_pass(lua_State *L, struct task_wait *wait,
                      void (*on_pass)(struct task_wait *wait));
/* Before a wait: the task is about to wait for the next thing to do, and has nothing under way. */
void task_mark_idle(struct task *task);
/* The wait is over: the task goes on at the end of this turn. */
void task_wake(struct task *task);

/* Raises the reason in the task's wait, or where it was preempted; a grace of 1 s later the coroutine is closed where it stands.
 * Later reasons are ignored. */
void task_cancel(struct task *task, enum task_cancel reason);
/* Raises TASK_CANCEL_RELOAD in the task's wait if it is an idle one, once in its life; false: it is in the middle of something, was told
 * already, or is ending.  There is no grace: it may take its time. */
bool task_tell(struct task *task);
/* Takes a cancel back that its code has dealt with: it lives on. */
void task_pardon(struct task *task);
/* Closes the coroutine where it stands, which runs its <close> variables, and nothing else of it any more: when it would go on, or,
 * for the task that is running now, as soon as it waits or is preempted.  on_done gets TASK_CLOSED. */
void task_kill(struct task *task);
/* Cancels with TASK_CANCEL_TIMEOUT so many milliseconds from now. */
void task_set_deadline(struct task *task, uint64_t after_ms);
bool task_has_deadline(const struct task *task);
void task_clear_deadline(struct task *task);
/* Cancels with TASK_CANCEL_CPU when it has had the CPU for so long from now on, all in all; 0: never. */
void task_set_cpu_limit(struct task *task, uint64_t limit_ms);
/* Ends it by its owner's on_excess when it has more memory than so many bytes, garbage not counted; 0: never. */
void task_set_memory_limit(struct task *task, size_t limit_bytes);
/* What it has allocated and is not collected yet, in bytes. */
size_t task_memory(const struct task *task);
/* What it may have; 0: any. */
size_t task_memory_limit(const struct task *task);
/* Waits so many seconds: the body of fsd.task.sleep. */
int task_sleep(lua_State *L, double seconds);
/* The same, and goes on in on_resume, in the place of the function that has called this. */
int task_sleep_then(lua_State *L, double seconds,
                    int (*on_resume)(struct task_wait *wait, lua_State *L));
/* The task that runs in L: in its own coroutine, or in one of the application's own that it is inside of.  NULL for the main
 * thread, and while a task is closed. */
struct task *task_of(lua_State *L);

/* The task has it from now on; it belonged to nobody. */
void task_hold_add(struct task *task, struct task_hold *hold);
/* It belongs to nobody from now on.  Nothing happens when it does not anyway. */
void task_hold_remove(struct task_hold *hold);
/* For task.c: a task has ended. */
void task_hold_end(struct task *task);

/* For preempt.c, in the hook: suspends the task that runs in L until its next share, or raises the error that is due. */
void task_preempt(lua_State *L);

#endif
