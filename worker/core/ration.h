#ifndef FSD_WORKER_CORE_RATION_H
#define FSD_WORKER_CORE_RATION_H

#include <stdint.h>

#include "worker/core/timer.h"

struct loop;

/* How often something is told that may happen in floods; embedded in its owner. */
struct ration {
    struct loop *loop; /* borrowed */
    uint64_t period_ms;
    uint64_t held; /* how many were not told yet */
    struct timer timer;
    /* So many have happened since the last time, 1 or more. */
    void (*on_tell)(struct ration *ration, uint64_t count);
};

void ration_init(struct ration *ration, struct loop *loop, uint64_t period_ms,
                 void (*on_tell)(struct ration *ration, uint64_t count));
/* Tells what is left. */
void ration_fini(struct ration *ration);
/* It has happened so many times: tells that at once, or, when it was told within the period, at the end of that. */
void ration_note(struct ration *ration, uint64_t count);

#endif
