/* reload.c - drives the one reload that may run: new bundles, then a rolling restart, then the answer.
 * Owns the call that waits and the reason of the first failure.  rolling.c says which slot is next; here the slots of all pools
 * are counted through, orders become calls of pool.c and loader.c, and their news become events.  The new generations
 * become the running ones only when every slot has moved; otherwise nothing has changed in the end.
 * Called by methods.c and for SIGHUP (start), and by master.c with all news.  Must not know how a slot replaces its worker. */
#include "daemon/reload.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/proto.h"
#include "daemon/control/control.h"
#include "daemon/log/log.h"
#include "daemon/log/text.h"
#include "daemon/owner.h"
#include "daemon/state.h"

static void feed(struct master *master, enum rolling_event event, size_t slot);

static size_t count_slots(const struct master *master)
{
    size_t count = 0;
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        count += master->pools[i].count;
    }
    return count;
}

/* Slots are counted over all pools, in their order. */
static size_t number_of(const struct master *master, const struct pool *pool, unsigned slot)
{
    size_t number = slot;
    for (const struct pool *before = master->pools; before < pool; before++) {
        number += before->count;
    }
    return number;
}

static struct pool *find_pool(const struct master *master, size_t number, unsigned *ret_slot)
{
    struct pool *pool = master->pools;
    while (number >= pool->count) {
        number -= pool->count;
        pool++;
    }
    *ret_slot = (unsigned)number;
    return pool;
}

static void keep_reason(struct reload *reload, const char *why)
{
    if (reload->why[0] == '\0') {
        (void)text_clean(reload->why, sizeof(reload->why), why, strlen(why));
    }
}

static unsigned count_workers(const struct master *master, size_t app)
{
    unsigned count = 0;
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        count += master->conf->pools[i].app == app ? master->pools[i].count : 0;
    }
    return count;
}

/* Must be called before the candidates are committed. */
static json_t *describe(const struct master *master)
{
    json_t *apps = json_array();
    for (size_t i = 0; i < master->conf->app_count; i++) {
        const struct bundle_store *store = &master->apps[i].store;
        (void)json_array_append_new(apps, json_pack("{s:s, s:I, s:I, s:i}", "app",
                                                    master->conf->apps[i].name, "from",
                                                    (json_int_t)store->running.number, "to",
                                                    (json_int_t)store->candidate.number, "workers",
                                                    (int)count_workers(master, i)));
    }
    json_t *result =
        json_pack("{s:s, s:o, s:b}", "schema", "fsd.reload/1", "apps", apps, "restart", 1);
    if (!master->reload.is_restart) {
        (void)json_object_set_new(
            result, "note",
            json_string("in-place reload is not available yet; did a rolling restart"));
    }
    return result;
}

static void answer(struct reload *reload, json_t *result)
{
    struct control_call *call = reload->call;
    reload->call = NULL;
    if (call == NULL) {
        json_decref(result);
    } else if (result == NULL) {
        control_fail(call, CONTROL_FAILED, reload->why);
    } else {
        control_answer(call, result);
    }
}

static void commit(struct master *master)
{
    json_t *result = describe(master);
    for (size_t i = 0; i < master->conf->app_count; i++) {
        struct bundle_store *store = &master->apps[i].store;
        bundle_store_commit(store);
        log_write(&master->log, LOG_LEVEL_NOTICE, NULL, "reload is done",
                  LOG_FIELDS(log_text("app", master->conf->apps[i].name),
                             log_int("generation", (int64_t)store->running.number)));
    }
    answer(&master->reload, result);
}

static void abort_reload(struct master *master)
{
    struct reload *reload = &master->reload;
    for (size_t i = 0; i < master->conf->app_count; i++) {
        bundle_store_abort(&master->apps[i].store);
    }
    char message[RELOAD_WHY_MAX + 64];
    (void)snprintf(message, sizeof(message), "reload failed, nothing is changed: %s", reload->why);
    log_write(&master->log, LOG_LEVEL_ERROR, NULL, message, NULL);
    answer(reload, NULL);
}

static void on_loaded(struct loader *loader, int exit_code, const char *why)
{
    struct master *master = OWNER_OF(loader, struct master, loader);
    if (exit_code != FSD_EXIT_OK) {
        keep_reason(&master->reload, why);
    }
    feed(master, exit_code == FSD_EXIT_OK ? ROLLING_ON_LOADED : ROLLING_ON_LOAD_FAILED, 0);
    master_check_end(master);
}

