/* pool.c - one pool of workers: the orders that the daemon gives it.
 * Owns the array of slots and which configuration the pool has.  An order becomes an event of each slot that it concerns
 * (pool_slot.c); what follows for the pool as a whole is put right afterwards (pool_settle.c).
 * Called by master.c, restart.c and deploy.c.  Must not know other pools, or what its news mean for the daemon. */
#include "daemon/pool/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/code/app.h"
#include "daemon/listen/listener.h"
#include "daemon/pool/pool_parts.h"
#include "daemon/proc/handout.h"
#include "daemon/proc/pulse.h"

enum {
    RESERVE_PROCS = 4, /* beside the wanted ones: leaving ones, and the one that answers 503 */
    INTENSITY_AUTO_MIN = 5,
};
_Static_assert(POOL_SLOTS_MAX + CONF_STANDBY_MAX <= CONF_INTENSITY_MAX, "the times have room");

unsigned pool_wanted_standby(const struct pool *pool)
{
    if (pool->conf.own->standby == CONF_STANDBY_AUTO) {
        return pool->count > 1 ? 1 : 0;
    }
    return pool->conf.own->standby;
}

/* All workers that die at once are to come back: one of the reserve may have taken a place before it died, too. */
static uint32_t choose_intensity(const struct pool *pool)
{
    uint32_t workers = pool->count + pool_wanted_standby(pool);
    if (pool->conf.own->intensity != CONF_INTENSITY_AUTO) {
        return pool->conf.own->intensity;
    }
    return workers > INTENSITY_AUTO_MIN ? workers : INTENSITY_AUTO_MIN;
}

/* An operator who scales a pool does not forgive what it has done. */
static void resize_window(struct pool *pool, uint32_t intensity)
{
    uint64_t times[CONF_INTENSITY_MAX];
    struct supervise_window old = pool->window;
    if (old.times != NULL) {
        memcpy(times, pool->window_times, sizeof(times));
        old.times = times;
    }
    supervise_window_init(&pool->window, pool->window_times, intensity, 0);
    supervise_window_copy(&pool->window, &old);
}

/* The parts of the configuration that only the master acts on; what follows the number of workers goes by pool->count. */
void pool_take_settings(struct pool *pool)
{
    const struct conf_pool *own = pool->conf.own;
    pool->proc_setting.boot_ms = own->boot_ms;
    pool->proc_setting.drain_ms = own->drain_ms;
    pool->proc_setting.shutdown_ms = own->shutdown_ms;
    uint32_t intensity = choose_intensity(pool);
    if (pool->window.times == NULL || pool->window.intensity != intensity) {
        resize_window(pool, intensity);
    }
    pool->window.period_ms = own->period_ms;
}

static int make_slots(struct pool *pool, unsigned count)
{
    int error = pool_proc_reserve(pool, (size_t)count * POOL_SLOT_PROCS_MAX + CONF_STANDBY_MAX +
                                            RESERVE_PROCS);
    while (error == 0 && pool->made < count) {
        error = pool_slot_add(pool);
    }
    return error;
}

int pool_init(struct pool *pool, const struct pool_setting *setting, const struct pool_conf *conf,
              unsigned count)
{
    *pool = (struct pool){.setting = *setting, .conf = *conf};
    (void)snprintf(pool->name, sizeof(pool->name), "%s", conf->own->name);
    pool->proc_setting = (struct proc_setting){.loop = setting->loop,
                                               .log = setting->log,
                                               .worker_path = setting->worker_path,
                                               .privilege = setting->privilege,
                                               .pool = pool->name,
                                               .members = setting->members,
                                               .asks = setting->asks,
                                               .access_fd = setting->access_fd};
    int error = pool_settle_init(pool);
    if (error >= 0) {
        error = make_slots(pool, count);
    }
    pool->count = pool->made;
    pool_take_settings(pool);
    return error < 0 ? error : 0;
}

int pool_add_retiring(struct pool *pool, unsigned made)
{
    int error = make_slots(pool, made);
    return error < 0 ? error : 0;
}

void pool_fini(struct pool *pool)
{
    for (size_t i = 0; i < pool->proc_count; i++) {
        proc_fini(&pool->procs[i]->proc);
        free(pool->procs[i]);
    }
    for (unsigned i = 0; i < pool->made; i++) {
        pool_slot_free(pool->slots[i]);
    }
    free(pool->procs);
    pool->settle = sd_event_source_disable_unref(pool->settle);
    pool->due = sd_event_source_disable_unref(pool->due);
    *pool = (struct pool){.count = 0};
}

static void start_slot(struct pool_slot *slot)
{
    enum slot_state state = slot->state;
    if (state == SLOT_EMPTY || state == SLOT_DONE || state == SLOT_LEAVING) {
        slot->wanted = slot->pool->conf.app->store.running.number;
        pool_slot_step(slot, state == SLOT_LEAVING ? SLOT_ON_REPLACE : SLOT_ON_START, NULL, NULL);
    }
}

