/* pool_settle.c - what must be so between two turns of the loop: the reserve, the sockets of vacant slots, holding, retirement.
 * Owns two event sources of the pool: one that runs at the end of the turn after anything has changed (pool_touch), and one for the next
 * moment at which something becomes due.  It looks at the pool as it is and puts right what follows, whatever led there; so no
 * path has to remember to do it.
 * Called by the loop.  Must not know why anything changed. */
#include "daemon/pool/pool_parts.h"

#include "common/clock.h"
#include "daemon/code/app.h"
#include "daemon/listen/listener.h"
#include "daemon/log/log.h"
#include "daemon/proc/naming.h"

enum { DUE_ACCURACY_US = 1000, RETIRE_CHECK_MS = 50, RETIRE_QUIET_MS = 100 };

static uint64_t earlier(uint64_t one, uint64_t other)
{
    return one < other ? one : other;
}

static bool is_stale(const struct pool *pool, const struct pool_proc *which)
{
    return which->config != pool->conf.number ||
           proc_get_generation(&which->proc) != pool->conf.app->store.running.number;
}

/* A change under way or a slot that waits for a worker comes first: processors are few. */
static bool may_boot_reserve(const struct pool *pool)
{
    if (pool->phase != POOL_RUNNING || !pool->was_up || pool->pending.number != 0 ||
        pool->is_frozen) {
        return false;
    }
    for (unsigned i = 0; i < pool->count; i++) {
        if (pool->slots[i]->state == SLOT_STARTING) {
            return false;
        }
    }
    return true;
}

static uint64_t settle_reserve(struct pool *pool, uint64_t now_ms)
{
    unsigned wanted = pool->phase == POOL_RUNNING ? pool_wanted_standby(pool) : 0;
    unsigned have = 0;
    for (size_t i = 0; i < pool->proc_count; i++) {
        struct pool_proc *which = pool->procs[i];
        if (!pool_proc_is_standby(which) || which->proc.was_told ||
            which->proc.failure != PROC_FAILURE_NONE) {
            continue;
        }
        if (is_stale(pool, which) || have == wanted) {
            proc_kill(&which->proc); /* it has done nothing yet that could be lost */
        } else {
            have++;
        }
    }
    if (have >= wanted || !may_boot_reserve(pool)) {
        return UINT64_MAX;
    }
    if (now_ms < pool->reserve_at_ms) {
        return pool->reserve_at_ms;
    }
    struct pool_proc *which = NULL;
    struct fsd_err err = {""};
    if (pool_proc_start(pool, NULL, POOL_KIND_WORKER, &which, &err) == 0) {
        return have + 1 < wanted ? now_ms : UINT64_MAX;
    }
    pool_proc_tell_unstarted(pool, NULL, err.text);
    pool->reserve_at_ms = now_ms + BACKOFF_LIMIT_MS; /* not urgent */
    return pool->reserve_at_ms;
}

/* A worker of the reserve may stand in for slots that wait for their next try. */
static void fill_from_reserve(struct pool *pool)
{
    if (pool->phase != POOL_RUNNING) {
        return;
    }
    for (unsigned i = 0; i < pool->count; i++) {
        struct pool_slot *slot = pool->slots[i];
        if (slot->state == SLOT_BACKOFF && slot->had_proved &&
            pool_proc_find_standby(pool, pool->conf.app->store.running.number) != NULL) {
            slot->wanted = pool->conf.app->store.running.number;
            pool_slot_step(slot, SLOT_ON_RETRY, NULL, NULL);
        }
    }
}

static bool has_waiting(const struct pool *pool, unsigned slot)
{
    for (size_t i = 0; i < pool->conf.own->listener_count; i++) {
        const struct listener *listener = pool->conf.listeners[i];
        if (listener->kind == LISTENER_PER_SLOT && listener_is_waiting(listener, slot)) {
            return true;
        }
    }
    return false;
}

static bool is_free(const struct pool_slot *slot)
{
    return slot->state == SLOT_EMPTY && pool_slot_is_deserted(slot);
}

/* A handshake may have been under way when the slot was taken out, so one look is not enough. */
static void look_at_queue(struct pool_slot *slot, uint64_t now_ms)
{
    if (!is_free(slot) || has_waiting(slot->pool, slot->index)) {
        slot->clear_since_ms = 0;
    } else if (slot->clear_since_ms == 0) {
        slot->clear_since_ms = now_ms;
    }
}

static void retire_last(struct pool *pool)
{
    struct pool_slot *slot = pool->slots[pool->made - 1];
    if (slot->borrower != NULL) {
        proc_return(&slot->borrower->proc, slot->index);
        slot->borrower = NULL;
    }
    pool->made--;
    for (size_t i = 0; i < pool->conf.own->listener_count; i++) {
        listener_shrink(pool->conf.listeners[i], pool->made);
    }
    pool->requests_gone += slot->requests_total;
    pool_slot_free(slot);
}

/* Slots above the count go from the top, when nobody is in them and nothing waits at their sockets (pool_lend.c has what does served). */
static uint64_t settle_retirement(struct pool *pool, uint64_t now_ms)
{
    if (pool->made <= pool->count || pool->pending.number != 0) {
        return UINT64_MAX;
    }
    for (unsigned i = pool->count; i < pool->made; i++) {
        look_at_queue(pool->slots[i], now_ms);
    }
    while (pool->made > pool->count) {
        const struct pool_slot *slot = pool->slots[pool->made - 1];
        if (!is_free(slot)) {
            return UINT64_MAX; /* its end will touch the pool */
        }
        if (slot->clear_since_ms == 0 || now_ms < slot->clear_since_ms + RETIRE_QUIET_MS) {
            return now_ms + RETIRE_CHECK_MS;
        }
        retire_last(pool);
    }
    return UINT64_MAX;
}

