/* handover.c - connections that stay open when the code is replaced: the handler changes, the connection does not notice.
 * Owns the list of them.  At COMMIT each handler on old code is told to end, by an error with the code "reload" that is raised in its
 * wait - but only in one for the next thing to do (task_mark_idle): who is in the middle of something, a message that is half sent or
 * a call, is told when it next waits idly, and by force when the time of its generation is over (generations.c).  Whoever owns the
 * connection then sees in on_done that its task was told, and starts the handler of the running code with the same connection.
 * Called by life_code.c and by the areas that have such connections.  Must not know what they are. */
#include "worker/core/handover.h"

#include "worker/core/generation.h"
#include "worker/core/runtime.h"

enum {
    TURN_MAX = 16
}; /* handlers that are told in one turn: the requests of others come in between */

void handover_add(struct runtime *runtime, struct handover *handover, struct task *task)
{
    struct handovers *all = &runtime->handovers;
    *handover = (struct handover){.task = task, .next = all->first, .is_listed = true};
    if (all->first != NULL) {
        all->first->previous = handover;
    }
    all->first = handover;
}

void handover_remove(struct runtime *runtime, struct handover *handover)
{
    struct handovers *all = &runtime->handovers;
    if (!handover->is_listed) {
        return;
    }
    if (all->next == handover) {
        all->next = handover->next;
    }
    if (handover->previous != NULL) {
        handover->previous->next = handover->next;
    } else {
        all->first = handover->next;
    }
    if (handover->next != NULL) {
        handover->next->previous = handover->previous;
    }
    *handover = (struct handover){0};
}

void handover_pass(struct handover *handover, struct task *task)
{
    handover->task = task;
}

/* True: it was told just now. */
static bool offer(const struct handover *handover)
{
    struct task *task = handover->task;
    return generations_of(task->runtime, task) != task->runtime->generation->number &&
           task_tell(task);
}

void handover_offer(const struct handover *handover)
{
    (void)offer(handover);
}

static void on_turn(struct loop_job *job)
{
    struct runtime *runtime = H2O_STRUCT_FROM_MEMBER(struct runtime, handovers.job, job);
    struct handovers *all = &runtime->handovers;
    for (unsigned told = 0; all->next != NULL && told < TURN_MAX;) {
        const struct handover *handover = all->next;
        all->next = handover->next;
        told += offer(handover) ? 1 : 0;
    }
    if (all->next != NULL) {
        loop_defer_share(&runtime->loop, job, on_turn);
    }
}

void handovers_begin(struct runtime *runtime)
{
    struct handovers *all = &runtime->handovers;
    all->next = all->first;
    if (all->next != NULL) {
        loop_defer_share(&runtime->loop, &all->job, on_turn);
    }
}
