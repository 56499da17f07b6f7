/* supervise_starting.c - starting the children of a supervisor, one at a time.
 * Owns what follows from the answer to a start, which differs with the phase: a first start that fails ends the supervisor, a
 * restart is put off, start_child forgets the child, restart_child leaves it idle.
 * Called by supervise_next.c while a phase starts children.  Pure.  Must not know why they are started. */
#include "common/supervise_phase.h"

static bool is_starting(const struct supervise *supervise, uint32_t id)
{
    enum supervise_state state = supervise_state(supervise, id);
    return state == SUPERVISE_STARTING || state == SUPERVISE_DELAYED;
}

enum supervise_outcome supervise_starting_next(struct supervise *supervise,
                                               struct supervise_action *ret)
{
    uint32_t id = supervise->at;
    bool is_first = supervise->phase == SUPERVISE_FIRST_START;
    if (id == SUPERVISE_NONE) {
        supervise_phase_begin(supervise, SUPERVISE_READY, SUPERVISE_NONE);
        if (supervise->is_ready_told) {
            return SUPERVISE_GO_ON;
        }
        supervise->is_ready_told = true;
        return supervise_phase_act(ret, SUPERVISE_DO_READY, SUPERVISE_NONE);
    }
    if (is_starting(supervise, id)) {
        return SUPERVISE_WAIT;
    }
    if (supervise_state(supervise, id) == SUPERVISE_IDLE) {
        supervise_phase_step(supervise, id, SUPERVISE_START);
        return supervise_phase_act(ret, SUPERVISE_DO_START, id);
    }
    if (supervise_state(supervise, id) == SUPERVISE_FAILED && is_first) {
        supervise_phase_step(supervise, id, SUPERVISE_SETTLE);
        supervise_phase_end(supervise, SUPERVISE_END_START_FAILED);
        return SUPERVISE_GO_ON;
    }
    if (supervise_state(supervise, id) == SUPERVISE_FAILED) {
        supervise_phase_step(supervise, id, SUPERVISE_RETRY);
        supervise_phase_begin(supervise, SUPERVISE_READY, SUPERVISE_NONE);
        return supervise_phase_act(ret, SUPERVISE_DO_RETRY, id);
    }
    supervise->at = supervise_after(supervise, id);
    if (supervise_state(supervise, id) == SUPERVISE_IGNORED) {
        supervise_phase_step(supervise, id, SUPERVISE_SETTLE);
        return supervise_phase_forget(supervise, id, ret);
    }
    return SUPERVISE_GO_ON; /* it runs, or ran and has ended already */
}

enum supervise_outcome supervise_starting_one(struct supervise *supervise,
                                              struct supervise_action *ret)
{
    uint32_t id = supervise->at;
    enum supervise_phase phase = supervise->phase;
    if (is_starting(supervise, id)) {
        return SUPERVISE_WAIT;
    }
    if (supervise_state(supervise, id) == SUPERVISE_IDLE) {
        supervise_phase_step(supervise, id, SUPERVISE_START);
        return supervise_phase_act(ret, SUPERVISE_DO_START, id);
    }
    supervise_phase_begin(supervise, SUPERVISE_READY, SUPERVISE_NONE);
    if (supervise_state(supervise, id) == SUPERVISE_FAILED && phase == SUPERVISE_RESTARTING_ONE) {
        supervise_phase_step(supervise, id, SUPERVISE_RETRY);
        return supervise_phase_act(ret, SUPERVISE_DO_RETRY, id);
    }
    if (supervise_state(supervise, id) == SUPERVISE_FAILED) {
        supervise_phase_step(supervise, id, SUPERVISE_SETTLE);
        if (phase == SUPERVISE_ADDING) {
            supervise_phase_step(supervise, id, SUPERVISE_REMOVE);
            return supervise_phase_act(ret, SUPERVISE_DO_FORGET, id);
        }
        return SUPERVISE_GO_ON;
    }
    if (supervise_state(supervise, id) == SUPERVISE_IGNORED) {
        supervise_phase_step(supervise, id, SUPERVISE_SETTLE);
        return supervise_phase_forget(supervise, id, ret);
    }
    return SUPERVISE_GO_ON;
}
