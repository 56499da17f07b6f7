/* pool_code.c - a pool's part in a change of its code in place, in two phases.
 * Owns is_frozen.  Every process that runs the code takes part, in a slot or in reserve.  Those that boot meanwhile have been handed the
 * code that was running then: they wait, loaded, until the change is decided, and only then serve, or are replaced by others with
 * the code that is the running one now.  So nobody begins with code that was replaced, and nobody is overlooked.
 * Called by swap.c, which counts the answers.  Must not know other pools, nor where the code comes from. */
#include "daemon/code/app.h"
#include "daemon/pool/pool_parts.h"

enum pool_code pool_code_judge(const struct pool_proc *which)
{
    const struct proc *proc = &which->proc;
    if (proc_is_free(proc)) {
        return POOL_CODE_LOST;
    }
    if (proc->generation == 0) { /* it answers 503 */
        return POOL_CODE_APART;
    }
    if (proc->was_told || proc->state == INCARNATION_DRAINING) {
        return POOL_CODE_LEAVING;
    }
    switch (proc->state) {
    case INCARNATION_SPAWNED:
    case INCARNATION_LOADING:
        return POOL_CODE_APART;
    case INCARNATION_ACTIVATING:
    case INCARNATION_HUNG_UP: /* its end will say why */
        return POOL_CODE_SOON;
    case INCARNATION_LOADED:
    case INCARNATION_ACTIVE:
        return POOL_CODE_ABLE;
    case INCARNATION_DRAINING:
    case INCARNATION_DYING:
    case INCARNATION_KILLED:
    case INCARNATION_GONE:
        break;
    }
    return POOL_CODE_LOST;
}

void pool_code_freeze(struct pool *pool)
{
    pool->is_frozen = true;
}

void pool_code_prepare(struct pool_proc *which, uint64_t number)
{
    const struct bundle *code = &which->pool->conf.app->store.candidate;
    struct proto_transaction change = {number, PROTO_CHANGE_CODE, code->number};
    proc_prepare(&which->proc, &change, code->fd);
}

void pool_code_commit(struct pool_proc *which)
{
    proc_commit(&which->proc);
}

void pool_code_abort(struct pool_proc *which)
{
    proc_abort(&which->proc);
}

void pool_code_cut(struct pool_proc *which)
{
    proc_cut(&which->proc);
}

struct pool_slot *pool_code_find_vacant(const struct pool *pool)
{
    bool is_at_work = pool->phase == POOL_RUNNING || pool->phase == POOL_HELD;
    for (unsigned i = 0; i < pool->count && is_at_work; i++) {
        enum slot_state state = pool->slots[i]->state;
        if (state == SLOT_STARTING || state == SLOT_BACKOFF || state == SLOT_HELD) {
            return pool->slots[i];
        }
    }
    return NULL;
}

void pool_code_try(struct pool_slot *slot)
{
    slot->awaits_commit = true;
    slot->wanted = slot->pool->conf.app->store.candidate.number;
    pool_slot_step(slot, SLOT_ON_REPLACE, NULL, NULL);
}

void pool_code_give_up(struct pool_slot *slot)
{
    if (!slot->awaits_commit) {
        return; /* it has failed, or was stopped */
    }
    pool_slot_step(slot, SLOT_ON_CANCEL, NULL, NULL);
    if (slot->pool->phase == POOL_HELD) {
        pool_slot_step(slot, SLOT_ON_HOLD, NULL, NULL);
    }
}

static void thaw_slot(struct pool_slot *slot)
{
    uint64_t running = slot->pool->conf.app->store.running.number;
    slot->awaits_commit = false;
    if (slot->next == NULL) {
        return;
    }
    if (proc_get_generation(&slot->next->proc) != running) {
        slot->wanted = running;
        pool_slot_step(slot, SLOT_ON_REPLACE, NULL, NULL);
    } else {
        pool_slot_activate_next(slot);
    }
}

void pool_code_thaw(struct pool *pool)
{
    pool->is_frozen = false;
    for (unsigned i = 0; i < pool->made; i++) {
        thaw_slot(pool->slots[i]);
    }
    pool_touch(pool);
}

void pool_code_retry(struct pool *pool)
{
    if (pool->phase == POOL_HELD) {
        pool_hold_mend(pool);
    }
    supervise_window_clear(&pool->window); /* what was restarted was the old one */
    pool_refresh(pool);
    for (unsigned i = 0; i < pool->count; i++) {
        struct pool_slot *slot = pool->slots[i];
        if (slot->state == SLOT_BACKOFF || slot->state == SLOT_HELD || slot->state == SLOT_DONE) {
            slot->backoff.failures = 0; /* what failed was the old one */
            slot->wanted = pool->conf.app->store.running.number;
            pool_slot_step(slot, SLOT_ON_REPLACE, NULL, NULL);
        }
    }
}

void pool_code_kill(struct pool_proc *which)
{
    struct pool_slot *slot = which->slot;
    if (slot != NULL && which == slot->current) {
        pool_change_kill(slot);
        return;
    }
    proc_kill(&which->proc);
    if (slot != NULL && which == slot->next) {
        slot->next = NULL;
        pool_slot_step(slot, SLOT_ON_NEXT_LOST, &which->proc, "did not take what was committed");
    }
}
