/* deploy.c - the one change of configuration that may be under way: all of it, or nothing.
 * Owns what is being prepared.  In this order: what changes (plan.c), the new objects beside those that run (inventory.c), new
 * sockets, new code; then each slot that is concerned either asks its worker or boots a new one that waits (PREPARE); only
 * when all have said yes everything takes the place of the old at once (COMMIT), and what is left over is retired.  Any no, loss or
 * timeout before that drops the new things: nobody has seen anything of them.
 * Called by methods.c, reload.c and the signals (start), and by master.c with all news.  Must not know how a slot prepares
 * (pool_change.c), who takes part (deploy_members.c), or the shape of an answer (deploy_answer.c). */
#include "daemon/change/deploy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/proto.h"
#include "daemon/change/deploy_answer.h"
#include "daemon/change/deploy_commit.h"
#include "daemon/change/deploy_members.h"
#include "daemon/change/deploy_sockets.h"
#include "daemon/change/orders.h"
#include "daemon/change/reason.h"
#include "daemon/change/retired.h"
#include "daemon/control/control.h"
#include "daemon/owner.h"
#include "daemon/state.h"

/* Of a worker that takes a change in place, and of one that begins to serve. */
enum { ANSWER_LIMIT_MS = 10000, TIMER_ACCURACY_US = 10000 };

static void run_orders(struct master *master);
static int restart_timer(struct master *master);

bool deploy_is_running(const struct master *master)
{
    return master->deploy.is_running;
}

bool deploy_is_by_worker(const char *how)
{
    return strcmp(how, DEPLOY_BY_WORKER) == 0;
}

bool deploy_has_begun(const struct master *master)
{
    return master->deploy.is_running && master->deploy.phase.state != PHASE_IDLE;
}

/* Frees what is left of the change itself; the objects have gone their way. */
static void forget(struct deploy *deploy)
{
    deploy->timer = sd_event_source_disable_unref(deploy->timer);
    plan_fini(&deploy->plan);
    tree_free(deploy->tree);
    free(deploy->answers);
    free(deploy->members);
    json_decref(deploy->apps);
    deploy->tree = NULL;
    deploy->answers = NULL;
    deploy->members = NULL;
    deploy->apps = NULL;
    deploy->member_count = 0;
    deploy->is_running = false;
}

static struct deploy_asker take_asker(struct deploy *deploy)
{
    struct deploy_asker asker = {deploy->call, deploy->with_code, deploy_is_by_worker(deploy->how)};
    deploy->call = NULL;
    return asker;
}

static void fail(struct master *master)
{
    struct deploy *deploy = &master->deploy;
    struct deploy_asker asker = take_asker(deploy);
    for (size_t i = 0; deploy->next.apps != NULL && i < deploy->next.conf->app_count; i++) {
        if (deploy->next.apps[i] != NULL) {
            bundle_store_abort(&deploy->next.apps[i]->store);
        }
    }
    deploy_answer_log_failed(master, &asker);
    retired_add(master, deploy->grave,
                &deploy->next); /* new pools may have processes that are just ending */
    forget(deploy);
    manager_update(master);
    deploy_answer_failed(master, &asker);
    reload_on_free(master);
    master_check_end(master);
}

static void finish(struct master *master, uint64_t from)
{
    struct deploy *deploy = &master->deploy;
    struct deploy_asker asker = take_asker(deploy);
    configs_on_applied(master, deploy->how);
    json_t *result = deploy_answer_describe(master, from);
    deploy_answer_log_done(master, &asker);
    retired_add(master, deploy->grave, &deploy->next); /* by now it is the old one */
    forget(deploy);
    manager_update(master);
    deploy_answer_done(master, &asker, result);
    reload_on_free(master);
    waiting_check(master);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)source;
    (void)usec;
    struct master *master = userdata;
    struct deploy *deploy = &master->deploy;
    if (deploy_members_are_booting(deploy) && restart_timer(master) >= 0) {
        return 0;
    }
    size_t awaited = phase_find_awaited(&deploy->phase, 0);
    if (awaited < deploy->member_count) {
        char text[128];
        reason_format(text, sizeof(text), "no answer in time", deploy->members[awaited].pool->name,
                      deploy->members[awaited].slot);
        deploy_answer_keep_reason(deploy, text);
    }
    phase_feed(&deploy->phase, PHASE_ON_TIMEOUT, 0);
    run_orders(master);
    return 0;
}

