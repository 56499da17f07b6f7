/* pool_change.c - a pool's part in a change of configuration, in two phases.
 * Owns `pending`, the configuration that is being prepared.  A slot takes part in one of two ways: its worker takes the change in
 * place, or a new worker with it is booted and waits.  Nothing that serves has changed before pool_adopt; pool_cancel undoes
 * whatever was prepared.
 * Called by deploy.c, which counts the answers.  Must not know other pools. */
#include "daemon/pool/pool_parts.h"

#include <errno.h>
#include <string.h>

#include "common/fd.h"
#include "daemon/code/app.h"
#include "daemon/conf/conf.h"
#include "daemon/listen/listener.h"
#include "daemon/log/log.h"
#include "daemon/proc/handout.h"

/* A socket that comes from a pool with more workers needs a slot, too, until it is empty. */
static unsigned count_slots(const struct pool_conf *conf, unsigned count)
{
    for (size_t i = 0; i < conf->own->listener_count; i++) {
        const struct listener *listener = conf->listeners[i];
        count = listener->kind == LISTENER_PER_SLOT && listener->count > count ? listener->count
                                                                               : count;
    }
    return count;
}

int pool_pend(struct pool *pool, const struct pool_conf *conf, unsigned count, struct fsd_err *err)
{
    unsigned slots = count_slots(conf, count);
    pool->pending = *conf;
    pool->pending_count = count;
    if (conf->own->boot_ms > pool->proc_setting.boot_ms) {
        pool->proc_setting.boot_ms = conf->own->boot_ms; /* the new workers may need it */
    }
    int error =
        pool_proc_reserve(pool, (size_t)slots * POOL_SLOT_PROCS_MAX + (size_t)CONF_STANDBY_MAX * 2);
    while (error >= 0 && pool->made < slots) {
        error = pool_slot_add(pool);
    }
    return error < 0 ? fsd_err_set(err, -error, "cannot make room for %u workers: %s", count,
                                   strerror(-error))
                     : 0;
}

void pool_prepare_slot(struct pool *pool, unsigned index)
{
    struct pool_slot *slot = pool->slots[index];
    const struct bundle_store *store = &pool->pending.app->store;
    if (pool->phase == POOL_SUSPENDED) { /* since the change began; its workers come later */
        pool_slot_tell(slot, POOL_SLOT_PREPARED, NULL, NULL);
        return;
    }
    slot->awaits_commit = true;
    pool_hold_mend(pool);
    slot->wanted = store->candidate.number != 0 ? store->candidate.number : store->running.number;
    pool_slot_step(slot, slot->state == SLOT_EMPTY ? SLOT_ON_START : SLOT_ON_REPLACE, NULL, NULL);
}

void pool_update_slot(struct pool *pool, unsigned index)
{
    struct pool_slot *slot = pool->slots[index];
    if (slot->current == NULL) { /* its next worker gets the change when it is started */
        pool_slot_tell(slot, POOL_SLOT_PREPARED, NULL, NULL);
        return;
    }
    struct fsd_err err = {""};
    const struct pool_conf *conf = &pool->pending;
    int fd = handout_create(conf->whole, conf->own, conf->number, pool->pending_count, &err);
    if (fd < 0) {
        pool_slot_tell(slot, POOL_SLOT_REJECTED, NULL, err.text);
        return;
    }
    slot->asked = slot->current;
    struct proto_transaction change = {.number = conf->number, .what = PROTO_CHANGE_CONFIG};
    proc_prepare(&slot->current->proc, &change, fd);
    fd_close(&fd);
}

void pool_change_ask_successor(struct pool_slot *slot)
{
    slot->asked = NULL;
    if (slot->pool->pending.number != 0) { /* else it is renewed (pool_settle.c) */
        pool_update_slot(slot->pool, slot->index);
    }
}

/* New connections go to the sockets of the slots that stay, and to those that have come. */
static void choose_sockets(struct pool *pool)
{
    for (size_t i = 0; i < pool->conf.own->listener_count; i++) {
        struct listener *listener = pool->conf.listeners[i];
        unsigned live = pool->count < listener->count ? pool->count : listener->count;
        int error = listener->live == live ? 0 : listener_exclude(listener, live);
        if (error < 0) {
            log_write(pool->setting.log, LOG_LEVEL_WARNING, LOG_POOL(pool->name),
                      "cannot keep new connections from slots that leave",
                      LOG_FIELDS(log_text("reason", strerror(-error))));
        }
    }
}

static bool has_listener(const struct pool_conf *conf, const struct listener *listener)
{
    for (size_t i = 0; i < conf->own->listener_count; i++) {
        if (conf->listeners[i] == listener) {
            return true;
        }
    }
    return false;
}

