/* reload.c - the one reload that may run: which way it takes, and what those who asked are told.
 * Owns the reason of the first failure; who waits for it is kept by reload_round.c.  A configuration that has changed comes with the code
 * (deploy.c); else the code is changed in place (swap.c), or the workers are replaced (restart.c).  The new generations become
 * the running ones in reload_commit, all at once; what fails before that has changed nothing.
 * Called by methods.c and signals.c (start), and by master.c with all news.  Must not know how the code gets to a worker. */
#include "daemon/change/reload.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/proto.h"
#include "daemon/control/control.h"
#include "daemon/log/log.h"
#include "daemon/log/text.h"
#include "daemon/state.h"

void reload_keep_reason(struct master *master, const char *why)
{
    struct reload *reload = &master->reload;
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
    const struct pool *only = master->restart.only;
    for (size_t i = 0; i < inventory->conf->app_count; i++) {
        const struct bundle_store *store = &inventory->apps[i]->store;
        uint64_t to =
            store->candidate.number != 0 ? store->candidate.number : store->running.number;
        unsigned workers = only != NULL ? only->count : count_workers(inventory, i);
        workers = master->is_drained ? 0 : workers; /* they come when it is resumed */
        bool is_meant =
            only != NULL ? only->conf.app == inventory->apps[i] : store->candidate.number != 0;
        if (!is_meant) {
            continue;
        }
        json_t *app = json_pack("{s:s, s:I, s:I, s:i}", "app", inventory->apps[i]->name, "from",
                                (json_int_t)store->running.number, "to", (json_int_t)to, "workers",
                                (int)workers);
        if (store->candidate.origin != 0 && app != NULL) {
            (void)json_object_set_new(app, "origin",
                                      json_integer((json_int_t)store->candidate.origin));
        }
        if (master->is_drained && app != NULL) {
            (void)json_object_set_new(app, "drained", json_true());
        }
        (void)json_array_append_new(apps, app);
    }
    return apps;
}

static void answer(struct reload *reload, json_t *result)
{
    struct reload_failure failure = {CONTROL_FAILED, reload->why};
    reload_round_answer(&reload->now, result, &failure);
}

static void log_done(struct master *master, const char *app, int64_t generation)
{
    int64_t in_ms = (int64_t)(clock_monotonic_ms() - master->reload.begun_ms);
    log_event(&master->log, LOG_LEVEL_NOTICE, NULL, "reload.done", "reload is done",
              LOG_FIELDS(log_text("app", app), log_int("generation", generation),
                         log_int("in_ms", in_ms)));
}

static void log_apps(struct master *master, const json_t *apps)
{
    size_t i;
    const json_t *row;
    json_array_foreach(apps, i, row)
    {
        log_done(master, json_string_value(json_object_get(row, "app")),
                 json_integer_value(json_object_get(row, "to")));
    }
}

void reload_commit(struct master *master)
{
    struct reload *reload = &master->reload;
    json_decref(reload->apps);
    reload->apps = reload_describe_apps(master, &master->inventory);
    for (size_t i = 0; master->restart.only == NULL && i < master->inventory.conf->app_count; i++) {
        bundle_store_commit(&master->inventory.apps[i]->store);
    }
}

static json_t *take_result(struct reload *reload, bool is_restart)
{
    json_t *apps = reload->apps;
    reload->apps = NULL;
    return json_pack("{s:s, s:o, s:b}", "schema", "fsd.reload/1", "apps", apps, "restart",
                     is_restart);
}

/* Takes result: done is not what it is when the new code has shown already that it is not fit to run. */
static json_t *refuse_unfit(struct master *master, json_t *result)
{
    char words[SETBACK_WORDS_MAX];
    if (result == NULL || !setback_explain(master, true, words)) {
        return result;
    }
    json_decref(result);
    reload_keep_reason(master, words);
    return NULL;
}

/* Whoever waits for a round is told first: what is told here may start the next one. */
static void tell_end(struct master *master, const char *why)
{
    reload_fn on_end = master->reload.on_end;
    master->reload.on_end = NULL;
    if (on_end != NULL) {
        on_end(master, why);
    }
}

