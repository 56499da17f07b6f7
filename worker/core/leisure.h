#ifndef FSD_WORKER_CORE_LEISURE_H
#define FSD_WORKER_CORE_LEISURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/core/timer.h"

struct runtime;

enum {
    LEISURE_TURNS = 64, /* of the loop between two looks: fewer are leisure */
    LEISURE_GROWTH =
        1 << 20, /* bytes above what was left last time, from which on a collection is worth it */
    LEISURE_GROWTH_PART = 8, /* and so much of what was left */
};

/* What is done with memory while there is nothing else to do.  Embedded in the runtime. */
struct leisure {
    struct timer timer;
    uint64_t turns;     /* of the loop, until the last look */
    size_t floor_bytes; /* that Lua had after the last collection, or less since */
    bool is_sweeping;   /* one of ours is under way */
    bool has_worked;    /* since memory went to the system */
};

/* From now on there is a look each second, when the loop wakes up anyway. */
void leisure_start(struct runtime *runtime);
/* One look.  When there were few turns since the last one, free memory goes back to the system, and a collection begins if much was
 * allocated since the last collection. */
void leisure_look(struct runtime *runtime);

#endif
