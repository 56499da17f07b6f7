/* pool_slot.c - one slot of a pool: wires its life (slot.c) to real processes.
 * Owns the retry timer and what is remembered of the workers that the slot has lost.  News of its processes (pool_slot_news.c), orders
 * and the timer are events; the slot's row says what to do, and that is done here; what follows a loss is decided in pool_loss.c.
 * Called by pool_slot_news.c and pool.c (orders).  Must not know other slots, why a worker is replaced, or what an empty slot
 * means. */
#include "daemon/pool/pool_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "daemon/code/app.h"
#include "daemon/listen/listener.h"
#include "daemon/log/log.h"

enum { RETRY_ACCURACY_US = 1 }; /* sd-event's own choice is 250 ms */

void pool_slot_tell(struct pool_slot *slot, enum pool_news news, const struct proc *proc,
                    const char *why)
{
    slot->pool->setting.on_news(slot->pool, slot->index, news, proc, why);
}

bool pool_slot_is_deserted(const struct pool_slot *slot)
{
    for (size_t i = 0; i < slot->pool->proc_count; i++) {
        const struct pool_proc *which = slot->pool->procs[i];
        if (!proc_is_free(&which->proc) && which->slot == slot) {
            return false;
        }
    }
    return true;
}

void pool_slot_log(const struct pool_slot *slot, enum log_level level, const char *event,
                   const char *message, const struct log_field *fields)
{
    struct log_subject subject = {slot->pool->name, slot->index, 0};
    log_event(slot->pool->setting.log, level, &subject, event, message, fields);
}

void pool_slot_activate(struct pool_slot *slot, struct pool_proc *which)
{
    const struct pool_conf *conf = &slot->pool->conf;
    struct proc_listener listeners[CONF_POOL_LISTENERS_MAX];
    for (size_t i = 0; i < conf->own->listener_count; i++) {
        listeners[i].name = conf->listeners[i]->name;
        listeners[i].fd = listener_get_fd(conf->listeners[i], slot->index);
    }
    struct proc_post post = {slot->index, listeners, conf->own->listener_count};
    proc_activate(&which->proc, &post);
}

void pool_slot_activate_next(struct pool_slot *slot)
{
    if (slot->next != NULL && slot->next->proc.state == INCARNATION_LOADED) {
        pool_slot_activate(slot, slot->next);
    } /* else it was lost, and its loss has been told */
}

/* A worker in reserve is as good as one that has just been booted, and there at once. */
static bool take_standby(struct pool_slot *slot)
{
    struct pool_proc *which = slot->current != NULL || slot->awaits_commit
                                  ? NULL
                                  : pool_proc_find_standby(slot->pool, slot->wanted);
    if (which == NULL) {
        return false;
    }
    slot->awaits_room = false;
    which->slot = slot;
    which->died_us = slot->died_us;
    slot->next = which;
    if (!slot->pool->is_frozen) {
        pool_slot_activate(slot, which);
    }
    return true;
}

/* Whoever leaves has a time limit, so a slot that waits for room is not kept waiting for ever. */
static bool has_room(struct pool_slot *slot)
{
    bool has = pool_proc_has_room(slot);
    if (!has && !slot->awaits_room) {
        pool_slot_log(slot, LOG_LEVEL_NOTICE, "worker.waits",
                      "an older worker has to leave before another one is started", NULL);
    }
    slot->awaits_room = !has;
    return has;
}

static void start_next(struct pool_slot *slot)
{
    struct fsd_err err = {""};
    struct pool_proc *which = NULL;
    if (take_standby(slot) || !has_room(slot)) {
        return;
    }
    bool is_pending =
        slot->awaits_commit && slot->pool->pending.number != 0; /* else it tries code */
    if (pool_proc_start(slot->pool, slot, is_pending ? POOL_KIND_PENDING : POOL_KIND_WORKER, &which,
                        &err) == 0) {
        slot->next = which;
        return;
    }
    (void)snprintf(slot->last_exit, sizeof(slot->last_exit), "%s", err.text);
    pool_proc_tell_unstarted(slot->pool, slot, err.text);
    pool_slot_step(slot, SLOT_ON_NEXT_LOST, NULL, err.text);
}

void pool_slot_use_room(struct pool_slot *slot)
{
    if (slot->awaits_room && pool_proc_has_room(slot)) {
        start_next(slot);
    }
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    struct pool_slot *slot = userdata;
    slot->wanted = slot->pool->conf.app->store.running.number;
    pool_slot_step(slot, SLOT_ON_RETRY, NULL, NULL);
    return 0;
}

void pool_slot_retry_in(struct pool_slot *slot, uint32_t wait_ms)
{
    slot->retry_at_ms = clock_monotonic_ms() + wait_ms;
    (void)sd_event_source_set_time_relative(slot->retry_timer, (uint64_t)wait_ms * 1000);
    (void)sd_event_source_set_enabled(slot->retry_timer, SD_EVENT_ONESHOT);
}

static void stop_retry_timer(struct pool_slot *slot)
{
    (void)sd_event_source_set_enabled(slot->retry_timer, SD_EVENT_OFF); /* can't fail in epoll */
}

static void end_all(struct pool_slot *slot, bool now)
{
    struct pool *pool = slot->pool;
    stop_retry_timer(slot);
    slot->current = NULL;
    slot->next = NULL;
    slot->withdrawing = NULL;
    slot->awaits_commit = false;
    slot->awaits_room = false;
    bool is_last = pool->phase != POOL_RUNNING || slot->index >= pool->count;
    for (size_t i = 0; i < pool->proc_count; i++) {
        struct pool_proc *which = pool->procs[i];
        if (proc_is_free(&which->proc) || which->slot != slot) {
            continue;
        }
        if (now) {
            proc_kill(&which->proc);
        } else {
            proc_drain(&which->proc, is_last && pool->phase != POOL_DRAINED);
        }
    }
    if (pool_slot_is_deserted(slot)) {
        pool_slot_step(slot, SLOT_ON_LAST_GONE, NULL, NULL);
    }
}

