#ifndef FSD_WORKER_LIB_BACKGROUND_H
#define FSD_WORKER_LIB_BACKGROUND_H

#include <lua.h>
#include <stdint.h>

#include "worker/core/loop.h"
#include "worker/lib/alarm.h"
#include "worker/lib/spawned.h"

/* What goes on in a worker beside its requests. */
struct background {
    struct spawned_set spawns;
    struct alarm_set alarms;
    struct timer phase;
    struct loop_job over;
    void (*on_over)(struct runtime *runtime); /* NULL before background_drain */
};

/* The one of this state, made when it is first asked for; the registry holds it. */
struct background *background_of(lua_State *L);
/* The worker is leaving, but has requests: timers that repeat go off no more. */
void background_end(struct runtime *runtime);
/* It has none any more: tasks have phase_ms to end, then they are cancelled.  on_over is called, from the loop, when the last one has
 * ended; timers that are set still are called off then. */
void background_drain(struct runtime *runtime, uint64_t phase_ms,
                      void (*on_over)(struct runtime *runtime));

#endif
