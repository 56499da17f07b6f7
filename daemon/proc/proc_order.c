/* proc_order.c - what the owner of a worker process may order.
 * Owns nothing.  An order is an event of the worker's life (proc.c), or a message that changes nothing in it: a socket that is
 * lent, a change to be prepared.  A message that can't be sent counts as whatever ended the channel.
 * Called by pool/ and by deploys through it.  Must not know why something is ordered. */
#include "daemon/proc/proc.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/supervise.h"
#include "daemon/proc/proc_parts.h"
#include "daemon/proc/proc_say.h"
#include "daemon/shared/shared_set.h"

void proc_activate(struct proc *proc, const struct proc_post *post)
{
    proc->subject.slot = post->slot;
    int error = proc_say_listeners(proc, post);
    if (error < 0) {
        proc_check(proc, error);
        return;
    }
    members_move(&proc->member, post->slot);
    proc_step(proc, INCARNATION_ON_ACTIVATE, NULL);
}

void proc_lend(struct proc *proc, const struct proc_post *post)
{
    proc_check(proc, proc_say_listeners(proc, post));
}

void proc_return(struct proc *proc, unsigned slot)
{
    proc_check(proc, proc_say_return(proc, slot));
}

void proc_share(struct proc *proc, const struct shared_set *from, struct shared_set *to)
{
    if (proc->state == INCARNATION_SPAWNED) {
        shared_set_release(&proc->set);
        proc->set = shared_set_keep(to);
    } else if (proc->channel.sock >= 0) {
        proc_check(proc, proc_say_shared(proc, from, to));
    }
}

void proc_give_access(struct proc *proc)
{
    if (proc->state != INCARNATION_SPAWNED && proc->channel.sock >= 0) {
        proc_check(proc, proc_say_access(proc));
    } /* else it gets it with the rest, or is ending */
}

void proc_prepare(struct proc *proc, const struct proto_transaction *change, int fd)
{
    proc->change = change->number;
    proc->change_generation = change->generation;
    proc->is_committing = false;
    proc_check(proc, proc_say_change(proc, PROTO_PREPARE, change, fd));
}

static void decide(struct proc *proc, enum proto_kind kind, uint64_t what)
{
    struct proto_transaction change = {.number = proc->change, .what = what};
    proc_check(proc, proc_say_change(proc, kind, &change, -1));
}

void proc_commit(struct proc *proc)
{
    proc->is_committing = proc->change_generation != 0;
    decide(proc, PROTO_COMMIT, 0);
}

void proc_abort(struct proc *proc)
{
    decide(proc, PROTO_ABORT, PROTO_ABORT_SILENT);
}

void proc_cut(struct proc *proc)
{
    decide(proc, PROTO_ABORT, PROTO_ABORT_LATE);
}

uint64_t proc_get_generation(const struct proc *proc)
{
    return proc->is_committing ? proc->change_generation : proc->generation;
}

void proc_hang(struct proc *proc, uint64_t age_ms)
{
    char detail[64];
    (void)snprintf(detail, sizeof(detail), "no heartbeat for %" PRIu64 " ms", age_ms);
    proc_step(proc, INCARNATION_ON_HANG, detail);
}

void proc_drain(struct proc *proc, bool empties_queues)
{
    bool is_brutal = proc->setting->shutdown_ms == SUPERVISE_BRUTAL_KILL;
    proc->was_told = true;
    proc->empties_queues = empties_queues;
    proc_step(proc, is_brutal ? INCARNATION_ON_STOP : INCARNATION_ON_DRAIN, NULL);
}

void proc_kill(struct proc *proc)
{
    proc->was_told = true;
    proc_step(proc, INCARNATION_ON_STOP, NULL);
}
