#ifndef FSD_WORKER_TOOLBOX_COMPUTE_H
#define FSD_WORKER_TOOLBOX_COMPUTE_H

#include <stdbool.h>

#include "worker/core/task.h"
#include "worker/toolbox/compute_frame.h"

struct compute_helper;

/* What a task waits for that a helper process does; a userdata on the stack of the C function that waits. */
struct compute_job {
    struct task_wait wait;
    struct task *task;             /* borrowed */
    struct compute *compute;       /* borrowed from the registry */
    struct compute_helper *helper; /* borrowed; NULL: it is queued, or done */
    struct compute_job *next;      /* borrowed; queued behind it */
    /* In the task, when it goes on: pushes results.  The C function's arguments still stand on the stack. */
    int (*on_result)(lua_State *L, const struct compute_result *result);
    int fd;       /* owned; goes with the request; -1: none */
    bool is_lost; /* the helper died over it */
    struct compute_result result;
    struct compute_request request; /* wiped once it is sent */
};

/* Pushes a job whose request the caller fills.  Raises where nobody may wait. */
struct compute_job *compute_push(lua_State *L);
/* `return compute_run(L, job, on_result)`.  Raises a ComputeError when there is no helper, or too much to do. */
int compute_run(lua_State *L, struct compute_job *job,
                int (*on_result)(lua_State *L, const struct compute_result *result));

#endif
