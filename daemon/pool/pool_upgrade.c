/* pool_upgrade.c - a pool's part in an upgrade in place: what the next program must know, and how it becomes a pool again.
 * Owns nothing.  Taken and given are only pools that rest: every slot serves or waits, every process serves or is in reserve, so that
 * no message, timer or order is on its way but those that the sockets and the loop's clock keep.
 * Called by upgrade_take.c and upgrade_give.c.  Must not know how the state travels. */
#include "daemon/pool/pool_upgrade.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/pool/pool_parts.h"
#include "daemon/upgrade/upgrade_state.h"

static bool is_resting_slot(const struct pool_slot *slot)
{
    bool is_free = slot->next == NULL && slot->withdrawing == NULL && slot->asked == NULL &&
                   !slot->awaits_commit && !slot->awaits_room;
    bool is_at_rest = slot->state != SLOT_STARTING && slot->state != SLOT_REPLACING &&
                      slot->state != SLOT_LEAVING;
    return is_free && is_at_rest;
}

static bool is_resting_proc(const struct pool *pool, const struct pool_proc *which)
{
    const struct proc *proc = &which->proc;
    bool is_standby = pool_proc_is_standby(which);
    enum incarnation_state wanted = is_standby ? INCARNATION_LOADED : INCARNATION_ACTIVE;
    bool is_placed = is_standby || which == pool->unavailable || (which->slot->current == which);
    return is_placed && proc->state == wanted && !proc->was_told &&
           proc->failure == PROC_FAILURE_NONE && proc->channel.sock >= 0;
}

bool pool_upgrade_is_resting(const struct pool *pool, char text[POOL_TEXT_MAX])
{
    for (unsigned i = 0; i < pool->made; i++) {
        const struct pool_slot *slot = pool->slots[i];
        if (!is_resting_slot(slot)) {
            (void)snprintf(text, POOL_TEXT_MAX, "worker %s/%u is %s", pool->name, i,
                           slot_state_name(slot->state));
            return false;
        }
    }
    for (size_t i = 0; i < pool->proc_count; i++) {
        const struct pool_proc *which = pool->procs[i];
        if (!proc_is_free(&which->proc) && !is_resting_proc(pool, which)) {
            (void)snprintf(text, POOL_TEXT_MAX, "worker %d of pool \"%s\" is %s",
                           (int)which->proc.child.pid, pool->name,
                           incarnation_state_name(which->proc.state));
            return false;
        }
    }
    if (pool->pending.number != 0 || pool->phase == POOL_LEAVING) {
        (void)snprintf(text, POOL_TEXT_MAX, "pool \"%s\" is changing", pool->name);
        return false;
    }
    return true;
}

static void take_slot(const struct pool_slot *slot, struct upgrade_slot *ret)
{
    *ret = (struct upgrade_slot){
        .state = slot->state,
        .failures = slot->backoff.failures,
        .retry_at_ms = slot->retry_at_ms,
        .vacant_since_ms = slot->vacant_since_ms,
        .borrower = slot->borrower == NULL ? 0 : slot->borrower->proc.number,
        .had_proved = slot->had_proved,
        .wanted = slot->wanted,
        .restarts = slot->restarts,
        .requests_total = slot->requests_total,
        .died_us = slot->died_us,
    };
    (void)snprintf(ret->last_exit, sizeof(ret->last_exit), "%s", slot->last_exit);
}

static int take_proc(const struct pool_proc *which, struct upgrade_proc *ret)
{
    const struct proc *proc = &which->proc;
    char *text = strdup(proc->laggards.text == NULL ? "" : proc->laggards.text);
    *ret = (struct upgrade_proc){
        .pid = (uint64_t)proc->child.pid,
        .number = proc->number,
        .role = which->slot != NULL           ? UPGRADE_IN_SLOT
                : pool_proc_is_standby(which) ? UPGRADE_STANDBY
                                              : UPGRADE_UNAVAILABLE,
        .slot = which->slot == NULL ? 0 : which->slot->index,
        .shown = proc->subject.slot,
        .generation = proc->generation,
        .config = which->config,
        .is_active = proc->state == INCARNATION_ACTIVE,
        .log_was_malformed = proc->log_was_malformed,
        .has_joined = proc->member.members != NULL,
        .is_behind = proc->member.is_behind,
        .retry_after_s = proc->retry_after_s,
        .change = proc->change,
        .started_us = proc->started_us,
        .ready_us = proc->ready_us,
        .started_ms = proc->started_mono_ms,
        .activated_ms = proc->activated_mono_ms,
        .ready_ms = proc->ready_mono_ms,
        .died_us = which->died_us,
        .laggards = proc->laggards.count,
        .laggards_generation = proc->laggards.generation,
        .laggards_told_ms = proc->laggards.told_ms,
        .laggards_text = text,
        .channel = proc->channel.sock,
        .page = proc->page_fd,
        .blackbox = proc->blackbox_fd,
        .log = proc->log_fd,
    };
    return text == NULL ? -ENOMEM : 0;
}

