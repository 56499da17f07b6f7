#ifndef FSD_WORKER_CORE_GENERATIONS_H
#define FSD_WORKER_CORE_GENERATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/timer.h"

struct generation;
struct runtime;
struct task;

enum {
    GENERATIONS_REPLACED_MAX =
        128, /* that are known by their age; more in a minute are as old as the last of these */
    GENERATIONS_REPLACED_MS = 60000,
};

/* A generation that another one has taken the place of. */
struct generations_old {
    uint64_t number;
    uint64_t since_ms; /* when that was */
};

/* What still runs on code that was replaced; embedded in the runtime. */
struct generations {
    struct generations_old old[GENERATIONS_REPLACED_MAX]; /* oldest first */
    size_t count;
    struct timer look;
    uint64_t told; /* a hash of what the master was told last */
};

/* Other code has taken the place of a generation: from now on what runs on that is looked after, until nothing does. */
void generations_replace(struct runtime *runtime, uint64_t number);
/* The number of the generation that a task runs on: the one that it was started in. */
uint64_t generations_of(const struct runtime *runtime, const struct task *task);
/* A task runs on this one from now on. */
void generations_assign(struct task *task, uint64_t number);
void generations_fini(struct runtime *runtime);

#endif
