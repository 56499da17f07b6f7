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
        8 << 20, /* bytes above what was left last time, from which on a collection is worth it */
    LEISURE_GROWTH_PART = 4, /* and so much of what was left */
};

/* Collections while there is nothing else to do.  Embedded in the runtime. */
struct leisure {
    struct timer timer;
    uint64_t turns;     /* of the loop, until the last look */
    size_t floor_bytes; /* that Lua had after the last collection, or less since */
    bool is_sweeping;   /* one of ours is under way */
};

/* From now on there is a look each second, when the loop wakes up anyway. */
void leisure_start(struct runtime *runtime);
/* One look: begins a collection when there were few turns since the last one, and much was allocated since the last collection. */
void leisure_look(struct runtime *runtime);

#endif
