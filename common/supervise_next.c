/* supervise_next.c - what a supervisor does next, after OTP's rules.
 * Owns the phases.  A supervisor does one thing at a time, as OTP's does: children that end meanwhile wait in a queue, in
 * the order of their ends, and those that are stopped before their turn comes are not looked at any more.  A phase that walks
 * along the start order keeps its place in `at`; whatever a child of that walk waits for, the walk waits for.
 * The rules that are easily missed:
 *   - a restart is counted before anything is done, also that of a try that failed; the one too many ends the supervisor;
 *   - one_for_all and rest_for_one also start what had been idle: terminated, or ended as it may;
 *   - temporary children are stopped with the others, but never started again: their specification goes;
 *   - a try that fails leaves those before it running; the next try, of the child that failed, stops them if the strategy says so.
 * Two differences: an order to stop does not wait for the end of a start that is under way; and a start may be DELAYED.
 * Called by the owner after every event.  Pure.  Must not know what a child is. */
#include "common/supervise_phase.h"

/* A child that ended, or could not be restarted, is to run again. */
static enum supervise_outcome restart(struct supervise *supervise, uint32_t id, uint64_t now_ms,
                                      struct supervise_action *ret)
{
    const struct supervise_child *child = &supervise->children[id];
    bool counts = child->state != SUPERVISE_DIED || child->reason != SUPERVISE_REPLACED;
    supervise_phase_step(supervise, id, SUPERVISE_SETTLE);
    if (counts && supervise_window_add(&supervise->window, now_ms)) {
        enum supervise_outcome outcome = supervise_phase_forget(supervise, id, ret);
        supervise_phase_end(supervise, SUPERVISE_END_INTENSITY);
        return outcome;
    }
    switch (supervise->flags.strategy) {
    case SUPERVISE_ONE_FOR_ONE:
        supervise_phase_begin(supervise, SUPERVISE_RESTARTING_ONE, id);
        break;
    case SUPERVISE_ONE_FOR_ALL:
        supervise->from = SUPERVISE_NONE;
        supervise_phase_begin(supervise, SUPERVISE_CLEARING, supervise->order.last);
        break;
    case SUPERVISE_REST_FOR_ONE:
        supervise->from = id;
        supervise_phase_begin(supervise, SUPERVISE_CLEARING, supervise->order.last);
        break;
    }
    return SUPERVISE_GO_ON;
}

/* A child that ended stays so: is that the end of the supervisor, too? */
static enum supervise_outcome leave_ended(struct supervise *supervise, uint32_t id,
                                          struct supervise_action *ret)
{
    bool is_significant = supervise->children[id].spec.is_significant;
    supervise_phase_step(supervise, id, SUPERVISE_SETTLE);
    enum supervise_outcome outcome = supervise_phase_forget(supervise, id, ret);
    /* supervise_check lets nobody be significant under SUPERVISE_NEVER. */
    if (is_significant && (supervise->flags.auto_shutdown == SUPERVISE_ANY_SIGNIFICANT ||
                           supervise->significant == 0)) {
        supervise_phase_end(supervise, SUPERVISE_END_AUTO_SHUTDOWN);
    }
    return outcome;
}

static enum supervise_outcome read_news(struct supervise *supervise, uint64_t now_ms,
                                        struct supervise_action *ret)
{
    uint32_t id = supervise->queue.first;
    if (id == SUPERVISE_NONE) {
        return SUPERVISE_WAIT;
    }
    const struct supervise_child *child = &supervise->children[id];
    bool is_restarted =
        child->state == SUPERVISE_RETRYING || child->spec.restart == SUPERVISE_PERMANENT ||
        (child->spec.restart == SUPERVISE_TRANSIENT &&
         (child->reason == SUPERVISE_ABNORMAL || child->reason == SUPERVISE_REPLACED));
    return is_restarted ? restart(supervise, id, now_ms, ret) : leave_ended(supervise, id, ret);
}

/* Those that run have all been started before the one that is delayed, so a restart of one_for_all and rest_for_one goes over
 * the rest of this start, too.  one_for_one's would not. */
static bool has_urgent_news(const struct supervise *supervise)
{
    return supervise->at != SUPERVISE_NONE && supervise->queue.first != SUPERVISE_NONE &&
           supervise_state(supervise, supervise->at) == SUPERVISE_DELAYED &&
           supervise->flags.strategy != SUPERVISE_ONE_FOR_ONE;
}

static void obey_stop(struct supervise *supervise)
{
    if (supervise->phase == SUPERVISE_TERMINATING) {
        return; /* first things first */
    }
    if (supervise->phase < SUPERVISE_ENDING) {
        /* Those behind a child that CLEARING waits for are idle, so its deadline stays in force. */
        supervise_phase_end(supervise, SUPERVISE_END_TOLD);
    }
    supervise->is_told_to_stop = false;
}

static enum supervise_outcome do_phase(struct supervise *supervise, uint64_t now_ms,
                                       struct supervise_action *ret)
{
    switch (supervise->phase) {
    case SUPERVISE_NEW:
    case SUPERVISE_ENDED:
        return SUPERVISE_WAIT;
    case SUPERVISE_FIRST_START:
    case SUPERVISE_RESTARTING:
        return has_urgent_news(supervise) ? read_news(supervise, now_ms, ret)
                                          : supervise_starting_next(supervise, ret);
    case SUPERVISE_READY:
        return read_news(supervise, now_ms, ret);
    case SUPERVISE_CLEARING:
    case SUPERVISE_ENDING:
        return supervise_ending_next(supervise, now_ms, ret);
    case SUPERVISE_RESTARTING_ONE:
    case SUPERVISE_ADDING:
    case SUPERVISE_RESUMING:
        return supervise_starting_one(supervise, ret);
    case SUPERVISE_TERMINATING:
        return supervise_ending_one(supervise, now_ms, ret);
    case SUPERVISE_ENDING_AT_ONCE:
    case SUPERVISE_KILLING_ALL:
        return supervise_ending_at_once(supervise, now_ms, ret);
    }
    return SUPERVISE_WAIT; /* not reached */
}

bool supervise_next(struct supervise *supervise, uint64_t now_ms, struct supervise_action *ret)
{
    enum supervise_outcome outcome = SUPERVISE_GO_ON;
    while (outcome == SUPERVISE_GO_ON) {
        if (supervise->is_told_to_stop) {
            obey_stop(supervise);
        }
        outcome = do_phase(supervise, now_ms, ret);
    }
    return outcome == SUPERVISE_ACT;
}