/* Each answer is progress; a process that boots has a limit of its own. */
static int restart_timer(struct master *master)
{
    struct deploy *deploy = &master->deploy;
    uint64_t limit_ms = ANSWER_LIMIT_MS;
    for (size_t i = 0; i < deploy->member_count; i++) {
        const struct deploy_member *member = &deploy->members[i];
        uint64_t boot_ms = member->is_in_place ? 0 : member->pool->proc_setting.boot_ms;
        limit_ms =
            boot_ms * 2 + ANSWER_LIMIT_MS > limit_ms ? boot_ms * 2 + ANSWER_LIMIT_MS : limit_ms;
    }
    deploy->timer = sd_event_source_disable_unref(deploy->timer);
    return sd_event_add_time_relative(master->loop, &deploy->timer, CLOCK_MONOTONIC,
                                      limit_ms * 1000, TIMER_ACCURACY_US, on_timeout, master);
}

static void carry_out(struct master *master, const struct phase_order *order)
{
    struct deploy *deploy = &master->deploy;
    const struct deploy_member *member = &deploy->members[order->participant];
    switch (order->action) {
    case PHASE_DO_NOTHING:
        break;
    case PHASE_PREPARE:
        if (member->is_in_place) {
            pool_update_slot(member->pool, member->slot);
        } else {
            pool_prepare_slot(member->pool, member->slot);
        }
        break;
    case PHASE_COMMIT_ALL:
        deploy_commit(master);
        break;
    case PHASE_ABORT_ALL:
        deploy_commit_drop(master);
        break;
    case PHASE_KILL:
        pool_kill_slot(member->pool, member->slot);
        break;
    case PHASE_DONE:
        if (order->is_committed) {
            finish(master, deploy->next.number);
        } else {
            fail(master);
        }
        break;
    }
}

/* What an order causes from within waits in the phase until the order is carried out, so that the stack stays flat. */
static void run_orders(struct master *master)
{
    struct deploy *deploy = &master->deploy;
    if (deploy->is_stepping) {
        return;
    }
    deploy->is_stepping = true;
    struct phase_order order;
    do {
        order = phase_next(&deploy->phase);
        carry_out(master, &order);
    } while (order.action != PHASE_DO_NOTHING && order.action != PHASE_DONE);
    deploy->is_stepping = false;
}

static void on_loaded(struct loader *loader, int exit_code, const char *why)
{
    struct master *master = OWNER_OF(loader, struct master, loader);
    struct deploy *deploy = &master->deploy;
    struct fsd_err err = {""};
    if (exit_code != FSD_EXIT_OK || master->phase == MASTER_STOPPING) {
        deploy_answer_keep_reason(deploy,
                                  exit_code != FSD_EXIT_OK ? why : "the daemon is stopping");
        fail(master);
        return;
    }
    if (deploy->with_code) {
        deploy->apps = reload_describe_apps(master, &deploy->next);
    }
    if (deploy_members_make(master, &err) < 0 || restart_timer(master) < 0) {
        deploy_answer_keep_reason(deploy, err.text);
        deploy_commit_drop(master);
        fail(master);
        return;
    }
    (void)phase_begin(&deploy->phase, deploy->answers, deploy->member_count,
                      phase_get_parallel(master->auto_count));
    run_orders(master);
}

/* What runs already has its code, unless all is wanted anew. */
static void load(struct master *master)
{
    struct deploy *deploy = &master->deploy;
    struct app *apps[LOADER_APPS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < deploy->next.conf->app_count; i++) {
        struct app *app = deploy->next.apps[i];
        if (count < LOADER_APPS_MAX && (deploy->with_code || app->store.running.number == 0)) {
            apps[count++] = app;
        }
    }
    loader_start(&master->loader, apps, count, on_loaded);
}

