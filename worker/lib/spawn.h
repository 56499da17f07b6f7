#ifndef FSD_WORKER_LIB_SPAWN_H
#define FSD_WORKER_LIB_SPAWN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/task.h"
#include "worker/lib/waiter.h"

#define SPAWN_METATABLE "fsd.Task"

enum {
    SPAWN_MAX =
        100000, /* tasks of a worker that have not ended: more are a loop that spawns without end */
    SPAWN_PLACE_MAX = 80, /* the longest chunk name and a line */
};

/* The user values of a handle. */
enum {
    SPAWN_RESULT = 1, /* a table of results with n, or the Error */
    SPAWN_TOLD, /* { channel, value, channel, value ... }: who is told when it ends; nil: nobody */
    SPAWN_REASON, /* of cancelling; nil without one */
    SPAWN_VALUES = SPAWN_REASON,
};

enum spawn_state {
    SPAWN_NEW, /* begins at the end of this turn */
    SPAWN_LIVE,
    SPAWN_DONE,
    SPAWN_FAILED,
    SPAWN_CANCELLED,
};

struct spawn_set;

/* A task that Lua has spawned: a userdata, its handle.  The registry has the handle under its address until the task has ended and
 * its error was seen by somebody. */
struct spawn {
    struct spawn_set *set;
    struct task *task; /* borrowed; NULL: has ended */
    enum spawn_state state;
    bool is_cancelled;      /* somebody has asked for it */
    bool is_shut_down;      /* and that was the worker, which is leaving */
    bool is_timer;          /* nobody has its handle: its error is logged at once */
    bool is_error_taken;    /* somebody has got it, or it is logged */
    bool is_unreported;     /* stands in that list */
    struct spawn *previous; /* borrowed: of those that have not ended */
    struct spawn *next;     /* borrowed: of those, or of those whose error nobody has taken */
    uint64_t report_at_ms;
    struct waiter_queue joiners;
    struct loop_job begin;
    int argument_count;
    char place[SPAWN_PLACE_MAX]; /* "task app.lua:12" */
};

/* All of a worker. */
struct spawn_set {
    struct runtime *runtime;  /* borrowed */
    struct spawn *first;      /* borrowed list: have not ended */
    size_t live;              /* its length */
    struct spawn *unreported; /* borrowed list: failed, and nobody has taken the error yet */
    struct spawn **unreported_end;
    struct timer report;
    bool is_closed;                          /* the worker is leaving: no new ones */
    void (*on_empty)(struct spawn_set *set); /* NULL, or called when the last one has ended */
};

void spawn_set_init(struct spawn_set *set, struct runtime *runtime);
/* Cancels all of them because the worker is leaving; there will be no new ones. */
void spawn_set_close(struct spawn_set *set);

/* Takes a function and count arguments from the top, and pushes the handle of the task that will run them.  Raises an
 * Error when there are too many tasks. */
struct spawn *spawn_push(lua_State *L, struct spawn_set *set, int count);
/* Tells it to stop.  false: it has ended. */
bool spawn_cancel(struct spawn *spawn);
/* The spawned task that runs now, or NULL. */
struct spawn *spawn_running(lua_State *L);

#endif
