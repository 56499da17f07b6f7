/* rolling.c - which slot is replaced next during a rolling restart, and when to turn back.
 * Owns the place where the restart stands.  One slot after another gets a worker of the new generation; when one fails, or
 * one that has already moved loses its new worker (the new code is the first suspect), all that have moved are moved back.
 * Called by restart.c, which carries the orders out and reports what became of them.
 * Pure: no system call, no clock, no log.  Must not know what a slot is made of or where a generation comes from. */
#include "daemon/change/rolling.h"

static struct rolling_order finish(struct rolling *rolling, enum rolling_action action)
{
    rolling->state = ROLLING_IDLE;
    return (struct rolling_order){action, 0};
}

static struct rolling_order nothing(void)
{
    return (struct rolling_order){ROLLING_DO_NOTHING, 0};
}

/* Moves the last of the first count slots back; the others follow when it is done. */
static struct rolling_order revert(struct rolling *rolling, size_t count)
{
    if (count == 0) {
        return finish(rolling, ROLLING_ABORT);
    }
    rolling->state = ROLLING_REVERTING;
    rolling->at = count - 1;
    return (struct rolling_order){ROLLING_MOVE_BACK, rolling->at};
}

static struct rolling_order step_loading(struct rolling *rolling, enum rolling_event event)
{
    if (event == ROLLING_ON_LOAD_FAILED) {
        return finish(rolling, ROLLING_ABORT);
    }
    if (event != ROLLING_ON_LOADED) {
        return nothing();
    }
    rolling->state = ROLLING_MOVING;
    rolling->at = 0;
    return (struct rolling_order){ROLLING_MOVE, 0};
}

static struct rolling_order step_moving(struct rolling *rolling, enum rolling_event event,
                                        size_t slot)
{
    if (event == ROLLING_ON_SLOT_READY && slot == rolling->at) {
        rolling->at++;
        if (rolling->at == rolling->total) {
            return finish(rolling, ROLLING_COMMIT);
        }
        return (struct rolling_order){ROLLING_MOVE, rolling->at};
    }
    if (event == ROLLING_ON_SLOT_FAILED && slot == rolling->at) {
        return revert(rolling, rolling->at);
    }
    if (event == ROLLING_ON_SLOT_DIED && slot < rolling->at) {
        return revert(rolling, rolling->at + 1); /* the one on its way turns round as well */
    }
    return nothing();
}

static struct rolling_order step_reverting(struct rolling *rolling, enum rolling_event event,
                                           size_t slot)
{
    /* a slot that can't be moved back keeps what it has; the others still go */
    int settled = event == ROLLING_ON_SLOT_READY || event == ROLLING_ON_SLOT_FAILED;
    return settled && slot == rolling->at ? revert(rolling, rolling->at) : nothing();
}

struct rolling_order rolling_step(struct rolling *rolling, enum rolling_event event, size_t slot)
{
    if (event == ROLLING_ON_STOP) {
        return finish(rolling, ROLLING_DO_NOTHING);
    }
    switch (rolling->state) {
    case ROLLING_IDLE:
        if (event == ROLLING_ON_START) {
            rolling->state = ROLLING_LOADING;
            return (struct rolling_order){ROLLING_LOAD, 0};
        }
        return nothing();
    case ROLLING_LOADING:
        return step_loading(rolling, event);
    case ROLLING_MOVING:
        return step_moving(rolling, event, slot);
    case ROLLING_REVERTING:
        return step_reverting(rolling, event, slot);
    }
    return nothing();
}