/* The ring from its oldest entry on. */
static void take_restarts(const struct supervise_window *window, struct upgrade_time *ret)
{
    for (uint32_t i = 0; i < window->count; i++) {
        uint32_t at = (window->next + window->intensity - window->count + i) % window->intensity;
        ret[i].at_ms = window->times[at];
    }
}

static int make_lists(const struct pool *pool, struct upgrade_pool *ret)
{
    size_t procs = 0;
    for (size_t i = 0; i < pool->proc_count; i++) {
        procs += !proc_is_free(&pool->procs[i]->proc);
    }
    bool is_made = record_list_make(&ret->slots, &upgrade_slot_type, pool->made) != NULL &&
                   record_list_make(&ret->procs, &upgrade_proc_type, procs) != NULL &&
                   record_list_make(&ret->restarts, &upgrade_time_type, pool->window.count) != NULL;
    return is_made ? 0 : -ENOMEM;
}

int pool_upgrade_take(const struct pool *pool, struct upgrade_pool *ret)
{
    int error = make_lists(pool, ret);
    if (error < 0) {
        return error;
    }
    struct upgrade_proc *procs = ret->procs.items;
    for (unsigned i = 0; i < pool->made; i++) {
        take_slot(pool->slots[i], (struct upgrade_slot *)ret->slots.items + i);
    }
    for (size_t i = 0; i < pool->proc_count && error == 0; i++) {
        if (!proc_is_free(&pool->procs[i]->proc)) {
            error = take_proc(pool->procs[i], procs++);
        }
    }
    if (error < 0) {
        return error;
    }
    take_restarts(&pool->window, ret->restarts.items);
    (void)snprintf(ret->name, sizeof(ret->name), "%s", pool->name);
    (void)snprintf(ret->cause, sizeof(ret->cause), "%s", pool->cause);
    ret->config = pool->conf.number;
    ret->count = pool->count;
    ret->phase = pool->phase;
    ret->was_up = pool->was_up;
    ret->is_down_told = pool->is_down_told;
    ret->probe_at_ms = pool->probe_at_ms;
    ret->is_mended = pool->is_mended;
    ret->probed_at_ms = pool->probed_at_ms;
    ret->requests_gone = pool->requests_gone;
    ret->reserve_failures = pool->reserve_backoff.failures;
    ret->reserve_at_ms = pool->reserve_at_ms;
    return 0;
}

static void give_laggards(struct laggards *laggards, const struct upgrade_proc *from)
{
    const struct proto_laggards body = {.generation = from->laggards_generation,
                                        .count = from->laggards};
    if (from->laggards_text != NULL) { /* a program of before knew of none */
        laggards_take(laggards, &body, from->laggards_text, strlen(from->laggards_text),
                      from->laggards_told_ms);
    }
}

static int give_proc(struct pool *pool, const struct upgrade_proc *from, struct fsd_err *err)
{
    bool is_in_slot = from->role == UPGRADE_IN_SLOT;
    struct pool_proc seed = {
        .slot = is_in_slot ? pool->slots[from->slot] : NULL,
        .config = from->config,
        .died_us = from->died_us,
        .proc = {.state = from->is_active ? INCARNATION_ACTIVE : INCARNATION_LOADED,
                 .number = from->number,
                 .generation = from->generation,
                 .subject = {pool->name, (unsigned)from->shown, (pid_t)from->pid},
                 .child = {.pid = (pid_t)from->pid},
                 .channel = {.sock = from->channel},
                 .page_fd = from->page,
                 .blackbox_fd = from->blackbox,
                 .log_fd = from->log,
                 .retry_after_s = (uint32_t)from->retry_after_s,
                 .change = from->change,
                 .log_was_malformed = from->log_was_malformed,
                 .was_loaded = true,
                 .started_us = from->started_us,
                 .ready_us = from->ready_us,
                 .started_mono_ms = from->started_ms,
                 .activated_mono_ms = from->activated_ms,
                 .ready_mono_ms = from->ready_ms},
    };
    struct pool_proc *which = NULL;
    int error = pool_proc_inherit(pool, &seed, &which, err);
    if (error == 0) {
        give_laggards(&which->proc.laggards, from);
    }
    if (error == 0 && from->has_joined) {
        proc_rejoin(&which->proc, from->is_behind);
    }
    if (error == 0 && is_in_slot) {
        which->slot->current = which;
    } else if (error == 0 && from->role == UPGRADE_UNAVAILABLE) {
        pool->unavailable = which;
    }
    return error;
}

