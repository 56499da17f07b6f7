/* reload.c - drives the one reload that may run: new bundles, then a rolling restart, then the answers.
 * Owns the reason of the first failure; who waits for it is kept by reload_round.c.  rolling.c says which slot is next; here
 * the slots of all pools are counted through, orders become calls of pool.c and loader.c, and their news become events.  The
 * new generations become the running ones only when every slot has moved; otherwise nothing has changed in the end.
 * Called by methods.c and signals.c (start), and by master.c with all news.  Must not know how a slot replaces its worker. */
#include "daemon/change/reload.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/proto.h"
#include "daemon/control/control.h"
#include "daemon/log/log.h"
#include "daemon/log/text.h"
#include "daemon/owner.h"
#include "daemon/state.h"

static const char no_in_place[] = "in-place reload is not available yet; did a rolling restart";

static void feed(struct master *master, enum rolling_event event, size_t slot);

/* The pools of this round. */
static size_t count_pools(const struct master *master)
{
    return master->reload.only != NULL ? 1 : master->inventory.conf->pool_count;
}

static struct pool *get_pool(const struct master *master, size_t index)
{
    return master->reload.only != NULL ? master->reload.only : master->inventory.pools[index];
}

static size_t count_slots(const struct master *master)
{
    size_t count = 0;
    for (size_t i = 0; i < count_pools(master); i++) {
        count += get_pool(master, i)->count;
    }
    return count;
}

/* Slots are counted over all pools, in their order.  SIZE_MAX: none of this round. */
static size_t number_of(const struct master *master, const struct pool *pool, unsigned slot)
{
    size_t number = slot;
    for (size_t i = 0; i < count_pools(master); i++) {
        if (get_pool(master, i) == pool) {
            return slot < pool->count ? number : SIZE_MAX;
        }
        number += get_pool(master, i)->count;
    }
    return SIZE_MAX;
}

static struct pool *find_pool(const struct master *master, size_t number, unsigned *ret_slot)
{
    size_t i = 0;
    while (number >= get_pool(master, i)->count) {
        number -= get_pool(master, i)->count;
        i++;
    }
    *ret_slot = (unsigned)number;
    return get_pool(master, i);
}

static void keep_reason(struct reload *reload, const char *why)
{
    if (reload->why[0] == '\0') {
        (void)text_clean(reload->why, sizeof(reload->why), why, strlen(why));
    }
}

static unsigned count_workers(const struct inventory *inventory, size_t app)
{
    unsigned count = 0;
    for (size_t i = 0; i < inventory->conf->pool_count; i++) {
        count += inventory->conf->pools[i].app == app ? inventory->pools[i]->count : 0;
    }
    return count;
}

/* Must be called before the candidates are committed. */
json_t *reload_describe_apps(const struct master *master, const struct inventory *inventory)
{
    json_t *apps = json_array();
    const struct pool *only = master->reload.only;
    for (size_t i = 0; i < inventory->conf->app_count; i++) {
        const struct bundle_store *store = &inventory->apps[i]->store;
        uint64_t to =
            store->candidate.number != 0 ? store->candidate.number : store->running.number;
        unsigned workers = only != NULL ? only->count : count_workers(inventory, i);
        workers = master->is_drained ? 0 : workers; /* they come when it is resumed */
        if (only != NULL && only->conf.app != inventory->apps[i]) {
            continue;
        }
        json_t *app = json_pack("{s:s, s:I, s:I, s:i}", "app", inventory->apps[i]->name, "from",
                                (json_int_t)store->running.number, "to", (json_int_t)to, "workers",
                                (int)workers);
        if (master->is_drained && app != NULL) {
            (void)json_object_set_new(app, "drained", json_true());
        }
        (void)json_array_append_new(apps, app);
    }
    return apps;
}

static void add_note(const struct master *master, json_t *result)
{
    if (result != NULL && !master->reload.now.is_restart && !master->is_drained) {
        (void)json_object_set_new(result, "note", json_string(no_in_place));
    }
}

