#ifndef FSD_WORKER_ACTOR_ACTORS_H
#define FSD_WORKER_ACTOR_ACTORS_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "worker/actor/children.h"
#include "worker/actor/copy.h"
#include "worker/actor/node/remote.h"
#include "worker/actor/pid.h"
#include "worker/actor/renewal.h"
#include "worker/core/loop.h"
#include "worker/core/runtime.h"

struct actor;
struct call;
struct code;

enum {
    ACTORS_MAX = 131072, /* alive at a time in one worker */
    ACTORS_STOP_MS = 5000,
};

/* A place in the table of actors. */
struct actors_slot {
    struct actor *actor; /* owned; NULL: free */
    uint32_t next_free;  /* of a free one; 0: none */
};

/* A place in the table of calls. */
struct actors_call {
    struct call *call;  /* borrowed; NULL: free */
    uint32_t next_free; /* of a free one */
};

/* All actors of one worker, and what they share. */
struct actors {
    struct runtime *runtime; /* borrowed */
    struct copy_marks marks;
    struct actors_slot *slots; /* owned array; 0 is not used */
    uint32_t slot_count;
    uint32_t first_free;
    uint32_t live;
    uint64_t next_serial;
    uint64_t next_monitor;
    struct actor *starting; /* borrowed list, first in, first out */
    struct actor **starting_end;
    struct loop_job start;
    struct code *codes;        /* owned list */
    struct actors_call *calls; /* owned array */
    uint32_t call_count;
    uint32_t free_call; /* call_count: none */
    uint64_t next_call;
    struct children children;
    struct renewal renewal;
    struct remotes remotes;
    uint32_t system_live; /* of the living ones */
    struct timer server_retry;
    struct actor *server; /* borrowed: stands for the worker itself; NULL: nobody does */
    bool is_stopping;
    struct timer stop_limit;
    struct loop_job stopped;
    void (*on_stopped)(struct runtime *runtime);
};

/* The worker's actors; made when fsd.actor is first required. */
struct actors *actors_new(struct runtime *runtime);
/* NULL is allowed.  Only when none is alive, and best when the Lua state is closed: finalizers may use them. */
void actors_free(struct actors *actors);
/* Whether none is alive.  NULL is allowed. */
bool actors_are_idle(const struct actors *actors);
/* The actors of a thread's worker; they are there in whatever fsd.actor has called. */
static inline struct actors *actors_of(lua_State *L)
{
    return runtime_of(L)->actors;
}

/* The actor that a pid names; NULL when it has ended, is about to, or is another worker's. */
struct actor *actors_find(const struct actors *actors, const struct pid *pid);
/* Gives an actor its place and its pid; how many there may be is the caller's business. */
void actors_add(struct actors *actors, struct actor *actor);
/* It has ended: its place is free, and the last one completes a stop. */
void actors_remove(struct actors *actors, struct actor *actor);
/* Queues a new actor: it first runs at the end of this turn. */
void actors_start(struct actors *actors, struct actor *actor);
/* The number of the next monitor's ref: odd, those of calls are even. */
uint64_t actors_next_monitor(struct actors *actors);
/* The pid that signals of the worker itself, and of tasks, come from. */
struct pid actors_worker_pid(const struct actors *actors);
/* Sends every actor the exit signal "shutdown", and "kill" to those that live ACTORS_STOP_MS later; none is spawned any
 * more.  on_stopped is called at the end of a turn, when the last one has ended.  actors may be NULL. */
void actors_stop(struct runtime *runtime, void (*on_stopped)(struct runtime *runtime));

#endif