static struct pool_proc *find_proc(const struct pool *pool, uint64_t number)
{
    for (size_t i = 0; number != 0 && i < pool->proc_count; i++) {
        if (!proc_is_free(&pool->procs[i]->proc) && pool->procs[i]->proc.number == number) {
            return pool->procs[i];
        }
    }
    return NULL;
}

/* A retry that has become due meanwhile happens at once. */
static void give_slot(struct pool_slot *slot, const struct upgrade_slot *from, uint64_t now_ms)
{
    slot->state = (enum slot_state)from->state;
    slot->backoff.failures = (unsigned)from->failures;
    slot->vacant_since_ms = from->vacant_since_ms;
    slot->borrower = find_proc(slot->pool, from->borrower);
    slot->had_proved = from->had_proved;
    slot->wanted = from->wanted;
    slot->restarts = from->restarts;
    slot->requests_total = from->requests_total;
    slot->died_us = from->died_us;
    (void)snprintf(slot->last_exit, sizeof(slot->last_exit), "%s", from->last_exit);
    if (slot->state == SLOT_BACKOFF) {
        uint64_t left_ms = from->retry_at_ms > now_ms ? from->retry_at_ms - now_ms : 0;
        pool_slot_retry_in(slot, left_ms < BACKOFF_LIMIT_MS ? (uint32_t)left_ms : BACKOFF_LIMIT_MS);
    }
}

static void give_pool(struct pool *pool, const struct upgrade_pool *from)
{
    const struct upgrade_time *restarts = from->restarts.items;
    pool->conf.number = from->config;
    pool->count = (unsigned)from->count;
    pool_take_settings(pool);
    pool->phase = (enum pool_phase)from->phase;
    pool->was_up = from->was_up;
    pool->is_down_told = from->is_down_told;
    (void)snprintf(pool->cause, sizeof(pool->cause), "%s", from->cause);
    for (size_t i = 0; i < from->restarts.count; i++) {
        (void)supervise_window_add(&pool->window, restarts[i].at_ms); /* was judged then */
    }
    pool->probe_at_ms = from->probe_at_ms;
    pool->is_mended = from->is_mended;
    pool->probed_at_ms = from->probed_at_ms;
    pool->requests_gone = from->requests_gone;
    pool->reserve_backoff.failures = (unsigned)from->reserve_failures;
    pool->reserve_at_ms = from->reserve_at_ms;
}

/* There may be slots above the configured count, whose sockets still have connections. */
static int make_slots(struct pool *pool, const struct upgrade_pool *from, struct fsd_err *err)
{
    if (pool->made > from->slots.count) {
        return fsd_err_set(err, EPROTO, "pool \"%s\" has too few slots", pool->name);
    }
    int error = pool_proc_reserve(pool, from->slots.count * POOL_SLOT_PROCS_MAX +
                                            (size_t)CONF_STANDBY_MAX * 2);
    while (error >= 0 && pool->made < from->slots.count) {
        error = pool_slot_add(pool);
    }
    return error < 0 ? fsd_err_set(err, -error, "cannot make room for the workers of \"%s\": %s",
                                   pool->name, strerror(-error))
                     : 0;
}

int pool_upgrade_give(struct pool *pool, const struct upgrade_pool *from, struct fsd_err *err)
{
    const struct upgrade_proc *procs = from->procs.items;
    int error = make_slots(pool, from, err);
    for (size_t i = 0; i < from->procs.count && error == 0; i++) {
        error = give_proc(pool, &procs[i], err);
    }
    if (error < 0) {
        return error;
    }
    give_pool(pool, from);
    uint64_t now_ms = clock_monotonic_ms();
    for (unsigned i = 0; i < pool->made; i++) {
        give_slot(pool->slots[i], (const struct upgrade_slot *)from->slots.items + i, now_ms);
    }
    pool_touch(pool);
    return 0;
}
