/* pool_lend.c - who accepts connections for slots that nobody serves.
 * Owns `borrower` of each slot.  The kernel spreads connections over the sockets of all slots, so those that come to a vacant slot would
 * wait for its next worker; after 50 ms its sockets are lent to the worker of the pool that has borrowed least, or to the one that
 * answers 503 when the pool is held and nobody else is there.  As soon as the slot is served again they are returned.
 * Called by pool_settle.c, and by others to say that a borrower has gone.  Must not know why a slot is vacant. */
#include "daemon/pool/pool_parts.h"

#include "daemon/listen/listener.h"

enum { PATIENCE_MS = 50 };

static bool can_borrow(const struct pool_proc *which)
{
    return !proc_is_free(&which->proc) && which->proc.state == INCARNATION_ACTIVE;
}

static unsigned count_borrowed(const struct pool *pool, const struct pool_proc *which)
{
    unsigned count = 0;
    for (unsigned i = 0; i < pool->made; i++) {
        count += pool->slots[i]->borrower == which;
    }
    return count;
}

static struct pool_proc *find_borrower(const struct pool *pool)
{
    struct pool_proc *best = NULL;
    for (unsigned i = 0; i < pool->made; i++) {
        struct pool_proc *which = pool->slots[i]->current;
        if (which == NULL || !can_borrow(which)) {
            continue;
        }
        if (best == NULL || count_borrowed(pool, which) < count_borrowed(pool, best)) {
            best = which;
        }
    }
    bool is_last_resort =
        best == NULL && pool->unavailable != NULL && can_borrow(pool->unavailable);
    return is_last_resort ? pool->unavailable : best;
}

/* Only sockets of its own: one that all slots share is accepted from by whoever is there. */
static void lend(struct pool_slot *slot, struct pool_proc *which)
{
    const struct pool_conf *conf = &slot->pool->conf;
    struct proc_listener listeners[CONF_POOL_LISTENERS_MAX];
    struct proc_post post = {slot->index, listeners, 0};
    bool is_all = which == slot->pool->unavailable && slot->index == 0;
    for (size_t i = 0; i < conf->own->listener_count; i++) {
        bool is_own = conf->listeners[i]->kind != LISTENER_SHARED;
        if ((!is_own && !is_all) || !listener_has(conf->listeners[i], slot->index)) {
            continue;
        }
        listeners[post.listener_count].name = conf->listeners[i]->name;
        listeners[post.listener_count++].fd = listener_get_fd(conf->listeners[i], slot->index);
    }
    slot->borrower = which;
    if (post.listener_count > 0) {
        proc_lend(&which->proc, &post);
    }
}

static void take_back(struct pool_slot *slot)
{
    struct pool_proc *which = slot->borrower;
    slot->borrower = NULL;
    if (which != NULL && can_borrow(which)) {
        proc_return(&which->proc, slot->index);
    }
}

/* A slot that is taken out of the pool may have connections in its queue that came before. */
static bool is_retiring(const struct pool_slot *slot)
{
    return slot->index >= slot->pool->count && slot->state == SLOT_EMPTY;
}

static bool is_patient(const struct pool_slot *slot, uint64_t now_ms)
{
    return slot->vacant_since_ms != 0 && now_ms < slot->vacant_since_ms + PATIENCE_MS;
}

static bool is_closed_to_all(const struct pool *pool)
{
    return pool->phase == POOL_IDLE || pool->phase == POOL_DRAINED || pool->phase == POOL_LEAVING;
}

/* Whether the slot's sockets are to be in somebody else's hands. */
static bool is_vacant(const struct pool_slot *slot)
{
    if (is_closed_to_all(slot->pool)) {
        return false;
    }
    return slot->vacant_since_ms != 0 || is_retiring(slot) ||
           (slot->pool->phase == POOL_SUSPENDED && slot->state == SLOT_EMPTY);
}

static void settle_slot(struct pool_slot *slot, struct pool_proc *best)
{
    bool is_with_503 = slot->borrower != NULL && slot->borrower == slot->pool->unavailable;
    if (slot->borrower != NULL && is_with_503 && best != NULL && best != slot->borrower) {
        take_back(slot); /* somebody can do better */
    }
    if (slot->borrower == NULL && best != NULL) {
        lend(slot, best);
    }
}

uint64_t pool_lend(struct pool *pool, uint64_t now_ms)
{
    uint64_t due_ms = UINT64_MAX;
    for (unsigned i = 0; i < pool->made; i++) {
        struct pool_slot *slot = pool->slots[i];
        if (!is_vacant(slot)) {
            take_back(slot);
        } else if (is_patient(slot, now_ms) && slot->borrower == NULL) {
            uint64_t at_ms = slot->vacant_since_ms + PATIENCE_MS;
            due_ms = at_ms < due_ms ? at_ms : due_ms;
        } else {
            settle_slot(slot, find_borrower(pool));
        }
    }
    return due_ms;
}

void pool_lend_forget(struct pool *pool, const struct pool_proc *which)
{
    for (unsigned i = 0; i < pool->made; i++) {
        if (pool->slots[i]->borrower == which) {
            pool->slots[i]->borrower = NULL;
        }
    }
}
