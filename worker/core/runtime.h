#ifndef FSD_WORKER_CORE_RUNTIME_H
#define FSD_WORKER_CORE_RUNTIME_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/core/config.h"
#include "worker/core/generations.h"
#include "worker/core/handover.h"
#include "worker/core/heap.h"
#include "worker/core/leisure.h"
#include "worker/core/logger.h"
#include "worker/core/loop.h"
#include "worker/core/overdraft.h"
#include "worker/core/recorder.h"
#include "worker/core/slice.h"
#include "worker/core/sweep.h"
#include "worker/core/task.h"

struct actors;
struct background;
struct generation;
struct http_server;
struct link;
struct page;
struct shared;

/* Everything that one worker process has one of.  main.c fills it; Lua-facing functions reach it through
 * runtime_of, C code gets it passed.  Areas are pointers that core never follows. */
struct runtime {
    lua_State *L;                   /* owned; the one state, its main thread */
    struct heap heap;               /* owned; the memory of that state */
    struct loop loop;               /* owned */
    struct page *page;              /* owned mapping; the status page */
    struct link *link;              /* borrowed from life.c; the control channel, NULL in a tool */
    struct config config;           /* owned; what the master handed out */
    struct logger logger;           /* owned */
    struct recorder recorder;       /* owned; the black box */
    struct slice slice;             /* owned; who has the CPU, and how long */
    struct task_pool tasks;         /* owned */
    struct overdraft overdraft;     /* owned; tasks that have more memory than they may */
    struct generation *generation;  /* owned; the code that is loaded, NULL before */
    bool is_loading;                /* the first one's main file runs, in no task */
    struct generations generations; /* owned; what still runs on code before that */
    struct sweep sweep;             /* owned; collections on top of Lua's own */
    struct leisure leisure;         /* owned; and when they are made without need */
    struct handovers handovers;     /* owned; connections that outlive code */
    struct http_server *http;       /* borrowed; set while the HTTP area is up */
    struct actors *actors;          /* borrowed; set once the application has asked for fsd.actor */
    struct shared *shared; /* borrowed from life.c; the dictionaries that the master handed out */
    struct background *background; /* borrowed from Lua; NULL: nobody has asked for it */
    void (*on_exhausted)(
        struct runtime *runtime); /* set by life.c; the memory is used up for good */
    uint64_t incarnation;
    const struct generation *loading; /* borrowed; the first one, while is_loading */
    int64_t slot; /* which one this worker serves; -1 before ACTIVATE: it may become a standby */
};

/* Creates the Lua state, its libraries and the parts above that need nothing from the master.  Dies on no memory. */
void runtime_init(struct runtime *runtime);
/* Closes the Lua state (finalizers run) and frees the rest. */
void runtime_fini(struct runtime *runtime);

/* What is to be known of a coroutine before somebody resumes it; kept in the low bits of its extra space. */
enum {
    RUNTIME_THREAD_OF_TASK = 1,  /* only task.c resumes it */
    RUNTIME_THREAD_HELD = 2,     /* suspended with the task that is inside of it */
    RUNTIME_THREAD_UNHOOKED = 4, /* the hook has raised an error in it (hook_error.c) */
    RUNTIME_THREAD_FLAGS = 7
};
_Static_assert(_Alignof(struct runtime) > RUNTIME_THREAD_FLAGS, "the low bits are free");

/* The runtime of any thread of its state: the pointer stands in every thread's extra space (Lua copies it from the
 * main thread, which has no flags, when a coroutine is made). */
static inline struct runtime *runtime_of(lua_State *L)
{
    uintptr_t word = *(const uintptr_t *)lua_getextraspace(L) & ~(uintptr_t)RUNTIME_THREAD_FLAGS;
    return (struct runtime *)word; /* NOLINT(performance-no-int-to-ptr): it carries the flags */
}

static inline bool runtime_has_mark(lua_State *L, uintptr_t flag)
{
    return (*(const uintptr_t *)lua_getextraspace(L) & flag) != 0;
}

static inline void runtime_mark(lua_State *L, uintptr_t flag)
{
    *(uintptr_t *)lua_getextraspace(L) |= flag;
}

static inline void runtime_unmark(lua_State *L, uintptr_t flag)
{
    *(uintptr_t *)lua_getextraspace(L) &= ~flag;
}

#endif