static bool loses_listener(const struct pool_conf *from, const struct pool_conf *to)
{
    for (size_t i = 0; i < from->own->listener_count; i++) {
        if (!has_listener(to, from->listeners[i])) {
            return true;
        }
    }
    return false;
}

/* What workers are told of while they run.  Those that have not got their hand-out yet are told then. */
static void share(struct pool *pool, struct shared_set *from, struct shared_set *to)
{
    for (size_t i = 0; i < pool->proc_count; i++) {
        if (!proc_is_free(&pool->procs[i]->proc)) {
            proc_share(&pool->procs[i]->proc, from, to);
        }
    }
}

void pool_give_access(struct pool *pool)
{
    for (size_t i = 0; i < pool->proc_count; i++) {
        if (!proc_is_free(&pool->procs[i]->proc)) {
            proc_give_access(&pool->procs[i]->proc);
        }
    }
}

void pool_adopt(struct pool *pool, unsigned count)
{
    pool->empties_queues = loses_listener(&pool->conf, &pool->pending);
    share(pool, pool->conf.shared, pool->pending.shared);
    pool->conf = pool->pending;
    pool->pending.number = 0;
    pool->count = count;
    pool_take_settings(pool);
    choose_sockets(pool);
    pool_refresh(pool);
    for (unsigned i = 0; i < pool->made; i++) {
        pool->slots[i]->clear_since_ms = 0;
        if (i >= count) {
            pool_slot_step(pool->slots[i], SLOT_ON_STOP, NULL, NULL);
        }
    }
    pool_touch(pool);
}

/* A worker that was booting while the others were asked has the old configuration. */
static void replace_stale_next(struct pool_slot *slot)
{
    if (slot->next != NULL && slot->next->config != slot->pool->conf.number) {
        slot->wanted = slot->pool->conf.app->store.running.number;
        pool_slot_step(slot, SLOT_ON_REPLACE, NULL, NULL);
    }
}

void pool_commit_slot(struct pool *pool, unsigned index)
{
    struct pool_slot *slot = pool->slots[index];
    if (slot->awaits_commit) {
        slot->awaits_commit = false;
        pool_slot_activate_next(slot);
        return;
    }
    replace_stale_next(slot);
    if (slot->asked != NULL && slot->asked == slot->current) {
        proc_commit(&slot->current->proc);
    } else { /* who has come since is renewed (pool_settle.c) */
        slot->asked = NULL;
        pool_slot_tell(slot, POOL_SLOT_COMMITTED, NULL, NULL);
    }
}

static void cancel_slot(struct pool_slot *slot)
{
    const struct pool_proc *asked = slot->asked;
    slot->asked = NULL;
    if (slot->awaits_commit) {
        pool_slot_step(slot, SLOT_ON_CANCEL, NULL, NULL);
    } else if (asked != NULL && asked == slot->current) {
        proc_abort(&slot->current->proc);
    }
    if (slot->index >=
        slot->pool
            ->count) { /* was added; or it leaves since an earlier change, and goes on with that */
        pool_slot_step(slot, SLOT_ON_STOP, NULL, NULL);
    }
}

/* Of slots that were not made any more, or that another pool was to have. */
static void shed_sockets(struct pool *pool)
{
    for (size_t i = 0; i < pool->conf.own->listener_count; i++) {
        listener_shrink(pool->conf.listeners[i], pool->made);
    }
}

void pool_cancel(struct pool *pool)
{
    pool->pending.number = 0;
    pool_take_settings(pool);
    for (unsigned i = 0; i < pool->made; i++) {
        cancel_slot(pool->slots[i]);
    }
    shed_sockets(pool);
    choose_sockets(pool);
    pool_touch(pool);
}

void pool_kill_slot(struct pool *pool, unsigned index)
{
    struct pool_slot *slot = pool->slots[index];
    if (slot->withdrawing !=
        NULL) { /* the new one serves; it is the old one that does not let go */
        proc_kill(&slot->withdrawing->proc);
    } else {
        pool_change_kill(slot);
    }
}

void pool_change_kill(struct pool_slot *slot)
{
    struct pool_proc *which = slot->current;
    if (which == NULL || (slot->state != SLOT_READY && slot->state != SLOT_REPLACING)) {
        return;
    }
    pool_slot_log(slot, LOG_LEVEL_WARNING, "worker.killed",
                  "worker did not take what was committed and is replaced", NULL);
    pool_lend_forget(slot->pool, which);
    slot->current = NULL;
    proc_kill(&which->proc);
    pool_slot_step(slot, SLOT_ON_CURRENT_LOST, &which->proc, "did not take what was committed");
}
