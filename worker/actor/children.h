#ifndef FSD_WORKER_ACTOR_CHILDREN_H
#define FSD_WORKER_ACTOR_CHILDREN_H

#include <lauxlib.h>
#include <stdbool.h>

#include "worker/core/loop.h"

struct actor;
struct runtime;

/* Whom it tells; each is called at most once, at the end of a turn unless there is nothing to wait for. */
struct children_calls {
    void (*on_started)(struct runtime *runtime); /* all that was declared runs */
    void (*on_failed)(
        struct runtime *runtime); /* it did not start, or has ended; this was logged */
    void (*on_stopped)(struct runtime *runtime); /* after children_stop */
};

/* What the application has declared to be supervised, in this worker; embedded in struct actors. */
struct children {
    struct actor *root; /* borrowed; the supervisor of the supervisors, NULL: it does not run */
    bool is_stopping;
    struct children_calls calls;
    struct loop_job job;
};

/* Methods of the class fsd.App: supervisor. */
extern const luaL_Reg children_methods[];

/* Starts what the loaded application has declared, if that is anything. */
void children_start(struct runtime *runtime, struct children_calls calls);
/* Other code has taken the place of what was loaded: what it declares no more is ended, what is new is started, all else goes on.  When
 * there was nothing before, on_failed is to hear of it from now on. */
void children_replace(struct runtime *runtime, void (*on_failed)(struct runtime *runtime));
/* The actor that runs in L says that all have started; nothing happens when it is not the root. */
void children_on_started(lua_State *L);
/* Ends them in reverse order, each as long as it may take.  on_stopped, not on_failed, is called when they have ended. */
void children_stop(struct runtime *runtime, void (*on_stopped)(struct runtime *runtime));

#endif