void pool_start(struct pool *pool)
{
    if (pool->phase == POOL_HELD) {
        pool_release(pool);
        return;
    }
    pool->phase = POOL_RUNNING;
    pool->cause[0] = '\0';
    pool->proc_setting.is_starting = !pool->was_up;
    for (unsigned i = 0; i < pool->count; i++) {
        start_slot(pool->slots[i]);
    }
    pool_touch(pool);
}

void pool_replace(struct pool *pool, unsigned slot, uint64_t generation)
{
    pool->slots[slot]->wanted = generation;
    pool->slots[slot]->withdrawing = NULL;
    pool_hold_mend(pool);
    enum slot_state state = pool->slots[slot]->state;
    bool is_idle = state == SLOT_EMPTY || state == SLOT_LEAVING;
    if (is_idle) {
        pool_slot_tell(pool->slots[slot], POOL_SLOT_READY, NULL, NULL); /* nothing to replace */
        return;
    }
    pool_slot_step(pool->slots[slot], SLOT_ON_REPLACE, NULL, NULL);
}

void pool_refresh(struct pool *pool)
{
    pool->reserve_backoff.failures = 0; /* what failed was the old one */
    pool->is_reserve_failing = false;
    pool->reserve_at_ms = 0;
    pool_touch(pool);
}

static void end_reserve(struct pool *pool, bool now)
{
    for (size_t i = 0; i < pool->proc_count; i++) {
        struct proc *proc = &pool->procs[i]->proc;
        if (proc_is_free(proc) || pool->procs[i]->slot != NULL) {
            continue;
        }
        if (now) {
            proc_kill(proc);
        } else {
            proc_drain(proc, false);
        }
    }
}

static void leave(struct pool *pool, enum pool_phase phase, bool now)
{
    pool->phase = phase;
    pool->was_up = false;
    pool->pending.number = phase == POOL_LEAVING ? 0 : pool->pending.number; /* deploy.c's else */
    if (phase != POOL_SUSPENDED) {
        end_reserve(pool, now);
    }
    for (unsigned i = 0; i < pool->made; i++) {
        pool_slot_step(pool->slots[i], now ? SLOT_ON_KILL : SLOT_ON_STOP, NULL, NULL);
    }
    pool_touch(pool);
}

void pool_suspend(struct pool *pool, const char *cause)
{
    (void)snprintf(pool->cause, sizeof(pool->cause), "%s", cause);
    pool->is_down_told = false;
    leave(pool, POOL_SUSPENDED, false);
}

void pool_drain(struct pool *pool)
{
    (void)snprintf(pool->cause, sizeof(pool->cause), "drained by an operator");
    leave(pool, POOL_DRAINED, false);
}

void pool_stop(struct pool *pool, bool now)
{
    leave(pool, POOL_LEAVING, now);
}

bool pool_is_empty(const struct pool *pool)
{
    for (size_t i = 0; i < pool->proc_count; i++) {
        if (!proc_is_free(&pool->procs[i]->proc)) {
            return false;
        }
    }
    return true;
}

bool pool_is_withdrawn(const struct pool *pool)
{
    for (size_t i = 0; i < pool->proc_count; i++) {
        const struct pool_proc *which = pool->procs[i];
        bool is_over = which->has_withdrawn || which->proc.state == INCARNATION_KILLED;
        if (!proc_is_free(&which->proc) && !is_over) {
            return false;
        }
    }
    return true;
}

unsigned pool_count_serving(const struct pool *pool)
{
    unsigned count = 0;
    for (unsigned i = 0; i < pool->count; i++) {
        count += slot_is_serving(pool->slots[i]->state);
    }
    return count;
}

bool pool_is_serving(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++) {
        enum slot_state state = pool->slots[i]->state;
        if (!slot_is_serving(state) && state != SLOT_DONE) {
            return false;
        }
    }
    return true;
}

bool pool_owns(const struct pool *pool, pid_t pid)
{
    for (size_t i = 0; i < pool->proc_count; i++) {
        const struct proc *proc = &pool->procs[i]->proc;
        if (!proc_is_free(proc) && proc->child.pid == pid) {
            return true;
        }
    }
    return false;
}

/* Only of those who must turn their loop: one that boots has its own limit, one that leaves too.  A loop with nothing to do beats once
 * in an interval, so it may have stood still for that much less. */
void pool_watch(struct pool *pool, uint64_t now_ms)
{
    for (size_t i = 0; i < pool->proc_count; i++) {
        struct proc *proc = &pool->procs[i]->proc;
        if (proc_is_free(proc) ||
            (proc->state != INCARNATION_ACTIVE && proc->state != INCARNATION_LOADED)) {
            continue;
        }
        struct page_numbers numbers;
        page_read(proc->page, &numbers);
        uint64_t since_ms = proc->ready_mono_ms == 0 ? proc->loaded_mono_ms : proc->ready_mono_ms;
        uint64_t age_ms = pulse_age(numbers.heartbeat_ms, since_ms, now_ms);
        if (age_ms > pool->conf.own->heartbeat_ms + PULSE_INTERVAL_MS) {
            proc_hang(proc, age_ms);
        }
    }
}
