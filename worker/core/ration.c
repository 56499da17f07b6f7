/* ration.c - keeps what may happen in floods from being a flood in the log.
 * Owns a timer and a number.  The first time is told at once, then nothing for a period, at whose end the number of those that came
 * meanwhile is told, and so on until a period was quiet: nothing is lost, and at most two records come within a period.
 * Called by whoever logs what strangers can bring about.  Must not know what is told. */
#include "worker/core/ration.h"

#include <h2o/memory.h>

#include "worker/core/loop.h"

void ration_init(struct ration *ration, struct loop *loop, uint64_t period_ms,
                 void (*on_tell)(struct ration *ration, uint64_t count))
{
    *ration = (struct ration){.loop = loop, .period_ms = period_ms, .on_tell = on_tell};
}

static void on_period_over(struct timer *timer);

static void tell(struct ration *ration)
{
    uint64_t count = ration->held;
    ration->held = 0;
    loop_set_timer(ration->loop, &ration->timer, ration->period_ms, on_period_over);
    ration->on_tell(ration, count);
}

static void on_period_over(struct timer *timer)
{
    struct ration *ration = H2O_STRUCT_FROM_MEMBER(struct ration, timer, timer);
    if (ration->held > 0) {
        tell(ration);
    }
}

void ration_fini(struct ration *ration)
{
    if (ration->held > 0) {
        tell(ration);
    }
    if (ration->loop != NULL) {
        timer_clear(&ration->loop->timers, &ration->timer);
    }
}

void ration_note(struct ration *ration, uint64_t count)
{
    ration->held += count;
    if (ration->held > 0 && !timer_is_set(&ration->timer)) {
        tell(ration);
    }
}
