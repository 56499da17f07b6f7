#ifndef FSD_WORKER_ACTOR_NODE_CLAIM_H
#define FSD_WORKER_ACTOR_NODE_CLAIM_H

#include <lua.h>
#include <stdbool.h>

#include "worker/core/task.h"

struct actor;
struct runtime;
struct wire_message;

/* What an actor has asked the master for: a name that no other actor of any worker has.  An actor has one at most. */
struct claim {
    struct claim_wait *wait; /* borrowed from the stack of who waits for the answer; NULL: nobody */
    bool may_wait;           /* until the name is free: the actor is told by a signal */
    bool is_held;
    char name[];
};

enum claim_outcome {
    CLAIM_OPEN,
    CLAIM_HELD,
    CLAIM_EXISTS,   /* another actor has the name */
    CLAIM_OVERLOAD, /* there are too many names */
    CLAIM_ENDED,    /* the actor has ended meanwhile */
};

/* A function in Lua that waits for the answer. */
struct claim_wait {
    struct claim *claim; /* borrowed; NULL: it is no more */
    struct task *task;   /* borrowed */
    enum claim_outcome outcome;
    struct task_wait wait;
    struct actor *actor; /* borrowed; for whom; may have ended, unless it has not begun */
    const char *name;    /* borrowed from the stack */
    /* Goes on in the coroutine: pushes results, or raises. */
    int (*on_answer)(lua_State *L, const struct claim_wait *wait);
    /* Whoever waited was cancelled or has ended; the claim may be there still. */
    void (*on_lost)(const struct claim_wait *wait);
    bool links; /* for on_answer */
    bool monitors;
};

/* Raises where nothing can be claimed: the actor has claimed already, nobody can wait here, or too much waits for the master. */
void claim_check(lua_State *L, const struct actor *actor, bool may_wait);
/* After claim_check: claims the name for the actor and waits for the answer.  seed: actor, name and the last four.  In tail
 * position of a C function. */
int claim_await(lua_State *L, const struct claim_wait *seed);
/* Raises what on_answer shall for any outcome but CLAIM_HELD.  doing: "register", "spawn". */
void claim_check_outcome(lua_State *L, const struct claim_wait *wait, const char *doing);
/* After claim_check: claims the name, now or when it is free, and goes on: {"$named", name}, or {"$taken", name, why}, comes as a
 * signal. */
void claim_begin(struct actor *actor, const char *name);
/* Gives the name back, or waits for it no more; without a claim nothing happens. */
void claim_drop(struct actor *actor);
/* The actor has ended for everybody else: nobody finds it by the name. */
void claim_hide(struct actor *actor);
/* NAMES, NAMED, UNNAMED, TAKEN or GONE from the master. */
void claim_on_message(struct runtime *runtime, const struct wire_message *message);

#endif
