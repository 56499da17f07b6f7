/* supervise_ending.c - ending the children of a supervisor: told first, killed when that takes too long.
 * Owns the deadline; one is enough, because one child ends at a time and those of a simple supervisor share theirs.
 * Called by supervise_next.c while a phase ends children.  Pure.  Must not know why they are ended. */
#include "common/supervise_phase.h"

static enum supervise_outcome order_end(struct supervise *supervise, uint32_t id, uint64_t now_ms,
                                        struct supervise_action *ret)
{
    uint32_t shutdown_ms = supervise->children[id].spec.shutdown_ms;
    if (shutdown_ms == SUPERVISE_BRUTAL_KILL) {
        supervise_phase_step(supervise, id, SUPERVISE_KILL);
        return supervise_phase_act(ret, SUPERVISE_DO_KILL, id);
    }
    supervise->deadline_ms = shutdown_ms == SUPERVISE_INFINITY ? UINT64_MAX : now_ms + shutdown_ms;
    supervise_phase_step(supervise, id, SUPERVISE_STOP);
    *ret =
        (struct supervise_action){.kind = SUPERVISE_DO_STOP, .id = id, .shutdown_ms = shutdown_ms};
    return SUPERVISE_ACT;
}

/* Brings one child to its end; SUPERVISE_GO_ON: it is idle. */
static enum supervise_outcome end_child(struct supervise *supervise, uint32_t id, uint64_t now_ms,
                                        struct supervise_action *ret)
{
    switch (supervise_state(supervise, id)) {
    case SUPERVISE_STARTING:
    case SUPERVISE_DELAYED:
    case SUPERVISE_RUNNING:
        return order_end(supervise, id, now_ms, ret);
    case SUPERVISE_STOPPING:
        if (now_ms < supervise->deadline_ms) {
            return SUPERVISE_WAIT;
        }
        supervise_phase_step(supervise, id, SUPERVISE_KILL);
        return supervise_phase_act(ret, SUPERVISE_DO_KILL, id);
    case SUPERVISE_KILLING:
        return SUPERVISE_WAIT;
    case SUPERVISE_ABSENT:
    case SUPERVISE_IDLE:
    case SUPERVISE_IGNORED:
    case SUPERVISE_FAILED:
    case SUPERVISE_DIED:
    case SUPERVISE_RETRYING:
        supervise_phase_step(supervise, id, SUPERVISE_SETTLE);
        return SUPERVISE_GO_ON;
    }
    return SUPERVISE_WAIT; /* not reached */
}

enum supervise_outcome supervise_ending_next(struct supervise *supervise, uint64_t now_ms,
                                             struct supervise_action *ret)
{
    uint32_t id = supervise->at;
    if (id == SUPERVISE_NONE && supervise->phase == SUPERVISE_ENDING) {
        supervise->phase = SUPERVISE_ENDED;
        *ret = (struct supervise_action){
            .kind = SUPERVISE_DO_END, .id = SUPERVISE_NONE, .end = supervise->end};
        return SUPERVISE_ACT;
    }
    if (id == SUPERVISE_NONE) {
        supervise_phase_begin(supervise, SUPERVISE_RESTARTING,
                              supervise->from == SUPERVISE_NONE ? supervise->order.first
                                                                : supervise->from);
        return SUPERVISE_GO_ON;
    }
    enum supervise_outcome outcome = end_child(supervise, id, now_ms, ret);
    if (outcome != SUPERVISE_GO_ON) {
        return outcome;
    }
    supervise->at = id == supervise->from ? SUPERVISE_NONE
                                          : supervise->children[id].links[SUPERVISE_ORDER].previous;
    /* At its end a supervisor leaves everything as it is. */
    return supervise->phase == SUPERVISE_CLEARING ? supervise_phase_forget(supervise, id, ret)
                                                  : SUPERVISE_GO_ON;
}

enum supervise_outcome supervise_ending_at_once(struct supervise *supervise, uint64_t now_ms,
                                                struct supervise_action *ret)
{
    uint32_t id = supervise->at;
    if (id == SUPERVISE_NONE && supervise->active == 0) {
        supervise_phase_begin(supervise, SUPERVISE_ENDING, SUPERVISE_NONE);
        return SUPERVISE_GO_ON;
    }
    if (id == SUPERVISE_NONE) {
        if (supervise->phase == SUPERVISE_KILLING_ALL || now_ms < supervise->deadline_ms) {
            return SUPERVISE_WAIT;
        }
        supervise_phase_begin(supervise, SUPERVISE_KILLING_ALL, supervise->order.last);
        return SUPERVISE_GO_ON;
    }
    supervise->at = supervise->children[id].links[SUPERVISE_ORDER].previous;
    if (supervise->phase == SUPERVISE_ENDING_AT_ONCE) {
        return end_child(supervise, id, now_ms, ret);
    }
    if (supervise_state(supervise, id) != SUPERVISE_STOPPING) {
        return SUPERVISE_GO_ON;
    }
    supervise_phase_step(supervise, id, SUPERVISE_KILL);
    return supervise_phase_act(ret, SUPERVISE_DO_KILL, id);
}

enum supervise_outcome supervise_ending_one(struct supervise *supervise, uint64_t now_ms,
                                            struct supervise_action *ret)
{
    uint32_t id = supervise->at;
    enum supervise_outcome outcome = end_child(supervise, id, now_ms, ret);
    if (outcome != SUPERVISE_GO_ON) {
        return outcome;
    }
    supervise_phase_begin(supervise, SUPERVISE_READY, SUPERVISE_NONE);
    return supervise_phase_forget(supervise, id, ret);
}
