/* supervise_phase.c - what the parts of supervise_next share.
 * Owns the change from one phase to another, and the rule of what is kept of a child that has ended.
 * Called by supervise_next.c, supervise_starting.c and supervise_ending.c.  Pure.  Must not know why a phase begins. */
#include "common/supervise_phase.h"

#include <assert.h>

enum supervise_outcome supervise_phase_act(struct supervise_action *ret,
                                           enum supervise_action_kind kind, uint32_t id)
{
    *ret = (struct supervise_action){.kind = kind, .id = id};
    return SUPERVISE_ACT;
}

void supervise_phase_step(struct supervise *supervise, uint32_t id, enum supervise_event event)
{
    bool is_known = supervise_child_step(supervise, id, event);
    assert(is_known);
    (void)is_known; /* assert may be compiled away */
}

void supervise_phase_begin(struct supervise *supervise, enum supervise_phase phase, uint32_t at)
{
    supervise->phase = phase;
    supervise->at = at;
}

void supervise_phase_end(struct supervise *supervise, enum supervise_end end)
{
    supervise->end = end;
    supervise->from = SUPERVISE_NONE;
    if (supervise->flags.is_simple) {
        supervise->deadline_ms = UINT64_MAX; /* what an earlier terminate_child left */
    }
    supervise_phase_begin(supervise,
                          supervise->flags.is_simple ? SUPERVISE_ENDING_AT_ONCE : SUPERVISE_ENDING,
                          supervise->order.last);
}

enum supervise_outcome supervise_phase_forget(struct supervise *supervise, uint32_t id,
                                              struct supervise_action *ret)
{
    const struct supervise_child *child = &supervise->children[id];
    if (child->spec.restart != SUPERVISE_TEMPORARY && !supervise->flags.is_simple) {
        return SUPERVISE_GO_ON;
    }
    supervise_phase_step(supervise, id, SUPERVISE_REMOVE);
    return supervise_phase_act(ret, SUPERVISE_DO_FORGET, id);
}
