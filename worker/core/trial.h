#ifndef FSD_WORKER_CORE_TRIAL_H
#define FSD_WORKER_CORE_TRIAL_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

struct generation;
struct runtime;
struct task;
struct task;
struct trial;

/* Who wants to know of a trial; rows that live for ever. */
struct trial_calls {
    /* In the task of the trial: judges what the main file returned, which stands on the top, and leaves it there; raises when
     * it is of no use. */
    void (*judge)(lua_State *L, const struct generation *generation);
    /* From the loop: it has ended, and is_ready says how; else trial_reason.  Not called for a trial that was dropped. */
    void (*on_over)(struct trial *trial, bool is_ready);
};

/* Takes a new generation that will be loaded in a task, beside traffic: its main file runs, and then what app:on_check was given. */
struct trial *trial_new(struct runtime *runtime, struct generation *generation,
                        const struct trial_calls *calls, void *data);
/* Begins; on_over may be called before it returns. */
void trial_run(struct trial *trial);
void *trial_data(const struct trial *trial);
/* One that is not over has had time enough: it fails where it stands, soon, and is not ready in any case. */
void trial_cut(struct trial *trial);
/* Why it has failed. */
const char *trial_reason(const struct trial *trial);
/* The code that a task tries, whose trial is not TASK_TRIAL_NONE. */
const struct generation *trial_generation(const struct task *task);
bool trial_is_ready(const struct trial *trial);
/* Ends a trial that is ready: the generation is the caller's. */
struct generation *trial_take(struct trial *trial);
/* Drops the trial with its generation, wherever it is.  NULL is allowed. */
void trial_drop(struct trial *trial);

#endif
