/* pool.c - the slots of one pool: wires the life of a slot (slot.c) to real processes (proc.c).
 * Owns the procs, the retry timers and the totals of incarnations that are gone.  News of a process become events of its
 * slot according to the part that it plays there: current, next, or a leaver, whose news no longer matter; the slot's row
 * says what to do.  The owner (master.c) hears which slot became ready, failed, died or ran empty.
 * Must not know other pools, why a worker is replaced, or what an empty pool means for the daemon. */
#include "daemon/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/clock.h"
#include "daemon/listener.h"
#include "daemon/log/log.h"
#include "daemon/owner.h"
#include "daemon/proc/handout.h"

enum { RETRY_ACCURACY_US = 1 }; /* sd-event's own choice is 250 ms */

static void step(struct pool_slot *slot, enum slot_event event, const struct proc *proc,
                 const char *why);

static void tell(struct pool_slot *slot, enum pool_news news, const struct proc *proc,
                 const char *why)
{
    slot->pool->setting.on_news(slot->pool, slot->index, news, proc, why);
}

static struct pool_proc *find_free(struct pool_slot *slot)
{
    for (size_t i = 0; i < POOL_PROCS_MAX; i++) {
        if (proc_is_free(&slot->procs[i].proc)) {
            return &slot->procs[i];
        }
    }
    return NULL;
}

static bool is_deserted(const struct pool_slot *slot)
{
    for (size_t i = 0; i < POOL_PROCS_MAX; i++) {
        if (!proc_is_free(&slot->procs[i].proc)) {
            return false;
        }
    }
    return true;
}

/* The old worker accepts nothing more: from now on every new connection meets the new code. */
static void end_withdrawal(struct pool_slot *slot, const struct pool_proc *which)
{
    if (slot->withdrawing == which) {
        slot->withdrawing = NULL;
        tell(slot, POOL_SLOT_READY, &slot->current->proc, NULL);
    }
}

static void on_proc_lost(struct pool_slot *slot, const struct pool_proc *which)
{
    const struct proc *proc = &which->proc;
    (void)snprintf(slot->last_exit, sizeof(slot->last_exit), "%s", proc->why.text);
    if (which == slot->next) {
        slot->next = NULL;
        step(slot, SLOT_ON_NEXT_LOST, proc, proc->why.text);
    } else if (which == slot->current) {
        slot->current = NULL;
        step(slot, SLOT_ON_CURRENT_LOST, proc, proc->why.text);
    }
}

static void on_proc_gone(struct pool_slot *slot, struct pool_proc *which)
{
    struct page_numbers numbers;
    page_read(which->proc.page, &numbers);
    slot->requests_total += numbers.requests;
    if (numbers.log_lost > 0) { /* it did not live to say so itself */
        log_count_lost(slot->pool->setting.log, &which->proc.subject, numbers.log_lost);
    }
    if (which->proc.failure == PROC_FAILURE_NONE) {
        char words[CAUSE_TEXT_MAX];
        cause_format(&which->proc.cause, which->proc.was_told, words);
        (void)snprintf(slot->last_exit, sizeof(slot->last_exit), "%s", words);
    }
    proc_fini(&which->proc);
    tell(slot, POOL_REAPED, NULL, NULL);
    end_withdrawal(slot, which);
    if (is_deserted(slot)) {
        step(slot, SLOT_ON_LAST_GONE, NULL, NULL);
    }
}

static void on_proc_news(struct proc *proc, enum proc_news news)
{
    struct pool_proc *which = OWNER_OF(proc, struct pool_proc, proc);
    switch (news) {
    case PROC_READY:
        step(which->slot, SLOT_ON_NEXT_READY, proc, NULL);
        break;
    case PROC_WITHDRAWN:
        end_withdrawal(which->slot, which);
        break;
    case PROC_LOST:
        on_proc_lost(which->slot, which);
        break;
    case PROC_GONE:
        on_proc_gone(which->slot, which);
        break;
    }
}

static int start_proc(struct pool_slot *slot, struct pool_proc *which, struct fsd_err *err)
{
    const struct pool *pool = slot->pool;
    const struct bundle_store *store = pool->setting.store;
    const struct bundle *bundle =
        slot->wanted == store->candidate.number ? &store->candidate : &store->running;
    int config_fd = handout_create(pool->setting.conf, pool->conf, 1, pool->count, err);
    if (config_fd < 0) {
        return config_fd;
    }
    struct proc_order order = {.slot = slot->index,
                               .number = ++*pool->setting.incarnations,
                               .generation = bundle->number,
                               .bundle_fd = bundle->fd,
                               .config_fd = config_fd,
                               .listeners = slot->listeners,
                               .listener_count = pool->conf->listener_count};
    which->slot = slot;
    which->died_us = slot->current == NULL ? slot->died_us : 0;
    return proc_start(&which->proc, &pool->proc_setting, &order, on_proc_news, err);
}