static json_t *describe(const struct master *master)
{
    json_t *result = json_pack("{s:s, s:o, s:b}", "schema", "fsd.reload/1", "apps",
                               reload_describe_apps(master, &master->inventory), "restart", 1);
    add_note(master, result);
    return result;
}

static void answer(struct reload *reload, json_t *result)
{
    struct reload_failure failure = {CONTROL_FAILED, reload->why};
    reload_round_answer(&reload->now, result, &failure);
}

static void log_done(struct master *master, const struct app *app)
{
    log_event(&master->log, LOG_LEVEL_NOTICE, NULL, "reload.done", "reload is done",
              LOG_FIELDS(log_text("app", app->name),
                         log_int("generation", (int64_t)app->store.running.number)));
}

static void finish(struct master *master)
{
    struct reload *reload = &master->reload;
    json_t *result = describe(master);
    if (reload->only != NULL) {
        log_event(&master->log, LOG_LEVEL_NOTICE, LOG_POOL(reload->only->name), "pool.restarted",
                  "restart is done", NULL);
    }
    for (size_t i = 0; reload->only == NULL && i < master->inventory.conf->app_count; i++) {
        bundle_store_commit(&master->inventory.apps[i]->store);
        log_done(master, master->inventory.apps[i]);
    }
    reload->only = NULL;
    manager_update(master);
    answer(reload, result);
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        pool_refresh(master->inventory.pools[i]);
    }
}

