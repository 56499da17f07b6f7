#ifndef FSD_WORKER_LIB_ALARM_H
#define FSD_WORKER_LIB_ALARM_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/timer.h"
#include "worker/lib/cron.h"

#define ALARM_METATABLE "fsd.Timer"

enum { ALARM_MAX = 100000 }; /* timers of a worker that are set */

struct alarm_tie;
struct spawned;
struct spawned_set;

enum alarm_kind {
    ALARM_AFTER,
    ALARM_EVERY,
    ALARM_AT,
    ALARM_CRON,
};

/* When an alarm goes off; what of it has a meaning depends on the kind. */
struct alarm_plan {
    enum alarm_kind kind;
    uint64_t at_us;    /* monotonic: AFTER, EVERY; wall: AT, CRON */
    uint64_t every_us; /* EVERY */
    struct cron cron;  /* CRON */
};

struct alarm_set;

/* A timer of Lua's: a userdata with two user values, { function, arguments ..., n } and the handle of its last run. */
struct alarm {
    struct alarm_set *set; /* borrowed */
    struct alarm_plan plan;
    struct timer timer;
    uint16_t generation;    /* of the code that has set it, as a task's */
    bool is_set;            /* and then held by the registry, under its address */
    struct alarm *previous; /* borrowed: of those that are set */
    struct alarm *next;
    struct alarm_tie *tie;      /* borrowed from the registry; NULL: not tied to anything */
    struct alarm *tie_previous; /* borrowed: of those that are tied to the same */
    struct alarm *tie_next;
    const struct spawned *run; /* borrowed from the user value; NULL: has not run yet */
};

/* All of a worker. */
struct alarm_set {
    struct spawned_set *spawns; /* borrowed */
    struct alarm *first;        /* borrowed list: those that are set */
    size_t count;
    bool is_ending; /* the worker is leaving: nothing repeats any more */
};

void alarm_set_init(struct alarm_set *set, struct spawned_set *spawns);
/* The worker is leaving: what repeats goes off no more. */
void alarm_set_end(struct alarm_set *set);
/* For the look at what runs on replaced code. */
void alarm_set_look(struct alarm_set *set);
/* Cancels all. */
void alarm_set_clear(struct alarm_set *set);

/* Sets an alarm and pushes it: the function at index first, and the arguments behind it, will run in a task of their own.  Raises an
 * Error when there are too many. */
int alarm_push(lua_State *L, struct alarm_set *set, const struct alarm_plan *plan, int first);
/* Calls it off; what runs already goes on.  false: it was not set. */
bool alarm_cancel(struct alarm *alarm);
/* An alarm of the same kind as another one, in whose place it goes off. */
void alarm_take_time(struct alarm *alarm, const struct alarm *other);
/* Seconds until it goes off; negative: it is not set. */
double alarm_read(const struct alarm *alarm);
/* When the schedule of plan is due next, behind wall time now_us.  false: never. */
bool alarm_plan_next(struct alarm_plan *plan, uint64_t now_us);

#endif
