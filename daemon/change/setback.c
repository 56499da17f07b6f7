/* setback.c - new code proves itself, or is taken back.
 * Owns the probation of each app and what is told of a setback.  New code is confirmed when it has run its time, or by an operator.
 * Code that trips the restart limit of a pool before that is taken back: the confirmed code becomes the candidate once more, and is
 * brought to all workers in place as soon as no other change is under way.
 * Called by master.c (time, news of pools), methods_code.c (operators) and reload.c.  Must not know how code gets to a worker. */
#include "daemon/change/setback.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/clock.h"
#include "daemon/log/log.h"
#include "daemon/master.h"
#include "daemon/state.h"
#include "daemon/tree/supervision.h"

/* After a rollback that failed: 0.1 s, 0.2 s ... 6.4 s. */
enum { RETRY_FIRST_MS = 100, RETRY_DOUBLINGS = 6, TIMER_ACCURACY_US = 1000 };
enum { PATIENCE_MS = 5000 }; /* with the code that came back */

struct probation_facts setback_get_facts(const struct master *master, size_t app)
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

const struct app_setback *setback_find(const struct app *app)
{
    const struct app_setback *setback = &app->setback;
    uint64_t at_stake = setback->to == 0 ? setback->from : setback->to;
    return at_stake != 0 && at_stake == app->store.running.number ? setback : NULL;
}

static bool is_due(const struct app *app)
{
    const struct app_setback *setback = setback_find(app);
    return setback != NULL && setback->to == 0;
}

bool setback_explain(const struct master *master, bool is_wanted_due, char words[SETBACK_WORDS_MAX])
{
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        const struct app *app = master->inventory.apps[i];
        const struct app_setback *setback = setback_find(app);
        if (setback == NULL || is_due(app) != is_wanted_due) {
            continue;
        }
        int len = snprintf(words, SETBACK_WORDS_MAX, "generation %" PRIu64 " of app \"%s\" %s",
                           setback->from, app->name,
                           is_wanted_due ? "is being taken back" : "was taken back");
        if (!is_wanted_due) {
            len += snprintf(words + len, SETBACK_WORDS_MAX - (size_t)len,
                            ", %" PRIu64 " runs with the code of %" PRIu64, setback->to,
                            app->store.running.origin);
        }
        (void)snprintf(words + len, SETBACK_WORDS_MAX - (size_t)len, ": %s", setback->why);
        return true;
    }
    return false;
}

static void confirm(struct master *master, struct app *app, const char *how)
{
    bool is_news = !master->options->development; /* who develops saves again before that */
    bundle_store_confirm(&app->store);
    log_event(&master->log, is_news ? LOG_LEVEL_NOTICE : LOG_LEVEL_DEBUG, NULL, "code.confirmed",
              "code is confirmed",
              LOG_FIELDS(log_text("app", app->name),
                         log_int("generation", (int64_t)app->store.running.number),
                         log_text("how", how)));
}

/* Supervisors hear of a pool that gave up only when going back has not helped: what they would do about it, to stop and start others as
 * well, takes longer than that. */
static void tell_supervisors(struct master *master)
{
    struct setbacks *setbacks = &master->setbacks;
    if (setbacks->tell_at_ms == 0 || clock_monotonic_ms() < setbacks->tell_at_ms) {
        return;
    }
    setbacks->tell_at_ms = 0;
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        const struct pool *pool = master->inventory.pools[i];
        if (pool->phase == POOL_HELD && setback_find(pool->conf.app) != NULL) {
            supervision_on_pool_news(master, pool,
                                     POOL_GAVE_UP); /* who knows it is not told twice */
        }
    }
}

void setback_watch(struct master *master)
{
    tell_supervisors(master);
    if (master_find_obstacle(master) != NULL || setback_on_free(master)) {
        return;
    }
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        struct app *app = master->inventory.apps[i];
        struct probation_facts facts = setback_get_facts(master, i);
        if (probation_check(&app->probation, &facts) == PROBATION_CONFIRM) {
            confirm(master, app, "probation");
            waiting_check(master);
        }
    }
}

void setback_confirm(struct master *master, const struct app *only)
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

