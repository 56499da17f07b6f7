/* pool_proc.c - the processes of a pool: where they are kept, how one is started, to whom its news go.
 * Owns the memory of the procs, which is made with the slots, so that nothing is allocated when a worker has died.  A process plays a
 * part in a slot, waits in reserve, or answers 503 for a pool that is held; its news go to the file that knows the part.
 * Called by pool_slot.c, pool_settle.c and pool_hold.c.  Must not decide when a process is needed. */
#include "daemon/pool/pool_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "daemon/code/app.h"
#include "daemon/log/log.h"
#include "daemon/owner.h"
#include "daemon/proc/handout.h"

enum { RETRY_AFTER_S = 30 }; /* as long as a held pool waits for its next probe */

int pool_proc_reserve(struct pool *pool, size_t count)
{
    if (count <= pool->proc_count) {
        return 0;
    }
    struct pool_proc **procs = reallocarray(pool->procs, count, sizeof(struct pool_proc *));
    if (procs == NULL) {
        return -ENOMEM;
    }
    pool->procs = procs;
    while (pool->proc_count < count) {
        struct pool_proc *which = calloc(1, sizeof(*which));
        if (which == NULL) {
            return -ENOMEM;
        }
        pool->procs[pool->proc_count++] = which;
    }
    return 0;
}

static struct pool_proc *find_free(const struct pool *pool)
{
    for (size_t i = 0; i < pool->proc_count; i++) {
        if (proc_is_free(&pool->procs[i]->proc)) {
            return pool->procs[i];
        }
    }
    return NULL;
}

static unsigned count_of_slot(const struct pool_slot *slot)
{
    unsigned count = 0;
    for (size_t i = 0; i < slot->pool->proc_count; i++) {
        const struct pool_proc *which = slot->pool->procs[i];
        count += !proc_is_free(&which->proc) && which->slot == slot;
    }
    return count;
}

bool pool_proc_has_room(const struct pool_slot *slot)
{
    return count_of_slot(slot) < POOL_SLOT_PROCS_MAX && find_free(slot->pool) != NULL;
}

bool pool_proc_is_standby(const struct pool_proc *which)
{
    return !proc_is_free(&which->proc) && which->slot == NULL && which != which->pool->unavailable;
}

struct pool_proc *pool_proc_find_standby(const struct pool *pool, uint64_t generation)
{
    for (size_t i = 0; i < pool->proc_count; i++) {
        struct pool_proc *which = pool->procs[i];
        if (pool_proc_is_standby(which) && which->proc.state == INCARNATION_LOADED &&
            which->proc.generation == generation && which->config == pool->conf.number) {
            return which;
        }
    }
    return NULL;
}

/* A worker that was lost while nothing depended on it yet. */
static void on_reserve_lost(struct pool *pool, const struct pool_proc *which)
{
    uint64_t now_ms = clock_monotonic_ms();
    uint64_t loaded_ms = which->proc.loaded_mono_ms;
    uint64_t healthy_ms = loaded_ms == 0 ? 0 : now_ms - loaded_ms;
    uint32_t random = (uint32_t)which->proc.number;
    if (which == pool->unavailable) {
        pool->unavailable_at_ms =
            now_ms + backoff_fail(&pool->unavailable_backoff, healthy_ms, random);
        pool_lend_forget(pool, which);
        pool->unavailable = NULL;
    } else {
        pool->is_reserve_failing = true;
        pool->reserve_at_ms = now_ms + backoff_fail(&pool->reserve_backoff, healthy_ms, random);
    }
}

static void on_reserve_news(struct pool_proc *which, enum proc_news news)
{
    struct pool *pool = which->pool;
    switch (news) {
    case PROC_LOST:
        (void)snprintf(which->next, sizeof(which->next), "another one is started");
        on_reserve_lost(pool, which);
        break;
    case PROC_LOADED:
        pool->is_reserve_failing = pool->is_reserve_failing && which == pool->unavailable;
        break;
    case PROC_LEAVE: /* only the one that answers 503 says so here; it is of use as long as it is needed */
    case PROC_READY:
    case PROC_WITHDRAWN:
    case PROC_PREPARED:
    case PROC_REJECTED:
    case PROC_COMMITTED:
    case PROC_GONE:
        break;
    }
}

/* The last that is heard of a process. */
static void on_gone(struct pool_proc *which)
{
    struct pool *pool = which->pool;
    unsigned slot = which->slot == NULL ? LOG_SLOT_NONE : which->slot->index;
    if (which == pool->unavailable) {
        pool->unavailable = NULL;
    }
    pool_lend_forget(pool, which);
    const char *next = which->next[0] == '\0' && which->proc.was_told
                           ? "nothing: it had been told to leave"
                           : which->next;
    pool->setting.on_news(pool, slot, POOL_PROC_ENDED, &which->proc, next);
    proc_fini(&which->proc);
    which->slot = NULL;
    pool->setting.on_news(pool, slot, POOL_REAPED, NULL, NULL);
}

/* News of a process whatever part it plays; the slot has heard them already. */
static void tell(const struct pool_proc *which, enum pool_news news)
{
    unsigned slot = which->slot == NULL ? LOG_SLOT_NONE : which->slot->index;
    which->pool->setting.on_news(which->pool, slot, news, &which->proc, which->proc.why.text);
}