static void start_next(struct pool_slot *slot)
{
    struct fsd_err err = {"older workers of the slot have not left yet"};
    struct pool_proc *which = find_free(slot);
    int error = which == NULL ? -EBUSY : start_proc(slot, which, &err);
    if (error == 0) {
        slot->next = which;
        return;
    }
    struct log_subject subject = {slot->pool->conf->name, slot->index, 0};
    char message[FSD_ERR_MAX + 32];
    (void)snprintf(message, sizeof(message), "cannot start a worker: %s", err.text);
    log_write(slot->pool->setting.log, LOG_LEVEL_ERROR, &subject, message, NULL);
    step(slot, SLOT_ON_NEXT_LOST, NULL, err.text);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    struct pool_slot *slot = userdata;
    slot->wanted = slot->pool->setting.store->running.number;
    step(slot, SLOT_ON_RETRY, NULL, NULL);
    return 0;
}

static void stop_retry_timer(struct pool_slot *slot)
{
    (void)sd_event_source_set_enabled(slot->retry_timer, SD_EVENT_OFF); /* can't fail in epoll */
}

static void note_loss(struct pool_slot *slot)
{
    slot->died_us = clock_wall_us();
    slot->restarts++;
}

static void wait_and_retry(struct pool_slot *slot, const struct proc *proc)
{
    uint32_t random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random)) {
        random = (uint32_t)slot->index; /* early boot; it only keeps slots from moving in step */
    }
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t healthy_ms =
        proc == NULL || proc->ready_mono_ms == 0 ? 0 : now_ms - proc->ready_mono_ms;
    uint32_t wait_ms = backoff_fail(&slot->backoff, healthy_ms, random);
    note_loss(slot);
    slot->retry_at_ms = now_ms + wait_ms;
    (void)sd_event_source_set_time_relative(slot->retry_timer, (uint64_t)wait_ms * 1000);
    (void)sd_event_source_set_enabled(slot->retry_timer, SD_EVENT_ONESHOT);
    if (wait_ms > 0) {
        struct log_subject subject = {slot->pool->conf->name, slot->index, 0};
        log_write(slot->pool->setting.log, LOG_LEVEL_WARNING, &subject,
                  "worker keeps failing, its restart waits",
                  LOG_FIELDS(log_int("retry_in_ms", wait_ms),
                             log_int("failures", slot->backoff.failures)));
    }
}

static void end_all(struct pool_slot *slot, void (*end)(struct proc *proc))
{
    stop_retry_timer(slot);
    slot->current = NULL;
    slot->next = NULL;
    slot->withdrawing = NULL;
    for (size_t i = 0; i < POOL_PROCS_MAX; i++) {
        if (!proc_is_free(&slot->procs[i].proc)) {
            end(&slot->procs[i].proc);
        }
    }
    if (is_deserted(slot)) {
        step(slot, SLOT_ON_LAST_GONE, NULL, NULL);
    }
}

/* Both accept from the same socket until the old one has read its order; its answer, or its end, makes the slot ready. */
static void swap(struct pool_slot *slot)
{
    struct pool_proc *old = slot->current;
    slot->current = slot->next;
    slot->next = NULL;
    slot->withdrawing = old;
    proc_drain(&old->proc);
}

/* Was READY told of it?  One that dies before the old one has withdrawn has failed. */
static bool has_served(struct pool_slot *slot, const struct proc *proc)
{
    bool is_withdrawing = slot->withdrawing != NULL;
    slot->withdrawing = NULL;
    return proc != NULL && proc->ready_us != 0 && !is_withdrawing;
}

static void act(struct pool_slot *slot, enum slot_action action, const struct proc *proc,
                const char *why)
{
    switch (action) {
    case SLOT_DO_NOTHING:
        break;
    case SLOT_START_NEXT:
        stop_retry_timer(slot);
        start_next(slot);
        break;
    case SLOT_RESTART_NEXT:
        proc_kill(&slot->next->proc);
        slot->next = NULL;
        start_next(slot);
        break;
    case SLOT_PROMOTE:
        slot->current = slot->next;
        slot->next = NULL;
        tell(slot, POOL_SLOT_READY, proc, NULL);
        break;
    case SLOT_SWAP:
        swap(slot);
        break;
    case SLOT_WAIT:
        wait_and_retry(slot, proc);
        tell(slot, has_served(slot, proc) ? POOL_SLOT_DIED : POOL_SLOT_FAILED, proc, why);
        break;
    case SLOT_TELL_FAILED:
        tell(slot, POOL_SLOT_FAILED, proc, why);
        break;
    case SLOT_TELL_DIED:
        note_loss(slot);
        tell(slot, POOL_SLOT_DIED, proc, why);
        break;
    case SLOT_DRAIN_ALL:
        end_all(slot, proc_drain);
        break;
    case SLOT_KILL_ALL:
        end_all(slot, proc_kill);
        break;
    case SLOT_TELL_EMPTY:
        tell(slot, POOL_SLOT_EMPTY, NULL, NULL);
        break;
    }
}