static bool are_slots_empty(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->made; i++) {
        if (pool->slots[i]->state != SLOT_EMPTY) {
            return false;
        }
    }
    return true;
}

/* Who waited for room may have it now; a slot that has become empty while the pool runs is filled again. */
static void settle_slots(struct pool *pool)
{
    for (unsigned i = 0; i < pool->made; i++) {
        pool_slot_use_room(pool->slots[i]);
    }
    for (unsigned i = 0; i < pool->count && pool->phase == POOL_RUNNING; i++) {
        if (pool->slots[i]->state == SLOT_EMPTY) {
            pool->slots[i]->wanted = pool->conf.app->store.running.number;
            pool_slot_step(pool->slots[i], SLOT_ON_START, NULL, NULL);
        }
    }
    if (pool->phase == POOL_RUNNING && !pool->was_up && pool_is_serving(pool)) {
        pool->was_up = true;
        pool->setting.on_news(pool, LOG_SLOT_NONE, POOL_UP, NULL, NULL);
    }
    if (pool->phase == POOL_SUSPENDED && !pool->is_down_told && are_slots_empty(pool)) {
        pool->is_down_told = true;
        pool->setting.on_news(pool, LOG_SLOT_NONE, POOL_DOWN, NULL, NULL);
    }
}

/* Whoever serves with an older configuration missed a change when it could no longer be refused: its successor has it. */
static uint64_t settle_renewal(struct pool *pool, uint64_t now_ms)
{
    uint64_t due_ms = UINT64_MAX;
    for (unsigned i = 0; i < pool->count && pool->phase == POOL_RUNNING; i++) {
        struct pool_slot *slot = pool->slots[i];
        if (slot->state != SLOT_READY || slot->asked != NULL || pool->pending.number != 0 ||
            slot->current->config == pool->conf.number) {
            continue;
        }
        if (now_ms < slot->renew_at_ms) {
            due_ms = earlier(due_ms, slot->renew_at_ms);
            continue;
        }
        slot->wanted = pool->conf.app->store.running.number;
        pool_slot_step(slot, SLOT_ON_REPLACE, NULL, NULL);
    }
    return due_ms;
}

void pool_settle_renewal_failed(struct pool_slot *slot)
{
    if (slot->current != NULL && slot->current->config != slot->pool->conf.number) {
        slot->renew_at_ms =
            clock_monotonic_ms() + backoff_fail(&slot->backoff, 0, (uint32_t)slot->index);
    }
}

/* Until each slot serves for the first time, or has failed to: afterwards nobody need be waited for. */
static bool is_starting(const struct pool *pool)
{
    bool is_starting = false;
    for (unsigned i = 0; i < pool->count && pool->phase == POOL_RUNNING && !pool->was_up; i++) {
        const struct pool_slot *slot = pool->slots[i];
        is_starting = is_starting || (slot->state == SLOT_STARTING && slot->backoff.failures == 0);
    }
    return is_starting;
}

static void settle_names(struct pool *pool)
{
    bool was_starting = pool->proc_setting.is_starting;
    pool->proc_setting.is_starting = is_starting(pool);
    if (was_starting && !pool->proc_setting.is_starting) {
        naming_release(pool->setting.members, pool->name);
    }
}

static void settle(struct pool *pool)
{
    uint64_t now_ms = clock_monotonic_ms();
    settle_slots(pool);
    settle_names(pool);
    fill_from_reserve(pool);
    uint64_t due_ms = settle_reserve(pool, now_ms);
    due_ms = earlier(due_ms, pool_hold_settle(pool, now_ms));
    due_ms = earlier(due_ms, pool_lend(pool, now_ms));
    due_ms = earlier(due_ms, settle_retirement(pool, now_ms));
    due_ms = earlier(due_ms, settle_renewal(pool, now_ms));
    if (due_ms == UINT64_MAX) {
        (void)sd_event_source_set_enabled(pool->due, SD_EVENT_OFF);
        return;
    }
    uint64_t wait_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    (void)sd_event_source_set_time_relative(pool->due, wait_ms * 1000);
    (void)sd_event_source_set_enabled(pool->due, SD_EVENT_ONESHOT);
}

static int on_settle(sd_event_source *source, void *userdata)
{
    (void)source;
    settle(userdata);
    return 0;
}

static int on_due(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    settle(userdata);
    return 0;
}

void pool_touch(struct pool *pool)
{
    (void)sd_event_source_set_enabled(pool->settle, SD_EVENT_ONESHOT); /* can't fail: it exists */
}

int pool_settle_init(struct pool *pool)
{
    int error = sd_event_add_defer(pool->setting.loop, &pool->settle, on_settle, pool);
    if (error >= 0) {
        error = sd_event_source_set_enabled(pool->settle, SD_EVENT_OFF);
    }
    if (error >= 0) {
        error = sd_event_add_time(pool->setting.loop, &pool->due, CLOCK_MONOTONIC, 0,
                                  DUE_ACCURACY_US, on_due, pool);
    }
    return error < 0 ? error : sd_event_source_set_enabled(pool->due, SD_EVENT_OFF);
}
