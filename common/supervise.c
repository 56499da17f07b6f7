/* supervise.c - a supervisor after OTP's rules: what it is made of, what it is told, what can be read.
 * Owns no memory: the owner hands in the array of children and the ring of restart times.  What happens to a child only
 * moves that child along its row; all decisions fall in supervise_next, which the owner pulls until nothing is left.
 * Called by the master's tree of pools and by the actor supervisors of the workers, which carry out the actions.
 * Pure: no system call, no clock, no allocation, no log.  Must not know what a child is, nor its name. */
#include "common/supervise.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>

void supervise_init(struct supervise *supervise, const struct supervise_flags *flags,
                    struct supervise_child *children, uint32_t capacity, uint64_t *times)
{
    assert(flags->period_ms > 0);
    assert(!flags->is_simple || flags->strategy == SUPERVISE_ONE_FOR_ONE);
    *supervise = (struct supervise){
        .flags = *flags,
        .children = children,
        .capacity = capacity,
        .at = SUPERVISE_NONE,
        .from = SUPERVISE_NONE,
        .deadline_ms = UINT64_MAX,
    };
    supervise_list_init(&supervise->order, SUPERVISE_ORDER);
    supervise_list_init(&supervise->queue, SUPERVISE_QUEUE);
    supervise_window_init(&supervise->window, times, flags->intensity, flags->period_ms);
    for (uint32_t id = 0; id < capacity; id++) {
        children[id].state = SUPERVISE_ABSENT;
    }
}

void supervise_move(struct supervise *supervise, struct supervise_child *children,
                    uint32_t capacity)
{
    assert(capacity >= supervise->capacity);
    for (uint32_t id = supervise->capacity; id < capacity; id++) {
        children[id].state = SUPERVISE_ABSENT;
    }
    supervise->children = children;
    supervise->capacity = capacity;
}

int supervise_check(const struct supervise_flags *flags, const struct supervise_spec *spec)
{
    if (spec->is_significant &&
        (spec->restart == SUPERVISE_PERMANENT || flags->auto_shutdown == SUPERVISE_NEVER)) {
        return -EINVAL;
    }
    return 0;
}

int supervise_add(struct supervise *supervise, uint32_t id, const struct supervise_spec *spec)
{
    if (supervise->phase != SUPERVISE_NEW || supervise->flags.is_simple) {
        return -EBUSY;
    }
    if (id >= supervise->capacity) {
        return -ERANGE;
    }
    if (supervise->children[id].state != SUPERVISE_ABSENT) {
        return -EEXIST;
    }
    int result = supervise_check(&supervise->flags, spec);
    if (result < 0) {
        return result;
    }
    supervise->children[id].spec = *spec;
    (void)supervise_child_step(supervise, id, SUPERVISE_ADD); /* an absent one has that row */
    return 0;
}

void supervise_start(struct supervise *supervise)
{
    assert(supervise->phase == SUPERVISE_NEW);
    supervise->phase = SUPERVISE_FIRST_START;
    supervise->at = supervise->order.first;
}

void supervise_stop(struct supervise *supervise)
{
    supervise->is_told_to_stop = true;
}

static int tell(struct supervise *supervise, uint32_t id, enum supervise_event event)
{
    if (id >= supervise->capacity || !supervise_child_step(supervise, id, event)) {
        return -EPROTO;
    }
    return 0;
}

int supervise_on_delayed(struct supervise *supervise, uint32_t id)
{
    return tell(supervise, id, SUPERVISE_ON_DELAYED);
}

int supervise_on_started(struct supervise *supervise, uint32_t id)
{
    return tell(supervise, id, SUPERVISE_ON_STARTED);
}

int supervise_on_ignored(struct supervise *supervise, uint32_t id)
{
    return tell(supervise, id, SUPERVISE_ON_IGNORED);
}

int supervise_on_failed(struct supervise *supervise, uint32_t id)
{
    return tell(supervise, id, SUPERVISE_ON_FAILED);
}

int supervise_on_exited(struct supervise *supervise, uint32_t id, enum supervise_reason reason)
{
    int result = tell(supervise, id, SUPERVISE_ON_EXITED);
    if (result == 0) {
        supervise->children[id].reason = reason;
    }
    return result;
}

uint64_t supervise_wake_ms(const struct supervise *supervise)
{
    if (supervise->phase == SUPERVISE_ENDING_AT_ONCE) {
        return supervise->deadline_ms;
    }
    if (supervise->at == SUPERVISE_NONE ||
        supervise->children[supervise->at].state != SUPERVISE_STOPPING) {
        return UINT64_MAX;
    }
    return supervise->deadline_ms;
}

bool supervise_is_idle(const struct supervise *supervise)
{
    return supervise->phase == SUPERVISE_READY && !supervise->is_told_to_stop;
}

uint32_t supervise_first(const struct supervise *supervise)
{
    return supervise->order.first;
}

uint32_t supervise_after(const struct supervise *supervise, uint32_t id)
{
    return supervise->children[id].links[SUPERVISE_ORDER].next;
}

enum supervise_state supervise_state(const struct supervise *supervise, uint32_t id)
{
    return id < supervise->capacity ? supervise->children[id].state : SUPERVISE_ABSENT;
}

struct supervise_counts supervise_count(const struct supervise *supervise)
{
    struct supervise_counts counts = {0};
    for (uint32_t id = supervise->order.first; id != SUPERVISE_NONE;
         id = supervise_after(supervise, id)) {
        const struct supervise_child *child = &supervise->children[id];
        counts.specs++;
        counts.supervisors += child->spec.is_supervisor;
        counts.workers += !child->spec.is_supervisor;
        counts.active += child->state == SUPERVISE_RUNNING || child->state == SUPERVISE_STOPPING ||
                         child->state == SUPERVISE_KILLING;
    }
    return counts;
}