static void abort_reload(struct master *master)
{
    struct reload *reload = &master->reload;
    for (size_t i = 0; reload->only == NULL && i < master->inventory.conf->app_count; i++) {
        bundle_store_abort(&master->inventory.apps[i]->store);
    }
    char message[RELOAD_WHY_MAX + 64];
    (void)snprintf(message, sizeof(message), "%s: %s",
                   reload->only != NULL ? "restart failed" : "reload failed, nothing is changed",
                   reload->why);
    log_event(&master->log, LOG_LEVEL_ERROR, NULL, "reload.failed", message, NULL);
    reload->only = NULL;
    manager_update(master);
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
    const struct bundle_store *store = &pool->conf.app->store;
    bool is_old = is_back || master->reload.only != NULL;
    uint64_t target = is_old ? store->running.number : store->candidate.number;
    const struct pool_slot *place = pool->slots[slot];
    if (master->reload.only == NULL && place->state == SLOT_READY &&
        place->current->proc.generation == target) {
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
        if (master->reload.only != NULL) {
            feed(master, ROLLING_ON_LOADED, 0);
        } else {
            loader_start(&master->loader, master->inventory.apps, master->inventory.conf->app_count,
                         on_loaded);
        }
        break;
    case ROLLING_MOVE:
        move(master, order.slot, false);
        break;
    case ROLLING_MOVE_BACK:
        move(master, order.slot, true);
        break;
    case ROLLING_COMMIT:
        finish(master);
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
    reload_on_free(master);
}

void reload_on_deployed(struct master *master, json_t *result, const char *why)
{
    struct reload *reload = &master->reload;
    reload->why[0] = '\0';
    keep_reason(reload, why);
    add_note(master, result);
    for (size_t i = 0; result != NULL && i < master->inventory.conf->app_count; i++) {
        log_done(master, master->inventory.apps[i]);
    }
    answer(reload, result);
}

/* A configuration that has changed on the disk comes with the code, in one step.  False: nothing of the kind, go on. */
static bool begin_with_config(struct master *master)
{
    struct plan plan = {.count = 0};
    char *text = NULL;
    struct conf *conf = configs_load(master, &text);
    int error = conf == NULL ? -EINVAL : plan_make(master->inventory.conf, conf, &plan);
    bool has_changes = error == 0 && plan_would_change(&plan, master->inventory.conf, conf);
    plan_fini(&plan);
    if (error < 0) {
        struct reload_failure failure = {CONTROL_BAD_CONFIG, text != NULL ? text : "out of memory"};
        log_event(&master->log, LOG_LEVEL_ERROR, NULL, "reload.failed",
                  "reload failed, nothing is changed: the configuration is wrong",
                  LOG_FIELDS(log_text("reason", failure.why)));
        conf_free(conf);
        reload_round_answer(&master->reload.now, NULL, &failure);
    } else if (has_changes) {
        deploy_start(master, conf, "reload", true, NULL);
    } else {
        conf_free(conf);
    }
    free(text);
    return error < 0 || has_changes;
}

static void begin(struct master *master, struct pool *only)
{
    struct reload *reload = &master->reload;
    if (only == NULL && begin_with_config(master)) {
        return;
    }
    reload->only = only;
    reload->why[0] = '\0';
    reload->rolling = (struct rolling){.total = count_slots(master)};
    log_event(&master->log, LOG_LEVEL_NOTICE, only == NULL ? NULL : LOG_POOL(only->name),
              "reload.begin", only != NULL ? "restart begins" : "reload begins", NULL);
    feed(master, ROLLING_ON_START, 0);
    manager_update(master);
}

void reload_start(struct master *master, struct control_call *call, bool is_restart)
{
    struct reload *reload = &master->reload;
    bool is_busy = reload_is_running(master) || deploy_is_running(master);
    const char *obstacle = is_busy ? NULL : master_find_obstacle(master);
    if (obstacle == NULL &&
        !reload_round_join(is_busy ? &reload->later : &reload->now, call, is_restart)) {
        obstacle = "too many reloads wait already";
    }
    if (obstacle != NULL && call != NULL) {
        control_fail(call, CONTROL_BUSY, obstacle);
    } else if (obstacle != NULL) {
        log_write(&master->log, LOG_LEVEL_WARNING, NULL, "reload is refused",
                  LOG_FIELDS(log_text("because", obstacle)));
    } else if (!is_busy) {
        begin(master, NULL);
    }
}

void reload_restart(struct master *master, struct pool *pool, struct control_call *call)
{
    const char *obstacle = master_find_obstacle(master);
    if (obstacle != NULL) {
        control_fail(call, CONTROL_BUSY, obstacle);
        return;
    }
    (void)reload_round_join(&master->reload.now, call, true);
    begin(master, pool);
}

void reload_on_free(struct master *master)
{
    struct reload *reload = &master->reload;
    if (!reload->later.is_wanted || reload->is_stepping || master_find_obstacle(master) != NULL) {
        return;
    }
    reload->now = reload->later;
    reload->later = (struct reload_round){.is_wanted = false};
    begin(master, NULL);
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
    if (number == SIZE_MAX) {
        return;
    }
    bool is_at_stake =
        news == POOL_SLOT_DIED ? number < reload->rolling.at : number == reload->rolling.at;
    if (news != POOL_SLOT_READY && is_at_stake) {
        char text[RELOAD_WHY_MAX];
        (void)snprintf(text, sizeof(text), "%s (worker %s/%u)", why, pool->name, slot);
        keep_reason(reload, text);
    }
    feed(master, events[news], number);
}

static void cut_short(struct master *master, const char *why)
{
    keep_reason(&master->reload, why);
    (void)rolling_step(&master->reload.rolling, ROLLING_ON_STOP, 0); /* orders nothing */
    abort_reload(master);
}

/* One that still loads the code goes on: it then finds nobody to replace. */
void reload_on_drained(struct master *master)
{
    const struct rolling *rolling = &master->reload.rolling;
    if (rolling->state == ROLLING_MOVING || rolling->state == ROLLING_REVERTING) {
        cut_short(master, "the daemon was drained meanwhile");
        reload_on_free(master);
    }
}

void reload_stop(struct master *master)
{
    struct reload *reload = &master->reload;
    if (reload_is_running(master)) {
        cut_short(master, "the daemon is stopping");
    }
    struct reload_failure failure = {CONTROL_FAILED, "the daemon is stopping"};
    /* .now is left of one that brings a configuration (deploy.c) */
    reload_round_answer(&reload->now, NULL, &failure);
    reload_round_answer(&reload->later, NULL, &failure);
}

bool reload_is_running(const struct master *master)
{
    return master->reload.rolling.state != ROLLING_IDLE;
}