static void move(struct master *master, size_t number, bool is_back)
{
    unsigned slot;
    struct pool *pool = find_pool(master, number, &slot);
    const struct bundle_store *store = &master->apps[pool->conf->app].store;
    uint64_t target = is_back ? store->running.number : store->candidate.number;
    const struct pool_slot *place = &pool->slots[slot];
    if (place->state == SLOT_READY && place->current->proc.generation == target) {
        feed(master, ROLLING_ON_SLOT_READY, number); /* died on the way and came back by itself */
        return;
    }
    pool_replace(pool, slot, target);
}

static void carry_out(struct master *master, struct rolling_order order)
{
    switch (order.action) {
    case ROLLING_DO_NOTHING:
        break;
    case ROLLING_LOAD:
        loader_start(&master->loader, on_loaded);
        break;
    case ROLLING_MOVE:
        move(master, order.slot, false);
        break;
    case ROLLING_MOVE_BACK:
        move(master, order.slot, true);
        break;
    case ROLLING_COMMIT:
        commit(master);
        break;
    case ROLLING_ABORT:
        abort_reload(master);
        break;
    }
}

/* An order may cause the next event from inside; it waits until the order is carried out, so that the stack stays flat. */
static void feed(struct master *master, enum rolling_event event, size_t slot)
{
    struct reload *reload = &master->reload;
    if (reload->is_stepping) {
        assert(!reload->has_pending); /* one order causes at most one */
        reload->has_pending = true;
        reload->pending = event;
        reload->pending_slot = slot;
        return;
    }
    reload->is_stepping = true;
    carry_out(master, rolling_step(&reload->rolling, event, slot));
    while (reload->has_pending) {
        reload->has_pending = false;
        carry_out(master, rolling_step(&reload->rolling, reload->pending, reload->pending_slot));
    }
    reload->is_stepping = false;
}

static const char *find_obstacle(const struct master *master)
{
    if (reload_is_running(master)) {
        return "another reload is running";
    }
    if (master->phase == MASTER_LOADING || !loader_is_idle(&master->loader)) {
        return "the daemon is still loading its code";
    }
    return master->phase == MASTER_STOPPING ? "the daemon is stopping" : NULL;
}

void reload_start(struct master *master, struct control_call *call, bool is_restart)
{
    const char *obstacle = find_obstacle(master);
    if (obstacle != NULL && call != NULL) {
        control_fail(call, CONTROL_BUSY, obstacle);
        return;
    }
    if (obstacle != NULL) {
        log_write(&master->log, LOG_LEVEL_WARNING, NULL, "reload is refused",
                  LOG_FIELDS(log_text("because", obstacle)));
        return;
    }
    struct reload *reload = &master->reload;
    *reload = (struct reload){.call = call, .is_restart = is_restart};
    reload->rolling.total = count_slots(master);
    log_write(&master->log, LOG_LEVEL_NOTICE, NULL, "reload begins", NULL);
    feed(master, ROLLING_ON_START, 0);
}

void reload_on_pool_news(struct master *master, const struct pool *pool, unsigned slot,
                         enum pool_news news, const char *why)
{
    static const enum rolling_event events[] = {ROLLING_ON_SLOT_READY, ROLLING_ON_SLOT_FAILED,
                                                ROLLING_ON_SLOT_DIED};
    _Static_assert(POOL_SLOT_READY == 0 && POOL_SLOT_DIED == 2, "the order of the events");
    if (!reload_is_running(master) || news > POOL_SLOT_DIED) {
        return;
    }
    struct reload *reload = &master->reload;
    size_t number = number_of(master, pool, slot);
    bool is_at_stake =
        news == POOL_SLOT_DIED ? number < reload->rolling.at : number == reload->rolling.at;
    if (news != POOL_SLOT_READY && is_at_stake) {
        char text[RELOAD_WHY_MAX];
        (void)snprintf(text, sizeof(text), "%s (worker %s/%u)", why, pool->conf->name, slot);
        keep_reason(reload, text);
    }
    feed(master, events[news], number);
}

void reload_stop(struct master *master)
{
    if (!reload_is_running(master)) {
        return;
    }
    keep_reason(&master->reload, "the daemon is stopping");
    feed(master, ROLLING_ON_STOP, 0);
    abort_reload(master);
}

bool reload_is_running(const struct master *master)
{
    return master->reload.rolling.state != ROLLING_IDLE;
}
