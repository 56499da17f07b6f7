#ifndef FSD_WORKER_CORE_SWEEP_H
#define FSD_WORKER_CORE_SWEEP_H

#include <lua.h>
#include <stdbool.h>

#include "worker/core/loop.h"

struct runtime;

/* Collections that are made although Lua itself sees no need yet.  Embedded in the runtime. */
struct sweep {
    unsigned left; /* collections to come, with the one that is under way */
    struct loop_job job;
};

/* About a millisecond's work of the collector; true: a collection is over.  One in generations, which an application may have
 * chosen, has no steps. */
bool sweep_step(lua_State *L);
/* What is unreachable now, also what is so only when its finalizers have run, will have been collected after some turns. */
void sweep_begin(struct runtime *runtime);

#endif