void reload_finish(struct master *master)
{
    struct reload *reload = &master->reload;
    const struct pool *only = master->restart.only;
    if (only != NULL) {
        log_event(&master->log, LOG_LEVEL_NOTICE, LOG_POOL(only->name), "pool.restarted",
                  "restart is done", NULL);
    } else {
        log_apps(master, reload->apps);
    }
    master->restart.only = NULL;
    manager_update(master);
    json_t *result = take_result(reload, reload->now.is_restart);
    if (result == NULL) {
        reload_keep_reason(master, "done, but out of memory for the answer");
    }
    if (only == NULL) {
        develop_on_reloaded(master, NULL);
    }
    answer(reload, refuse_unfit(master, result));
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        pool_refresh(master->inventory.pools[i]);
    }
    tell_end(master, NULL);
}

void reload_fail(struct master *master)
{
    const struct pool *only = master->restart.only;
    for (size_t i = 0; only == NULL && i < master->inventory.conf->app_count; i++) {
        bundle_store_abort(&master->inventory.apps[i]->store);
    }
    char message[RELOAD_WHY_MAX + 64];
    (void)snprintf(message, sizeof(message), "%s: %s",
                   only != NULL ? "restart failed" : "reload failed, nothing is changed",
                   master->reload.why);
    log_event(&master->log, LOG_LEVEL_ERROR, NULL, "reload.failed", message, NULL);
    master->restart.only = NULL;
    manager_update(master);
    if (only == NULL) {
        develop_on_reloaded(master, master->reload.why);
    }
    answer(&master->reload, NULL);
    tell_end(master, master->reload.why);
}

void reload_on_deployed(struct master *master, json_t *result, const char *why)
{
    struct reload *reload = &master->reload;
    reload->why[0] = '\0';
    reload_keep_reason(master, why);
    log_apps(master, json_object_get(result, "apps"));
    develop_on_reloaded(master, result != NULL ? NULL : reload->why);
    answer(reload, refuse_unfit(master, result));
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
        develop_on_reloaded(master, failure.why);
        reload_round_answer(&master->reload.now, NULL, &failure);
    } else if (has_changes) {
        deploy_start(master, conf, "reload", true, NULL);
    } else {
        conf_free(conf);
    }
    free(text);
    return error < 0 || has_changes;
}

static void announce(struct master *master, const struct pool *only)
{
    master->reload.why[0] = '\0';
    log_event(&master->log, LOG_LEVEL_NOTICE, only == NULL ? NULL : LOG_POOL(only->name),
              "reload.begin", only != NULL ? "restart begins" : "reload begins", NULL);
}

static void begin(struct master *master, struct pool *only)
{
    master->reload.begun_ms = clock_monotonic_ms();
    if (only == NULL && begin_with_config(master)) {
        return;
    }
    announce(master, only);
    if (master->reload.now.is_restart) {
        restart_start(master, only);
    } else {
        swap_start(master, SWAP_FROM_DISK);
    }
    manager_update(master);
}

void reload_from_store(struct master *master, struct control_call *call, reload_fn on_end)
{
    (void)reload_round_join(&master->reload.now, call, false);
    master->reload.on_end = on_end;
    master->reload.begun_ms = clock_monotonic_ms();
    announce(master, NULL);
    swap_start(master, SWAP_FROM_STORE);
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

static bool is_stepping(const struct master *master)
{
    return master->restart.is_stepping || master->swap.is_stepping;
}

void reload_on_free(struct master *master)
{
    struct reload *reload = &master->reload;
    bool is_free = !is_stepping(master) && master_find_obstacle(master) == NULL;
    if (!is_free || setback_on_free(master) || !reload->later.is_wanted) {
        return;
    }
    reload->now = reload->later;
    reload->later = (struct reload_round){.is_wanted = false};
    begin(master, NULL);
}

void reload_on_pool_news(struct master *master, const struct pool *pool, unsigned slot,
                         enum pool_news news, const char *why)
{
    restart_on_pool_news(master, pool, slot, news, why);
}

static void cut_short(struct master *master, const char *why)
{
    reload_keep_reason(master, why);
    if (swap_is_running(master)) {
        swap_stop(master);
    } else {
        restart_stop(master);
        reload_fail(master);
    }
}

bool reload_give_up(struct master *master, const char *why)
{
    const struct reload *reload = &master->reload;
    const struct swap *swap = &master->swap;
    bool is_undecided = swap_has_begun(master) && swap->phase.state == PHASE_PREPARING;
    if (!is_undecided || swap->is_stepping || reload->now.count > 0 || reload->on_end != NULL) {
        return false;
    }
    cut_short(master, why);
    return true;
}

/* One that still loads the code goes on: it then finds nobody who runs the old. */
void reload_on_drained(struct master *master)
{
    if (restart_has_begun(master) || swap_has_begun(master)) {
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
    return restart_is_running(master) || swap_is_running(master);
}