static size_t find_app(const struct inventory *inventory, const struct app *app)
{
    size_t i = 0;
    while (i < inventory->conf->app_count && inventory->apps[i] != app) {
        i++;
    }
    return i;
}

static int on_begin(sd_event_source *source, uint64_t usec, void *userdata)
{
    struct master *master = userdata;
    (void)source;
    (void)usec;
    if (master_find_obstacle(master) == NULL) {
        (void)setback_on_free(master);
    }
    return 0;
}

/* Not from within the news of pools.  Without memory the watch comes by once a second. */
static void begin_in(struct master *master, uint64_t wait_ms)
{
    struct setbacks *setbacks = &master->setbacks;
    setbacks->not_before_ms = clock_monotonic_ms() + wait_ms;
    setbacks->begin = sd_event_source_disable_unref(setbacks->begin);
    (void)sd_event_add_time_relative(master->loop, &setbacks->begin, CLOCK_MONOTONIC,
                                     wait_ms * 1000, TIMER_ACCURACY_US, on_begin, master);
}

bool setback_on_gave_up(struct master *master, const struct pool *pool, const char *why)
{
    size_t index = find_app(&master->inventory, pool->conf.app);
    if (index == master->inventory.conf->app_count) {
        return false; /* a pool that leaves */
    }
    struct app *app = master->inventory.apps[index];
    struct probation_facts facts = setback_get_facts(master, index);
    if (is_due(app)) {
        return true;
    }
    if (probation_on_trip(&app->probation, &facts) != PROBATION_ROLL_BACK) {
        return false;
    }
    app->setback = (struct app_setback){.from = facts.generation, .at_us = clock_wall_us()};
    (void)snprintf(app->setback.why, sizeof(app->setback.why), "pool %s: %s", pool->name, why);
    log_event(&master->log, LOG_LEVEL_ERROR, NULL, "code.unfit",
              "new code is not fit to run and is taken back",
              LOG_FIELDS(log_text("app", app->name),
                         log_int("generation", (int64_t)facts.generation),
                         log_text("reason", app->setback.why)));
    master->setbacks.failures = 0;
    begin_in(master, 0);
    return true;
}

static void tell_rolled_back(struct master *master, struct app *app)
{
    const struct bundle *running = &app->store.running;
    app->setback.to = running->number;
    log_event(&master->log, LOG_LEVEL_WARNING, NULL, "reload.rolled_back",
              "new code was taken back, the confirmed code runs",
              LOG_FIELDS(log_text("app", app->name), log_int("from", (int64_t)app->setback.from),
                         log_int("generation", (int64_t)running->number),
                         log_int("code_of", (int64_t)running->origin),
                         log_text("reason", app->setback.why)));
}

static void on_end(struct master *master, const char *why)
{
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        struct app *app = master->inventory.apps[i];
        const struct bundle *running = &app->store.running;
        bool is_ours = running->origin != 0 && app->store.previous.number == app->setback.from;
        if (why == NULL && app->setback.from != 0 && app->setback.to == 0 && is_ours) {
            tell_rolled_back(master, app);
        }
    }
    master->setbacks.tell_at_ms = clock_monotonic_ms() + (why == NULL ? PATIENCE_MS : 0);
    if (why != NULL) { /* another worker may just have died of it */
        begin_in(master, RETRY_FIRST_MS << master->setbacks.failures);
        master->setbacks.failures += master->setbacks.failures < RETRY_DOUBLINGS;
    }
    waiting_check(master);
}

bool setback_is_under_way(const struct master *master)
{
    return master->reload.on_end == on_end;
}

bool setback_on_free(struct master *master)
{
    bool is_offered = false;
    if (clock_monotonic_ms() < master->setbacks.not_before_ms) {
        return false;
    }
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        struct app *app = master->inventory.apps[i];
        if (is_due(app)) { /* what fails is due at the next watch still */
            is_offered = bundle_store_offer(&app->store, BUNDLE_CONFIRMED) == 0 || is_offered;
        }
    }
    if (is_offered) {
        reload_from_store(master, NULL, on_end);
    }
    return is_offered;
}

void setback_close(struct master *master)
{
    master->setbacks.begin = sd_event_source_disable_unref(master->setbacks.begin);
}
