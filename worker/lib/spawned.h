#ifndef FSD_WORKER_LIB_SPAWNED_H
#define FSD_WORKER_LIB_SPAWNED_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/task.h"
#include "worker/lib/waiter.h"

#define SPAWNED_METATABLE "fsd.Task"

enum {
    SPAWNED_MAX =
        100000, /* tasks of a worker that have not ended: more are a loop that spawns without end */
    SPAWNED_PLACE_MAX = 80, /* the longest chunk name and a line */
};

/* The user values of a handle. */
enum {
    SPAWNED_RESULT = 1, /* a table of results with n, or the Error */
    SPAWNED_TOLD, /* { channel, value, channel, value ... }: who is told when it ends; nil: nobody */
    SPAWNED_REASON, /* of cancelling; nil without one */
    SPAWNED_VALUES = SPAWNED_REASON,
};

enum spawned_state {
    SPAWNED_NEW, /* begins at the end of this turn */
    SPAWNED_LIVE,
    SPAWNED_DONE,
    SPAWNED_FAILED,
    SPAWNED_CANCELLED,
};

struct spawned_set;

/* A task that Lua has spawned: a userdata, its handle.  The registry has the handle under its address until the task has ended and
 * its error was seen by somebody. */
struct spawned {
    struct spawned_set *set;
    struct task *task; /* borrowed; NULL: has ended */
    enum spawned_state state;
    bool is_cancelled;        /* somebody has asked for it */
    bool is_shut_down;        /* and that was the worker, which is leaving */
    bool is_timer;            /* nobody has its handle: its error is logged at once */
    bool is_error_taken;      /* somebody has got it, or it is logged */
    bool is_unreported;       /* stands in that list */
    struct spawned *previous; /* borrowed: of those that have not ended */
    struct spawned *next;     /* borrowed: of those, or of those whose error nobody has taken */
    uint64_t report_at_ms;
    struct waiter_queue joiners;
    struct loop_job begin;
    int argument_count;
    char place[SPAWNED_PLACE_MAX]; /* "task app.lua:12" */
};

/* All of a worker. */
struct spawned_set {
    struct runtime *runtime;    /* borrowed */
    struct spawned *first;      /* borrowed list: have not ended */
    size_t live;                /* its length */
    struct spawned *unreported; /* borrowed list: failed, and nobody has taken the error yet */
    struct spawned **unreported_end;
    struct timer report;
    bool is_closed;                            /* the worker is leaving: no new ones */
    void (*on_empty)(struct spawned_set *set); /* NULL, or called when the last one has ended */
};

void spawned_set_init(struct spawned_set *set, struct runtime *runtime);
/* Cancels all of them because the worker is leaving; there will be no new ones. */
void spawned_set_close(struct spawned_set *set);

/* Takes a function and count arguments from the top, and pushes the handle of the task that will run them.  Raises an
 * Error when there are too many tasks. */
struct spawned *spawned_push(lua_State *L, struct spawned_set *set, int count);
/* Tells it to stop.  false: it has ended. */
bool spawned_cancel(struct spawned *spawn);
/* The spawned task that runs now, or NULL. */
struct spawned *spawned_running(lua_State *L);

#endif
