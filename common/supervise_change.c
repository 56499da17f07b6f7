/* supervise_change.c - a supervisor that goes on by other rules: other flags, other specifications, children more.
 * Owns what OTP's supervisor does in code_change, cut into single requests.  A supervisor that is at work takes none of them
 * (-EAGAIN), so no phase walks along a start order that changes.
 * Called by actor supervisors when other code takes over in their worker.  Pure.  Must not know where the rules come from. */
#include <errno.h>

#include "common/supervise_phase.h"

static int check(const struct supervise *supervise)
{
    if (supervise->phase >= SUPERVISE_ENDING || supervise->is_told_to_stop) {
        return -ESHUTDOWN;
    }
    return supervise->phase == SUPERVISE_READY ? 0 : -EAGAIN;
}

static int check_child(const struct supervise *supervise, uint32_t id)
{
    int result = check(supervise);
    bool is_known = supervise_state(supervise, id) != SUPERVISE_ABSENT;
    return result == 0 && !is_known ? -ENOENT : result;
}

/* Nobody is significant where that has no meaning. */
static void forget_significance(struct supervise *supervise)
{
    for (uint32_t id = supervise->order.first; id != SUPERVISE_NONE;
         id = supervise_after(supervise, id)) {
        supervise->children[id].spec.is_significant = false;
    }
    supervise->significant = 0;
}

int supervise_change_flags(struct supervise *supervise, const struct supervise_flags *flags,
                           uint64_t *times)
{
    int result = check(supervise);
    if (result < 0) {
        return result;
    }
    if (flags->is_simple != supervise->flags.is_simple || flags->period_ms == 0 ||
        (flags->is_simple && flags->strategy != SUPERVISE_ONE_FOR_ONE)) {
        return -EINVAL;
    }
    struct supervise_window window = supervise->window;
    supervise->flags = *flags;
    supervise_window_init(&supervise->window, times, flags->intensity, flags->period_ms);
    supervise_window_copy(&supervise->window, &window);
    if (flags->auto_shutdown == SUPERVISE_NEVER) {
        forget_significance(supervise);
    }
    return 0;
}

int supervise_change_child(struct supervise *supervise, uint32_t id,
                           const struct supervise_spec *spec)
{
    int result = check_child(supervise, id);
    if (result == 0) {
        result = supervise_check(&supervise->flags, spec);
    }
    if (result < 0) {
        return result;
    }
    struct supervise_child *child = &supervise->children[id];
    if (child->state != SUPERVISE_IDLE) {
        supervise->significant -= child->spec.is_significant;
        supervise->significant += spec->is_significant;
    }
    child->spec = *spec;
    return 0;
}

int supervise_include_child(struct supervise *supervise, uint32_t id,
                            const struct supervise_spec *spec)
{
    int result = check(supervise);
    if (result < 0) {
        return result;
    }
    if (supervise->flags.is_simple) {
        return -EOPNOTSUPP;
    }
    if (id >= supervise->capacity) {
        return -ERANGE;
    }
    if (supervise_state(supervise, id) != SUPERVISE_ABSENT) {
        return -EEXIST;
    }
    result = supervise_check(&supervise->flags, spec);
    if (result < 0) {
        return result;
    }
    supervise->children[id].spec = *spec;
    supervise_phase_step(supervise, id, SUPERVISE_ADD);
    return 0;
}

int supervise_recover_child(struct supervise *supervise, uint32_t id)
{
    int result = check_child(supervise, id);
    if (result < 0) {
        return result;
    }
    if (supervise_state(supervise, id) == SUPERVISE_IDLE) {
        supervise_phase_begin(supervise, SUPERVISE_RESTARTING_ONE, id);
    }
    return 0;
}

int supervise_put_last(struct supervise *supervise, uint32_t id)
{
    int result = check_child(supervise, id);
    if (result == 0) {
        supervise_list_remove(&supervise->order, supervise->children, id);
        supervise_list_append(&supervise->order, supervise->children, id);
    }
    return result;
}