static void refuse(struct master *master, const char *how, struct control_call *call,
                   const char *why)
{
    log_write(&master->log, LOG_LEVEL_WARNING, NULL, "a change of configuration is refused",
              LOG_FIELDS(log_text("because", why)));
    if (call != NULL) {
        control_fail(call, CONTROL_BUSY, why);
    }
    if (deploy_is_by_worker(how)) {
        orders_on_deployed(master, why);
    }
}

static void finish_idle(struct master *master)
{
    struct deploy *deploy = &master->deploy;
    struct deploy_asker asker = take_asker(deploy);
    json_t *result = deploy_answer_describe(master, master->inventory.number);
    forget(deploy);
    deploy_answer_done(master, &asker, result);
}

void deploy_start(struct master *master, struct conf *conf, const char *how, bool with_code,
                  struct control_call *call)
{
    struct deploy *deploy = &master->deploy;
    struct retired *grave = retired_new();
    struct plan plan = {.count = 0};
    const char *obstacle = master_find_obstacle(master);
    if (obstacle == NULL && (grave == NULL || plan_make(master->inventory.conf, conf, &plan) < 0)) {
        obstacle = "out of memory";
    }
    if (obstacle != NULL) {
        free(grave);
        conf_free(conf);
        refuse(master, how, call, obstacle);
        return;
    }
    *deploy = (struct deploy){.is_running = true,
                              .with_code = with_code,
                              .how = how,
                              .call = call,
                              .plan = plan,
                              .begun_ms = clock_monotonic_ms(),
                              .grave = grave};
    if (!with_code && !plan_would_change(&plan, master->inventory.conf, conf)) {
        conf_free(conf);
        free(grave);
        finish_idle(master);
        return;
    }
    struct inventory_need need = {&master->pool_setting, master->auto_count};
    struct fsd_err err = {""};
    int error =
        inventory_make(&deploy->next, conf, master->config_last + 1, &master->inventory, &need);
    if (error == 0) { /* made now, because a change that is committed can't fail any more */
        deploy->tree = tree_new(conf);
        error = deploy->tree == NULL ? -ENOMEM : 0;
    }
    if (error < 0) {
        (void)fsd_err_set(&err, 0, "%s", strerror(-error));
    } else {
        error = deploy_sockets_open(master, &err);
    }
    if (error < 0) {
        deploy_answer_keep_reason(deploy, err.text);
        fail(master);
        return;
    }
    master->config_last++;
    manager_update(master);
    load(master);
}

void deploy_on_pool_news(struct master *master, const struct pool *pool, unsigned slot,
                         enum pool_news news, const char *why)
{
    struct deploy *deploy = &master->deploy;
    int event = deploy_members_translate(news);
    size_t member = deploy_members_find(deploy, pool, slot);
    if (!deploy->is_running || event < 0 || member == deploy->member_count) {
        return;
    }
    if (news == POOL_SLOT_EMPTY && !phase_is_asked(&deploy->phase, member)) {
        return; /* it has been leaving since an earlier change */
    }
    if (why != NULL && (event == PHASE_ON_REFUSED || event == PHASE_ON_LOST)) {
        char text[DEPLOY_WHY_MAX];
        reason_format(text, sizeof(text), why, pool->name, slot);
        deploy_answer_keep_reason(deploy, text);
    }
    phase_feed(&deploy->phase, (enum phase_event)event, member);
    if (!deploy->is_stepping) {
        (void)restart_timer(master); /* the old one goes on when this fails */
    }
    run_orders(master);
}

void deploy_stop(struct master *master, const char *why)
{
    struct deploy *deploy = &master->deploy;
    if (!deploy->is_running) {
        return;
    }
    deploy_answer_keep_reason(deploy, why);
    if (deploy_has_begun(master)) {
        phase_feed(&deploy->phase, PHASE_ON_STOP, 0);
        run_orders(master);
    } /* else the loader is stopped, and its end comes here */
}
