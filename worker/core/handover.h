#ifndef FSD_WORKER_CORE_HANDOVER_H
#define FSD_WORKER_CORE_HANDOVER_H

#include <stdbool.h>

#include "worker/core/loop.h"

struct runtime;
struct task;

/* A connection that outlives the code which serves it; embedded in its owner. */
struct handover {
    struct task *task;         /* borrowed: the handler that serves it now */
    struct handover *previous; /* borrowed: in the runtime's list */
    struct handover *next;
    bool is_listed;
};

/* All of them; embedded in the runtime. */
struct handovers {
    struct handover *first;
    struct handover *next; /* whose handler is looked at next; NULL: all know */
    struct loop_job job;
};

/* The task serves a connection that is to outlive its code. */
void handover_add(struct runtime *runtime, struct handover *handover, struct task *task);
/* The connection is over.  Nothing happens when it was not added. */
void handover_remove(struct runtime *runtime, struct handover *handover);
/* Another task, of the running code, serves it from now on. */
void handover_pass(struct handover *handover, struct task *task);
/* For the owner's on_wait: when the handler runs on code that was replaced and has nothing under way, it is told to end. */
void handover_offer(const struct handover *handover);
/* Other code is the running one: the handlers are told, a few in each turn of the loop. */
void handovers_begin(struct runtime *runtime);

#endif