/* proc and why: whom it is about, for the owner; either may be NULL. */
static void step(struct pool_slot *slot, enum slot_event event, const struct proc *proc,
                 const char *why)
{
    const struct slot_row *row = slot_find(slot->state, event);
    if (row == NULL) {
        struct log_subject subject = {slot->pool->conf->name, slot->index, 0};
        log_write(slot->pool->setting.log, LOG_LEVEL_ERROR, &subject, "impossible event",
                  LOG_FIELDS(log_text("event", slot_event_name(event)),
                             log_text("state", slot_state_name(slot->state))));
        return;
    }
    slot->state = row->next;
    act(slot, row->action, proc, why);
}

static int init_slot(struct pool *pool, unsigned index)
{
    struct pool_slot *slot = &pool->slots[index];
    slot->pool = pool;
    slot->index = index;
    for (size_t i = 0; i < pool->conf->listener_count; i++) {
        size_t which = pool->conf->listeners[i];
        slot->listeners[i].name = pool->setting.conf->listeners[which].name;
        slot->listeners[i].fd = listener_get_fd(&pool->setting.listeners[which], index);
    }
    int error = sd_event_add_time(pool->setting.loop, &slot->retry_timer, CLOCK_MONOTONIC, 0,
                                  RETRY_ACCURACY_US, on_retry, slot);
    return error < 0 ? error : sd_event_source_set_enabled(slot->retry_timer, SD_EVENT_OFF);
}

int pool_init(struct pool *pool, const struct conf_pool *conf, unsigned count,
              const struct pool_setting *setting)
{
    *pool = (struct pool){.setting = *setting,
                          .proc_setting = {setting->loop, setting->log, setting->worker_path,
                                           conf->name, conf->boot_ms, conf->drain_ms,
                                           conf->shutdown_ms},
                          .conf = conf,
                          .slots = calloc(count, sizeof(*pool->slots))};
    if (pool->slots == NULL) {
        return -ENOMEM;
    }
    pool->count = count;
    for (unsigned i = 0; i < count; i++) {
        int error = init_slot(pool, i);
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

void pool_fini(struct pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++) {
        struct pool_slot *slot = &pool->slots[i];
        slot->retry_timer = sd_event_source_disable_unref(slot->retry_timer);
        for (size_t j = 0; j < POOL_PROCS_MAX; j++) {
            proc_fini(&slot->procs[j].proc);
        }
    }
    free(pool->slots);
    *pool = (struct pool){.count = 0};
}

void pool_start(struct pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++) {
        pool->slots[i].wanted = pool->setting.store->running.number;
        step(&pool->slots[i], SLOT_ON_START, NULL, NULL);
    }
}

void pool_replace(struct pool *pool, unsigned slot, uint64_t generation)
{
    pool->slots[slot].wanted = generation;
    pool->slots[slot].withdrawing = NULL;
    step(&pool->slots[slot], SLOT_ON_REPLACE, NULL, NULL);
}

void pool_stop(struct pool *pool, bool now)
{
    for (unsigned i = 0; i < pool->count; i++) {
        step(&pool->slots[i], now ? SLOT_ON_KILL : SLOT_ON_STOP, NULL, NULL);
    }
}

bool pool_is_empty(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++) {
        if (!is_deserted(&pool->slots[i])) {
            return false;
        }
    }
    return true;
}

bool pool_is_serving(const struct pool *pool)
{
    for (unsigned i = 0; i < pool->count; i++) {
        if (!slot_is_serving(pool->slots[i].state)) {
            return false;
        }
    }
    return true;
}

bool pool_owns(const struct pool *pool, pid_t pid)
{
    for (unsigned i = 0; i < pool->count; i++) {
        for (size_t j = 0; j < POOL_PROCS_MAX; j++) {
            const struct proc *proc = &pool->slots[i].procs[j].proc;
            if (!proc_is_free(proc) && proc->child.pid == pid) {
                return true;
            }
        }
    }
    return false;
}
