/* pool_hold.c - a pool that has given up, or must wait for another one: what its clients meet meanwhile, and how it comes back.
 * Owns the phases HELD and SUSPENDED.  Workers that still serve go on; nobody is restarted.  When nobody is left, a worker without
 * code answers 503 on all sockets.  A held pool is probed every 30 s: one slot gets a worker, and when that has served
 * for a while, everything is started again.
 * Called by pool_loss.c (the pool gives up), pool.c (orders) and pool_settle.c.  Must not know why the pool failed. */
#include "daemon/pool/pool_parts.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "daemon/code/app.h"
#include "daemon/log/log.h"

enum {
    PROBE_MS = 30000,
    PROBE_HEALTHY_MS =
        5000, /* a worker that lives so long is taken as a sign that the cause is gone */
    UNAVAILABLE_RETRY_MS = 1000,
};

static void log_pool(const struct pool *pool, enum log_level level, const char *event,
                     const char *message)
{
    log_event(pool->setting.log, level, LOG_POOL(pool->name), event, message,
              LOG_FIELDS(log_text("cause", pool->cause)));
}

static void begin(struct pool *pool)
{
    pool->phase = POOL_HELD;
    pool->was_up = false;
    pool->probe_at_ms = clock_monotonic_ms() + PROBE_MS;
    pool->probed_at_ms = 0;
    pool->is_mended = false;
    for (unsigned i = 0; i < pool->count; i++) {
        pool_slot_step(pool->slots[i], SLOT_ON_HOLD, NULL, NULL);
    }
    pool_touch(pool);
}

void pool_hold(struct pool *pool, const char *cause)
{
    (void)snprintf(pool->cause, sizeof(pool->cause),
                   "more than %" PRIu32 " restarts in %" PRIu32 " s: %s", pool->window.intensity,
                   pool->conf.own->period_ms / 1000, cause);
    log_pool(pool, LOG_LEVEL_ERROR, "pool.held",
             "pool gives up: it is probed every 30 s, and at `fsdctl reload` and `fsdctl restart`");
    begin(pool);
    pool->setting.on_news(pool, LOG_SLOT_NONE, POOL_GAVE_UP, NULL, pool->cause);
}

void pool_order_hold(struct pool *pool, const char *cause)
{
    (void)snprintf(pool->cause, sizeof(pool->cause), "%s", cause);
    log_pool(pool, LOG_LEVEL_WARNING, "pool.held", "pool is held");
    begin(pool);
}

void pool_release(struct pool *pool)
{
    log_pool(pool, LOG_LEVEL_NOTICE, "pool.released", "pool is no longer held");
    pool->phase = POOL_RUNNING;
    pool->cause[0] = '\0';
    supervise_window_clear(&pool->window);
    for (unsigned i = 0; i < pool->count; i++) {
        struct pool_slot *slot = pool->slots[i];
        slot->backoff.failures = 0;
        if (slot->state == SLOT_HELD) {
            slot->wanted = pool->conf.app->store.running.number;
            pool_slot_step(slot, SLOT_ON_RETRY, NULL, NULL);
        }
    }
    pool_touch(pool);
}

static bool has_server(const struct pool *pool)
{
    return pool_count_serving(pool) > 0;
}

static struct pool_slot *find_held(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++) {
        if (pool->slots[i]->state == SLOT_HELD) {
            return pool->slots[i];
        }
    }
    return NULL;
}

void pool_hold_mend(struct pool *pool)
{
    pool->is_mended = true;
    pool->probed_at_ms = clock_monotonic_ms();
}

/* Since when the probe serves; UINT64_MAX: it does not.  Workers from before say nothing about the cause. */
static uint64_t find_probe(const struct pool *pool)
{
    uint64_t since_ms = UINT64_MAX;
    for (unsigned i = 0; i < pool->count && pool->probed_at_ms != 0; i++) {
        const struct pool_proc *which = pool->slots[i]->current;
        if (which != NULL && which->proc.ready_mono_ms >= pool->probed_at_ms &&
            which->proc.ready_mono_ms < since_ms) {
            since_ms = which->proc.ready_mono_ms;
        }
    }
    return since_ms;
}

static void start_probe(struct pool *pool, uint64_t now_ms)
{
    struct pool_slot *held = find_held(pool);
    pool->probe_at_ms = now_ms + PROBE_MS;
    if (held == NULL) {
        return;
    }
    pool->probed_at_ms = now_ms;
    pool->is_mended = false;
    held->wanted = pool->conf.app->store.running.number;
    log_pool(pool, LOG_LEVEL_NOTICE, "pool.probe", "pool is probed");
    pool_slot_step(held, SLOT_ON_RETRY, NULL, NULL);
}

static uint64_t settle_probe(struct pool *pool, uint64_t now_ms)
{
    uint64_t since_ms = find_probe(pool);
    bool is_healthy = since_ms != UINT64_MAX && now_ms >= since_ms + PROBE_HEALTHY_MS;
    if (is_healthy || (pool->is_mended && pool_is_serving(pool))) {
        pool_release(pool);
        return UINT64_MAX;
    }
    if (now_ms >= pool->probe_at_ms) {
        start_probe(pool, now_ms);
    }
    bool is_first = since_ms != UINT64_MAX && since_ms + PROBE_HEALTHY_MS < pool->probe_at_ms;
    return is_first ? since_ms + PROBE_HEALTHY_MS : pool->probe_at_ms;
}

/* Of workers that are not restarted the last one has ended. */
static bool is_done(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++) {
        if (pool->slots[i]->state != SLOT_DONE) {
            return false;
        }
    }
    return pool->phase == POOL_RUNNING;
}

static bool needs_503(const struct pool *pool)
{
    bool is_out = pool->phase == POOL_HELD || pool->phase == POOL_SUSPENDED || is_done(pool);
    return is_out && pool->conf.own->listener_count > 0 && !has_server(pool);
}

static void activate_503(struct pool *pool)
{
    struct pool_proc *which = pool->unavailable;
    if (which->proc.state == INCARNATION_LOADED) {
        struct proc_post post = {0, NULL, 0}; /* it gets its sockets as a borrower */
        proc_activate(&which->proc, &post);
    }
}

static uint64_t settle_503(struct pool *pool, uint64_t now_ms)
{
    if (!needs_503(pool)) {
        struct pool_proc *which = pool->unavailable;
        if (which != NULL) {
            pool->unavailable = NULL;
            pool_lend_forget(pool, which);
            proc_drain(&which->proc, false);
        }
        return UINT64_MAX;
    }
    if (pool->unavailable != NULL) {
        activate_503(pool);
        return UINT64_MAX;
    }
    if (now_ms < pool->unavailable_at_ms) {
        return pool->unavailable_at_ms;
    }
    struct fsd_err err = {""};
    if (pool_proc_start(pool, NULL, POOL_KIND_UNAVAILABLE, &pool->unavailable, &err) < 0) {
        pool_proc_tell_unstarted(pool, NULL, err.text);
        pool->unavailable_at_ms = now_ms + UNAVAILABLE_RETRY_MS;
        return pool->unavailable_at_ms;
    }
    return UINT64_MAX;
}

uint64_t pool_hold_settle(struct pool *pool, uint64_t now_ms)
{
    uint64_t probe_ms = pool->phase == POOL_HELD ? settle_probe(pool, now_ms) : UINT64_MAX;
    uint64_t due_ms = settle_503(pool, now_ms);
    return probe_ms < due_ms ? probe_ms : due_ms;
}
