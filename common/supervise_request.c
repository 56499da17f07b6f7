/* supervise_request.c - what others ask of a supervisor that runs: start_child, terminate_child, restart_child, delete_child.
 * Owns the answers "no"; the work itself is a phase of supervise_next.c.  A supervisor at work takes no request: OTP's
 * would find it in its mailbox later, here the owner asks again (-EAGAIN).
 * Called by owners whose children come and go: actor supervisors.  Pure.  Must not know strategies. */
#include <errno.h>

#include "common/supervise.h"

static int check_idle(const struct supervise *supervise)
{
    if (supervise->phase >= SUPERVISE_ENDING || supervise->is_told_to_stop) {
        return -ESHUTDOWN;
    }
    return supervise->phase == SUPERVISE_READY ? 0 : -EAGAIN;
}

/* 0 for a child that is specified and idle.  One that died runs, as long as nobody has read of its end. */
static int check_child(const struct supervise *supervise, uint32_t id)
{
    enum supervise_state state = supervise_state(supervise, id);
    if (state == SUPERVISE_ABSENT) {
        return -ENOENT;
    }
    if (state == SUPERVISE_RETRYING) {
        return -EINPROGRESS;
    }
    return state == SUPERVISE_IDLE ? 0 : -EALREADY;
}

static void begin(struct supervise *supervise, enum supervise_phase phase, uint32_t id)
{
    supervise->phase = phase;
    supervise->at = id;
}

int supervise_start_child(struct supervise *supervise, uint32_t id,
                          const struct supervise_spec *spec)
{
    int result = check_idle(supervise);
    if (result < 0) {
        return result;
    }
    if (id >= supervise->capacity) {
        return -ERANGE;
    }
    result = supervise_check(&supervise->flags, spec);
    if (result < 0) {
        return result;
    }
    result = check_child(supervise, id);
    if (result != -ENOENT) {
        return result == -EALREADY ? -EALREADY : -EEXIST;
    }
    supervise->children[id].spec = *spec;
    (void)supervise_child_step(supervise, id, SUPERVISE_ADD); /* an absent one has that row */
    begin(supervise, SUPERVISE_ADDING, id);
    return 0;
}

int supervise_terminate_child(struct supervise *supervise, uint32_t id)
{
    int result = check_idle(supervise);
    if (result < 0) {
        return result;
    }
    if (supervise_state(supervise, id) == SUPERVISE_ABSENT) {
        return -ENOENT;
    }
    begin(supervise, SUPERVISE_TERMINATING, id);
    return 0;
}

int supervise_restart_child(struct supervise *supervise, uint32_t id)
{
    int result = check_idle(supervise);
    if (result < 0) {
        return result;
    }
    if (supervise->flags.is_simple) {
        return -EOPNOTSUPP;
    }
    result = check_child(supervise, id);
    if (result < 0) {
        return result;
    }
    begin(supervise, SUPERVISE_RESUMING, id);
    return 0;
}

int supervise_delete_child(struct supervise *supervise, uint32_t id)
{
    int result = check_idle(supervise);
    if (result < 0) {
        return result;
    }
    if (supervise->flags.is_simple) {
        return -EOPNOTSUPP;
    }
    result = check_child(supervise, id);
    if (result < 0) {
        return result;
    }
    (void)supervise_child_step(supervise, id, SUPERVISE_REMOVE); /* an idle one has that row */
    return 0;
}