/* Answers to a change of code (pool_code.c) are nothing in the life of a slot. */
static bool is_about_code(const struct pool_proc *which, enum proc_news news)
{
    bool is_answer = news == PROC_PREPARED || news == PROC_REJECTED || news == PROC_COMMITTED;
    return is_answer && which->proc.change_generation != 0;
}

static void on_news(struct proc *proc, enum proc_news news)
{
    struct pool_proc *which = OWNER_OF(proc, struct pool_proc, proc);
    struct pool *pool = which->pool;
    struct pool_slot *slot = which->slot;
    if (news == PROC_WITHDRAWN) {
        which->has_withdrawn = true;
        pool->setting.on_news(pool, LOG_SLOT_NONE, POOL_WITHDRAWN, proc, NULL);
    }
    if (news == PROC_GONE) {
        struct page_numbers numbers;
        page_read(proc->page, &numbers);
        if (numbers.log_lost > 0) { /* it did not live to say so itself */
            log_count_lost(pool->setting.log, &proc->subject, numbers.log_lost);
        }
        if (slot != NULL) {
            slot->requests_total += numbers.requests;
            pool_slot_on_news(slot, which, news);
        }
        on_gone(which);
        if (slot != NULL && pool_slot_is_deserted(slot)) {
            pool_slot_step(slot, SLOT_ON_LAST_GONE, NULL, NULL);
        }
    } else if (is_about_code(which, news)) {
        tell(which, news == PROC_PREPARED   ? POOL_CODE_PREPARED
                    : news == PROC_REJECTED ? POOL_CODE_REJECTED
                                            : POOL_CODE_COMMITTED);
    } else if (slot != NULL) {
        pool_slot_on_news(slot, which, news);
    } else {
        on_reserve_news(which, news);
    }
    if (news == PROC_LOST) {
        tell(which, POOL_PROC_LOST);
    }
    pool_touch(pool);
}

/* The code that a worker is to have; NULL: none, it answers 503. */
static const struct bundle *find_bundle(const struct pool_conf *conf, const struct pool_slot *slot,
                                        enum pool_kind kind)
{
    const struct bundle_store *store = &conf->app->store;
    switch (kind) {
    case POOL_KIND_UNAVAILABLE:
        return NULL;
    case POOL_KIND_PENDING: /* an app that is new has no running code yet */
        return store->candidate.number != 0 ? &store->candidate : &store->running;
    case POOL_KIND_WORKER:
        break;
    }
    return slot != NULL && slot->wanted == store->candidate.number ? &store->candidate
                                                                   : &store->running;
}

int pool_proc_start(struct pool *pool, struct pool_slot *slot, enum pool_kind kind,
                    struct pool_proc **ret_which, struct fsd_err *err)
{
    struct pool_proc *which = find_free(pool);
    if (which == NULL) {
        return fsd_err_set(err, EBUSY, "older workers have not left yet");
    }
    const struct pool_conf *conf = kind == POOL_KIND_PENDING ? &pool->pending : &pool->conf;
    const struct bundle *bundle = find_bundle(conf, slot, kind);
    int config_fd =
        handout_create(conf->whole, conf->own, conf->number,
                       kind == POOL_KIND_PENDING ? pool->pending_count : pool->count, err);
    if (config_fd < 0) {
        return config_fd;
    }
    struct proc_order order = {.slot = slot == NULL ? LOG_SLOT_NONE : slot->index,
                               .number = ++*pool->setting.incarnations,
                               .generation = bundle == NULL ? 0 : bundle->number,
                               .bundle_fd = bundle == NULL ? -1 : bundle->fd,
                               .retry_after_s = RETRY_AFTER_S,
                               .config_fd = config_fd,
                               .set = conf->shared};
    int error = proc_start(&which->proc, &pool->proc_setting, &order, on_news, err);
    if (error == 0) {
        which->pool = pool;
        which->slot = slot;
        which->config = conf->number;
        which->died_us = slot != NULL && slot->current == NULL ? slot->died_us : 0;
        which->next[0] = '\0';
        which->has_withdrawn = false;
        *ret_which = which;
        pool->is_start_failing = false;
    }
    return error;
}

int pool_proc_inherit(struct pool *pool, const struct pool_proc *seed, struct pool_proc **ret_which,
                      struct fsd_err *err)
{
    struct pool_proc *which = find_free(pool);
    if (which == NULL) {
        return fsd_err_set(err, ENOMEM, "pool \"%s\" has no room for its processes", pool->name);
    }
    *which = *seed;
    which->pool = pool;
    *ret_which = which;
    return proc_inherit(&which->proc, &pool->proc_setting, on_news, err);
}

void pool_proc_tell_unstarted(struct pool *pool, const struct pool_slot *slot, const char *why)
{
    struct log_subject subject = {pool->name, slot == NULL ? LOG_SLOT_NONE : slot->index, 0};
    char message[FSD_ERR_MAX + 64];
    (void)snprintf(message, sizeof(message), "cannot start a worker, and tries again: %s", why);
    log_event(pool->setting.log, pool->is_start_failing ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR,
              &subject, "worker.start_failed", message, NULL);
    pool->is_start_failing = true;
}
