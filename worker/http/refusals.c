/* refusals.c - what the log is told of refused requests: the first with its reason, a flood by its number, once a second.
 * Owns the last reason.
 * Called by intake.c.  Must not know why a request is refused. */
#include "worker/http/refusals.h"

#include <h2o/memory.h>
#include <inttypes.h>

#include "worker/core/runtime.h"

enum { PERIOD_MS = 1000 };

static void on_tell(struct ration *ration, uint64_t count)
{
    const struct refusals *refusals = H2O_STRUCT_FROM_MEMBER(struct refusals, ration, ration);
    struct logger *logger = &refusals->runtime->logger;
    if (count == 1) {
        logger_write(logger, LOG_LEVEL_INFO, "refused a request: %d %s", refusals->status,
                     refusals->reason);
    } else {
        logger_write(logger, LOG_LEVEL_INFO, "refused %" PRIu64 " requests, the last: %d %s", count,
                     refusals->status, refusals->reason);
    }
}

void refusals_init(struct refusals *refusals, struct runtime *runtime)
{
    refusals->runtime = runtime;
    ration_init(&refusals->ration, &runtime->loop, PERIOD_MS, on_tell);
}

void refusals_fini(struct refusals *refusals)
{
    ration_fini(&refusals->ration);
}

void refusals_note(struct refusals *refusals, int status, const char *reason)
{
    refusals->status = status;
    refusals->reason = reason;
    ration_note(&refusals->ration, 1);
}
