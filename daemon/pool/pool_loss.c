/* pool_loss.c - what follows when a slot has lost its worker.
 * Owns the decision, in this order: the pool's `restart` says that nothing follows; the pool is held; it gives up now, because
 * there were more than `intensity` restarts within `period`; the worker in reserve takes the place, if the one that was lost
 * had done good work (a worker that can't even start must not use up the reserve); or a new one is started, at once or after
 * the wait of backoff.c. That the machine has no process, memory or descriptor for one says nothing about the pool: it is tried
 * again until it has.
 * Called by pool_slot.c.  Must not know how a worker is started. */
#include "daemon/pool/pool_parts.h"

#include <stdio.h>
#include <sys/random.h>

#include "common/clock.h"
#include "daemon/code/app.h"
#include "daemon/log/log.h"

enum {
    PROVED_MS = 1000
}; /* who has served so long, or answered a request, was no failure of the start */

void pool_loss_keep(const struct pool_slot *slot, const struct proc *proc, const char *words)
{
    for (size_t i = 0; i < slot->pool->proc_count; i++) {
        struct pool_proc *which = slot->pool->procs[i];
        if (&which->proc == proc) {
            (void)snprintf(which->next, sizeof(which->next), "%s", words);
        }
    }
}

static uint32_t choose_random(const struct pool_slot *slot)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
        random = (uint32_t)slot->index; /* early boot; it only keeps slots from moving in step */
    }
    return random;
}

static uint64_t measure_health_ms(const struct proc *proc, uint64_t now_ms)
{
    return proc == NULL || proc->ready_mono_ms == 0 ? 0 : now_ms - proc->ready_mono_ms;
}

static bool has_proved(const struct proc *proc, uint64_t healthy_ms)
{
    struct page_numbers numbers = {0};
    if (proc != NULL && proc->ready_mono_ms != 0) {
        page_read(proc->page, &numbers);
    }
    return numbers.requests > 0 || healthy_ms >= PROVED_MS;
}

static void wait_and_retry(struct pool_slot *slot, const struct proc *proc)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t healthy_ms = measure_health_ms(proc, now_ms);
    uint32_t wait_ms = backoff_fail(&slot->backoff, healthy_ms, choose_random(slot));
    slot->had_proved = has_proved(proc, healthy_ms);
    if (slot->had_proved && pool_proc_find_standby(slot->pool, slot->wanted) != NULL) {
        pool_loss_keep(slot, proc, "the worker in reserve took its place");
        pool_slot_step(slot, SLOT_ON_RETRY, NULL, NULL);
        return;
    }
    pool_slot_retry_in(slot, wait_ms);
    char words[64] = "its place is taken at once";
    if (wait_ms > 0) {
        (void)snprintf(words, sizeof(words), "another one is started in %u ms", wait_ms);
        /* of what could not be started an alarm has told */
        pool_slot_log(slot, proc == NULL ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARNING, "worker.backoff",
                      "worker keeps failing, its restart waits",
                      LOG_FIELDS(log_int("retry_in_ms", wait_ms),
                                 log_int("failures", slot->backoff.failures)));
    }
    pool_loss_keep(slot, proc, words);
}

/* OTP's rule: a normal end is one that was not a failure. */
static bool must_restart(const struct pool_slot *slot, const struct proc *proc)
{
    switch (slot->pool->conf.own->restart) {
    case SUPERVISE_PERMANENT:
        return true;
    case SUPERVISE_TRANSIENT:
        return proc == NULL || proc->state != INCARNATION_GONE || proc->cause.is_signal ||
               proc->cause.value != 0;
    case SUPERVISE_TEMPORARY:
        return false;
    }
    return true;
}

void pool_loss_note(struct pool_slot *slot, const struct proc *proc, const char *next)
{
    slot->died_us = clock_wall_us();
    slot->restarts++;
    if (next != NULL) {
        pool_loss_keep(slot, proc, next);
    }
}

void pool_loss_decide(struct pool_slot *slot, const struct proc *proc)
{
    struct pool *pool = slot->pool;
    slot->wanted = pool->conf.app->store.running.number;
    pool_loss_note(slot, proc, NULL);
    if (!must_restart(slot, proc)) {
        pool_loss_keep(slot, proc, "it is not restarted: the pool's `restart` says so");
        pool_slot_log(slot, LOG_LEVEL_NOTICE, "worker.done",
                      "worker has ended and is not restarted", NULL);
        pool_slot_step(slot, SLOT_ON_FINISH, NULL, NULL);
    } else if (pool->phase == POOL_HELD) {
        pool_loss_keep(slot, proc, "the pool stays held");
        pool_slot_step(slot, SLOT_ON_HOLD, NULL, NULL);
    } else if (
        slot->awaits_commit) { /* the change is dropped, and says why: no failure of what runs */
        pool_loss_keep(slot, proc, "the change of configuration is dropped");
        pool_slot_retry_in(slot, BACKOFF_FIRST_MS);
    } else if (proc != NULL && supervise_window_add(&pool->window, clock_monotonic_ms())) {
        pool_loss_keep(slot, proc, "the pool is held: too many restarts");
        pool_hold(pool, slot->last_exit);
    } else {
        wait_and_retry(slot, proc);
    }
}
