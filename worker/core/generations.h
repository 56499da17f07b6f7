#ifndef FSD_WORKER_CORE_GENERATIONS_H
#define FSD_WORKER_CORE_GENERATIONS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/timer.h"

struct bundle;
struct generation;
struct generations_report;
struct runtime;
struct task;

enum {
    GENERATIONS_REPLACED_MAX =
        128, /* that are known by their age; more in a minute are as old as the last of these */
    GENERATIONS_REPLACED_MS = 60000,
    GENERATIONS_USERS =
        256, /* a power of two; generations that far apart are seldom alive at a time */
};

/* A generation that another one has taken the place of. */
struct generations_old {
    uint64_t number;
    uint64_t since_ms; /* when that was */
    int require_ref;   /* registry reference of its require, while something may run on it */
};

/* What still runs on code that was replaced; embedded in the runtime. */
struct generations {
    struct generations_old old[GENERATIONS_REPLACED_MAX]; /* oldest first */
    size_t count;
    uint64_t full_ms; /* when there was no room for one the last time; 0: never */
    uint32_t
        users[GENERATIONS_USERS]; /* tasks and else of each, by the lowest bits of its number */
    uint32_t
        ended_to; /* the account up to which all has been ended whose time is over; 0: there is nobody left to end */
    struct timer look;
    uint64_t told;                     /* a hash of what the master was told last */
    struct generations_report *report; /* borrowed; while the looking is for the master */
    /* To call generations_meet for all else that keeps code alive; NULL: there is nothing */
    void (*on_look)(struct runtime *runtime);
};

/* Other code has taken the place of a generation: from now on what runs on that is looked after, until nothing does. */
void generations_replace(struct runtime *runtime, uint64_t number);
/* What runs on the code that was replaced last goes on: it can still require, and start actors that run on that code, too. */
void generations_hold(struct runtime *runtime, const struct generation *old);
/* Pushes the require of a generation; that of the current one when nothing is left of it, the state's own when there is none. */
void generations_push_require(lua_State *L, uint64_t number);
/* Pushes the require of the code that runs in L, also while that is being loaded or checked. */
void generations_push_require_here(lua_State *L);
/* Pushes the folder of the application whose code runs in L, and returns its bundle; NULL, and nothing is pushed, when there is none. */
const struct bundle *generations_push_folder(lua_State *L);
/* The number of the current generation, 0: none. */
uint64_t generations_current(const struct runtime *runtime);
/* What the code that runs in L belongs to: the generation of its task, or the current one. */
uint64_t generations_here(lua_State *L);
/* The number of the generation that a task runs on: the one that it was started in. */
uint64_t generations_of(const struct runtime *runtime, const struct task *task);
/* In on_look: something of that generation, given by its low bits, keeps code alive; what is FILE:LINE.  True: its time is over. */
bool generations_meet(struct runtime *runtime, uint16_t generation, const char *kind,
                      const char *what);
/* Something belongs to that generation, given by its low bits, and its code is held; and not any more. */
void generations_enter(struct runtime *runtime, uint16_t generation);
void generations_leave(struct runtime *runtime, uint16_t generation);
/* A task runs on this one from now on. */
void generations_assign(struct task *task, uint64_t number);
void generations_fini(struct runtime *runtime);

#endif
