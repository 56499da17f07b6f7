/* pool_slot_news.c - what the news of a process mean for its slot.
 * Owns nothing.  A process plays a part in its slot: current, next, or a leaver, whose news no longer matter but for its last ones.
 * According to that, news become events of the slot, or are passed on to the owner of the pool.
 * Called by pool_proc.c.  Must not know what follows from an event (slot.c, pool_slot.c). */
#include <stdio.h>

#include "daemon/code/app.h"
#include "daemon/pool/pool_parts.h"

/* The old worker accepts nothing more: from now on every new connection meets the new code. */
static void end_withdrawal(struct pool_slot *slot, const struct pool_proc *which)
{
    if (slot->withdrawing == which) {
        slot->withdrawing = NULL;
        pool_slot_tell(slot, POOL_SLOT_READY, &slot->current->proc, NULL);
    }
}

static void on_lost(struct pool_slot *slot, struct pool_proc *which)
{
    const struct proc *proc = &which->proc;
    (void)snprintf(slot->last_exit, sizeof(slot->last_exit), "%s", proc->why.text);
    pool_lend_forget(slot->pool, which);
    slot->asked = slot->asked == which ? NULL : slot->asked;
    if (which == slot->next) {
        slot->next = NULL;
        pool_slot_step(slot, SLOT_ON_NEXT_LOST, proc, proc->why.text);
    } else if (which == slot->current) {
        slot->current = NULL;
        pool_slot_step(slot, SLOT_ON_CURRENT_LOST, proc, proc->why.text);
    }
}

static void on_ended(struct pool_slot *slot, const struct pool_proc *which)
{
    if (which->proc.failure == PROC_FAILURE_NONE) {
        char words[CAUSE_TEXT_MAX];
        cause_format(&which->proc.cause, which->proc.was_told, words);
        (void)snprintf(slot->last_exit, sizeof(slot->last_exit), "%s", words);
    }
    end_withdrawal(slot, which);
}

static void on_loaded(struct pool_slot *slot, struct pool_proc *which)
{
    if (which != slot->next) {
        return;
    }
    if (slot->awaits_commit) {
        pool_slot_tell(slot, POOL_SLOT_PREPARED, &which->proc, NULL);
    } else if (!slot->pool->is_frozen) { /* else at the end of that (pool_code.c) */
        pool_slot_activate(slot, which);
    }
}

/* Somebody sent it SIGTERM: a new one first, then it may go. */
static void on_leave(struct pool_slot *slot, const struct pool_proc *which)
{
    if (which == slot->current && slot->state == SLOT_READY) {
        slot->wanted = slot->pool->conf.app->store.running.number;
        pool_slot_step(slot, SLOT_ON_REPLACE, NULL, NULL);
    }
}

void pool_slot_on_news(struct pool_slot *slot, struct pool_proc *which, enum proc_news news)
{
    const struct proc *proc = &which->proc;
    switch (news) {
    case PROC_LOADED:
        on_loaded(slot, which);
        break;
    case PROC_READY:
        if (which == slot->next) {
            pool_slot_step(slot, SLOT_ON_NEXT_READY, proc, NULL);
        }
        break;
    case PROC_WITHDRAWN:
        pool_lend_forget(slot->pool, which);
        end_withdrawal(slot, which);
        break;
    case PROC_LEAVE:
        on_leave(slot, which);
        break;
    case PROC_PREPARED:
        pool_slot_tell(slot, POOL_SLOT_PREPARED, proc, NULL);
        break;
    case PROC_REJECTED:
        pool_slot_tell(slot, POOL_SLOT_REJECTED, proc, proc->why.text);
        break;
    case PROC_COMMITTED:
        which->config = slot->pool->conf.number;
        slot->asked = NULL;
        pool_slot_tell(slot, POOL_SLOT_COMMITTED, proc, NULL);
        break;
    case PROC_LOST:
        on_lost(slot, which);
        break;
    case PROC_GONE:
        on_ended(slot, which);
        break;
    }
}
