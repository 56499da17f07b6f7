/* rollback.c - code that has proved itself, and the way back to it.
 * Owns the probation of each app and what is told of a setback.  New code is confirmed when it has run its time, or by an operator.
 * Called by master.c (time, news of pools), methods_code.c (operators) and reload.c.  Must not know how code gets to a worker. */
#include "daemon/change/rollback.h"

#include "common/clock.h"
#include "daemon/log/log.h"
#include "daemon/state.h"

struct probation_facts rollback_get_facts(const struct master *master, size_t app)
{
    const struct inventory *inventory = &master->inventory;
    const struct bundle_store *store = &inventory->apps[app]->store;
    struct probation_facts facts = {
        .generation = store->running.number,
        .is_confirmed = bundle_store_is_confirmed(store, &store->running),
        .has_confirmed = bundle_store_find(store, BUNDLE_CONFIRMED) != NULL,
        .is_running = true,
        .is_serving = true,
        .limit_ms = inventory->conf->apps[app].probation_ms,
        .now_ms = clock_monotonic_ms()};
    for (size_t i = 0; i < inventory->conf->pool_count; i++) {
        const struct pool *pool = inventory->pools[i];
        if (pool->conf.app == inventory->apps[app]) {
            facts.is_running = facts.is_running && pool->phase == POOL_RUNNING;
            facts.is_serving = facts.is_serving && pool_is_serving(pool);
        }
    }
    return facts;
}

const struct app_setback *rollback_find_setback(const struct app *app)
{
    const struct app_setback *setback = &app->setback;
    uint64_t at_stake = setback->to == 0 ? setback->from : setback->to;
    return at_stake != 0 && at_stake == app->store.running.number ? setback : NULL;
}

static void confirm(struct master *master, struct app *app, const char *how)
{
    bundle_store_confirm(&app->store);
    log_event(&master->log, LOG_LEVEL_NOTICE, NULL, "code.confirmed", "code is confirmed",
              LOG_FIELDS(log_text("app", app->name),
                         log_int("generation", (int64_t)app->store.running.number),
                         log_text("how", how)));
}

void rollback_watch(struct master *master)
{
    if (master_find_obstacle(master) != NULL) {
        return;
    }
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        struct app *app = master->inventory.apps[i];
        struct probation_facts facts = rollback_get_facts(master, i);
        if (probation_check(&app->probation, &facts) == PROBATION_CONFIRM) {
            confirm(master, app, "probation");
        }
    }
}

void rollback_confirm(struct master *master, const struct app *only)
{
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        struct app *app = master->inventory.apps[i];
        if (only != NULL && only != app) {
            continue;
        }
        app->setback = (struct app_setback){.from = 0};
        if (!bundle_store_is_confirmed(&app->store, &app->store.running)) {
            confirm(master, app, "command");
        }
    }
    waiting_check(master);
}