/* Both accept from the same socket until the old one has read its order; its answer, or its end, makes the slot ready. */
static void swap(struct pool_slot *slot)
{
    struct pool_proc *old = slot->current;
    slot->current = slot->next;
    slot->next = NULL;
    slot->withdrawing = old;
    proc_drain(&old->proc, old->config != slot->pool->conf.number && slot->pool->empties_queues);
    if (slot->asked == old) { /* whatever it has answered, or would have: it leaves */
        pool_change_ask_successor(slot);
    }
}

/* Was READY told of it?  One that dies before the old one has withdrawn has failed. */
static bool has_served(struct pool_slot *slot, const struct proc *proc)
{
    bool is_withdrawing = slot->withdrawing != NULL;
    slot->withdrawing = NULL;
    return proc != NULL && proc->ready_us != 0 && !is_withdrawing;
}

static void drop_next(struct pool_slot *slot)
{
    struct pool_proc *which = slot->next;
    slot->next = NULL;
    slot->awaits_commit = false;
    slot->awaits_room = false;
    if (which != NULL) {
        proc_kill(&which->proc);
    }
}

static void restart_next(struct pool_slot *slot)
{
    struct pool_proc *which = slot->next;
    slot->next = NULL;
    if (which != NULL) { /* else it was still to be started */
        proc_kill(&which->proc);
    }
    start_next(slot);
}

/* The owner is told last: it may stop everything. */
static void end_current(struct pool_slot *slot, const struct proc *proc, const char *why)
{
    bool was_serving = has_served(slot, proc);
    pool_loss_decide(slot, proc);
    slot->awaits_commit = false;
    pool_slot_tell(slot, was_serving ? POOL_SLOT_DIED : POOL_SLOT_FAILED, proc, why);
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
        restart_next(slot);
        break;
    case SLOT_DROP_NEXT:
        drop_next(slot);
        break;
    case SLOT_DROP_AND_RETRY:
        drop_next(slot);
        pool_slot_retry_in(slot, 0);
        break;
    case SLOT_PROMOTE:
        slot->current = slot->next;
        slot->next = NULL;
        pool_slot_tell(slot, POOL_SLOT_READY, proc, NULL);
        break;
    case SLOT_SWAP:
        swap(slot);
        break;
    case SLOT_DECIDE:
        end_current(slot, proc, why);
        break;
    case SLOT_STOP_WAITING:
        stop_retry_timer(slot);
        break;
    case SLOT_TELL_FAILED:
        slot->awaits_commit = false;
        pool_loss_keep(slot, proc, "the old worker serves on");
        pool_settle_renewal_failed(slot);
        pool_slot_tell(slot, POOL_SLOT_FAILED, proc, why);
        break;
    case SLOT_TELL_DIED:
        pool_loss_note(slot, proc, "its successor was on its way already");
        pool_slot_tell(slot, POOL_SLOT_DIED, proc, why);
        break;
    case SLOT_DRAIN_ALL:
        end_all(slot, false);
        break;
    case SLOT_KILL_ALL:
        end_all(slot, true);
        break;
    case SLOT_TELL_EMPTY:
        pool_slot_tell(slot, POOL_SLOT_EMPTY, NULL, NULL);
        break;
    }
}

/* Since when nobody serves; a slot that is leaving has no such time, though one that is done has: its socket is still there. */
static void note_vacancy(struct pool_slot *slot)
{
    bool is_vacant = slot->state == SLOT_STARTING || slot->state == SLOT_BACKOFF ||
                     slot->state == SLOT_HELD || slot->state == SLOT_DONE;
    if (!is_vacant) {
        slot->vacant_since_ms = 0;
    } else if (slot->vacant_since_ms == 0) {
        slot->vacant_since_ms = clock_monotonic_ms();
    }
}

void pool_slot_step(struct pool_slot *slot, enum slot_event event, const struct proc *proc,
                    const char *why)
{
    const struct slot_row *row = slot_find(slot->state, event);
    if (row == NULL) {
        pool_slot_log(slot, LOG_LEVEL_ERROR, NULL, "impossible event",
                      LOG_FIELDS(log_text("event", slot_event_name(event)),
                                 log_text("state", slot_state_name(slot->state))));
        return;
    }
    slot->state = row->next;
    note_vacancy(slot);
    act(slot, row->action, proc, why);
    pool_touch(slot->pool);
}

int pool_slot_add(struct pool *pool)
{
    struct pool_slot *slot = calloc(1, sizeof(*slot));
    if (slot == NULL) {
        return -ENOMEM;
    }
    slot->pool = pool;
    slot->index = pool->made;
    int error = sd_event_add_time(pool->setting.loop, &slot->retry_timer, CLOCK_MONOTONIC, 0,
                                  RETRY_ACCURACY_US, on_retry, slot);
    if (error >= 0) {
        error = sd_event_source_set_enabled(slot->retry_timer, SD_EVENT_OFF);
    }
    if (error < 0) {
        pool_slot_free(slot);
        return error;
    }
    pool->slots[pool->made++] = slot;
    return 0;
}

void pool_slot_free(struct pool_slot *slot)
{
    if (slot != NULL) {
        slot->retry_timer = sd_event_source_disable_unref(slot->retry_timer);
        free(slot);
    }
}
