/* probation.c - when new code has proved itself, and when it is not fit to run.
 * Owns since when it has run undisturbed.  A generation that isn't confirmed is watched for a time that the configuration says; the time
 * counts only while all pools of the app run, and starts anew when one trips its restart limit with no code to go back to, as the
 * first generation of a daemon does.  At its end every slot must serve.
 * Called by setback.c.  Pure: no system call, no clock, no log.  Must not know where bundles are kept or how code is rolled back. */
#include "daemon/code/probation.h"

static void begin(struct probation *probation, const struct probation_facts *facts)
{
    probation->generation = facts->generation;
    probation->since_ms = facts->now_ms;
}

enum probation_verdict probation_check(struct probation *probation,
                                       const struct probation_facts *facts)
{
    if (probation->generation != facts->generation) {
        begin(probation, facts);
    }
    if (facts->is_confirmed || facts->generation == 0) {
        return PROBATION_WAIT;
    }
    if (!facts->is_running) {
        probation->since_ms = facts->now_ms;
        return PROBATION_WAIT;
    }
    bool is_over = facts->now_ms - probation->since_ms >= facts->limit_ms;
    return is_over && facts->is_serving ? PROBATION_CONFIRM : PROBATION_WAIT;
}

enum probation_verdict probation_on_trip(struct probation *probation,
                                         const struct probation_facts *facts)
{
    begin(probation, facts);
    bool is_watched = !facts->is_confirmed && facts->limit_ms > 0;
    return is_watched && facts->has_confirmed ? PROBATION_ROLL_BACK : PROBATION_WAIT;
}

uint64_t probation_get_left(const struct probation *probation, const struct probation_facts *facts)
{
    if (facts->is_confirmed) {
        return 0;
    }
    bool is_watched = probation->generation == facts->generation && facts->is_running;
    uint64_t run_ms = is_watched ? facts->now_ms - probation->since_ms : 0;
    return run_ms < facts->limit_ms ? facts->limit_ms - run_ms : 0;
}
