/* master.c - gives the daemon's life an order: load the code, start the pools, supervise, leave when the last process is gone.
 * Owns the decisions that concern the daemon as a whole: when it is ready, and which failure at first start ends it with which
 * exit code.  Events come from the pools, the loader, the signals (signals.c) and the control socket (methods.c); each is
 * passed to the module that decides.  Called by the verbs of main.c through master_run.
 * Must not know how a worker lives (incarnation.c), how a slot replaces one (slot.c), or how a change proceeds (reload.c, deploy.c). */
#include "daemon/master.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/proto.h"
#include "daemon/change/retired.h"
#include "daemon/change/setback.h"
#include "daemon/crash/obituary.h"
#include "daemon/owner.h"
#include "daemon/proc/pulse.h"
#include "daemon/setup.h"
#include "daemon/signals.h"
#include "daemon/state.h"
#include "daemon/tree/supervision.h"

bool master_owns(const void *owner, pid_t pid)
{
    const struct master *master = owner;
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        if (pool_owns(master->inventory.pools[i], pid)) {
            return true;
        }
    }
    for (size_t i = 0; deploy_is_running(master) && i < master->deploy.next.conf->pool_count; i++) {
        if (pool_owns(master->deploy.next.pools[i], pid)) {
            return true;
        }
    }
    bool is_tool = !loader_is_idle(&master->loader) && master->loader.bundler.child.pid == pid;
    return is_tool || upgrade_owns(master, pid) || retired_owns(master, pid);
}

void master_check_end(struct master *master)
{
    if (master->phase != MASTER_STOPPING || !loader_is_idle(&master->loader) ||
        deploy_is_running(master) || !retired_is_empty(master)) {
        return;
    }
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        if (!pool_is_empty(master->inventory.pools[i])) {
            return;
        }
    }
    (void)sd_event_exit(master->loop, 0); /* fails only when the loop has ended already */
}

const char *master_find_obstacle(const struct master *master)
{
    if (master->phase == MASTER_STOPPING) {
        return "the daemon is stopping";
    }
    if (reload_is_running(master)) {
        return master->restart.only != NULL ? "a restart is running" : "a reload is running";
    }
    if (deploy_is_running(master)) {
        return "another change of configuration is under way";
    }
    if (upgrade_is_running(master)) {
        return "an upgrade is under way";
    }
    return master->phase == MASTER_LOADING || !loader_is_idle(&master->loader)
               ? "the daemon is still loading its code"
               : NULL;
}

void master_stop(struct master *master, bool now)
{
    if (master->phase != MASTER_STOPPING) {
        master->phase = MASTER_STOPPING;
        manager_update(master);
        log_event(&master->log, LOG_LEVEL_NOTICE, NULL, "daemon.stopping",
                  now ? "stopping at once" : "stopping", NULL);
        reload_stop(master);
        deploy_stop(master, "the daemon is stopping");
        loader_stop(&master->loader);
        upgrade_stop(master);
    } else if (now) {
        log_write(&master->log, LOG_LEVEL_NOTICE, NULL, "stopping at once", NULL);
    }
    supervision_stop(master, now);
    retired_stop(master, now);
    waiting_check(master); /* who waits is told that it will not come */
    master_check_end(master);
}

void master_drain(struct master *master)
{
    master->is_drained = true;
    log_event(&master->log, LOG_LEVEL_NOTICE, NULL, "daemon.drained",
              "all workers are told to leave; connections wait until `fsdctl resume`", NULL);
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        if (master->inventory.pools[i]->phase != POOL_SUSPENDED) {
            pool_drain(master->inventory.pools[i]);
        }
    }
    waiting_give_up(master, WAITING_READY, "the daemon was drained meanwhile");
    reload_on_drained(master);
    if (deploy_has_begun(master)) {
        deploy_stop(master, "the daemon was drained meanwhile");
    }
}

void master_resume(struct master *master)
{
    master->is_drained = false;
    log_event(&master->log, LOG_LEVEL_NOTICE, NULL, "daemon.resumed", "workers are started again",
              NULL);
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        if (master->inventory.pools[i]->phase == POOL_DRAINED) {
            pool_start(master->inventory.pools[i]);
        }
    }
    waiting_give_up(master, WAITING_DRAINED, "the daemon was resumed meanwhile");
}

/* Something without which the daemon can't come up, only before it was ready.  Why has been logged. */
static void give_up(struct master *master, int exit_code)
{
    if (master->exit_code == FSD_EXIT_OK) {
        master->exit_code = exit_code;
    }
    master_stop(master, true);
}

/* What a person reads who started `fsd run`; scripts read the port from it. */
static void greet(const struct master *master)
{
    const struct conf *conf = master->inventory.conf;
    for (size_t i = 0; i < conf->pool_count; i++) {
        const struct conf_pool *pool = &conf->pools[i];
        for (size_t j = 0; j < pool->listener_count; j++) {
            const char *address =
                listener_get_address(master->inventory.listeners[pool->listeners[j]]);
            bool is_unix = strncmp(address, "unix:", 5) == 0;
            (void)printf("%s: listening on %s%s\n", conf->apps[pool->app].name,
                         is_unix ? "" : "http://", address);
        }
    }
    (void)printf("control: %s (fsdctl -s %s status)\n", conf->control_path, conf->control_path);
    (void)fflush(stdout); /* a closed stdout is the starter's choice */
}

static void check_ready(struct master *master)
{
    size_t serving = 0;
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        const struct pool *pool = master->inventory.pools[i];
        bool is_serving = pool_is_serving(pool);
        serving += is_serving;
        if (!is_serving && pool->phase != POOL_HELD && pool->phase != POOL_SUSPENDED) {
            return;
        }
    }
    if (serving == 0) {
        return; /* all are held: that is no daemon that is up */
    }
    if (master->was_ready || master->phase != MASTER_RUNNING) {
        return;
    }
    master->was_ready = true;
    if (master->options->development) {
        greet(master);
    }
    int64_t start_ms = (int64_t)(clock_wall_us() - master->started_us) / 1000;
    log_event(&master->log, LOG_LEVEL_NOTICE, NULL, "daemon.ready", "ready",
              LOG_FIELDS(log_int("start_ms", start_ms)));
}

/* A worker that can't start before the daemon was ever ready: some failures will not go away by trying again. */
static void judge_first_failure(struct master *master, const struct pool *pool,
                                const struct proc *proc, const char *why)
{
    if (master->was_ready || master->phase != MASTER_RUNNING || reload_is_running(master) ||
        pool->conf.own->source != NULL) { /* whoever started it from Lua is told */
        return;
    }
    enum proc_failure failure = proc == NULL ? PROC_FAILURE_NONE : proc->failure;
    switch (failure) {
    case PROC_FAILURE_MISMATCH:
        give_up(master, FSD_EXIT_PROTOCOL);
        break;
    case PROC_FAILURE_REFUSED:
        develop_on_not_loaded(master, why);
        give_up(master, FSD_EXIT_LOAD);
        break;
    case PROC_FAILURE_NONE:
    case PROC_FAILURE_BOOT_TIMEOUT:
    case PROC_FAILURE_HUNG:
    case PROC_FAILURE_BROKEN:
    case PROC_FAILURE_LEFT:
    case PROC_FAILURE_DIED:
    case PROC_FAILURE_SHUTDOWN_TIMEOUT:
        if (master->options->development) { /* without a process it was not the code's fault */
            give_up(master, proc == NULL ? FSD_EXIT_INTERNAL : FSD_EXIT_LOAD);
        }
        break;
    }
}

static void on_pool_news(struct pool *pool, unsigned slot, enum pool_news news,
                         const struct proc *proc, const char *why)
{
    struct master *master = pool->setting.owner;
    swap_on_pool_news(master, news, proc, why);
    switch (news) {
    case POOL_SLOT_READY:
        check_ready(master);
        break;
    case POOL_SLOT_FAILED:
        judge_first_failure(master, pool, proc, why);
        break;
    case POOL_SLOT_DIED:
    case POOL_SLOT_PREPARED:
    case POOL_SLOT_REJECTED:
    case POOL_SLOT_COMMITTED:
        break;
    case POOL_UP:
    case POOL_GAVE_UP:
    case POOL_DOWN:
        if (news != POOL_GAVE_UP || !setback_on_gave_up(master, pool, why)) {
            supervision_on_pool_news(master, pool, news);
        }
        check_ready(master);
        manager_update(master);
        return;
    case POOL_PROC_ENDED:
        obituary_write(master, pool, proc, why);
        return;
    case POOL_SLOT_EMPTY:
        deploy_on_pool_news(master, pool, slot, news, "its pool was stopped meanwhile");
        master_check_end(master);
        return;
    case POOL_REAPED:
        spawn_reap_foreign(master_owns, master); /* may have been waiting behind it */
        retired_touch(master);
        waiting_check(master);
        supervision_on_reaped(master);
        master_check_end(master);
        return;
    case POOL_WITHDRAWN:
        retired_touch(master);
        return;
    case POOL_PROC_LOST:
    case POOL_CODE_PREPARED:
    case POOL_CODE_REJECTED:
    case POOL_CODE_COMMITTED:
        return;
    }
    reload_on_pool_news(master, pool, slot, news, why);
    deploy_on_pool_news(master, pool, slot, news, why);
    waiting_check(master);
    manager_update(master);
}

/* Once a second. */
static int on_watch(sd_event_source *source, uint64_t usec, void *userdata)
{
    (void)usec;
    struct master *master = userdata;
    uint64_t now_ms = clock_monotonic_ms();
    bool is_late = pulse_is_late(master->watched_ms, now_ms);
    master->watched_ms = now_ms;
    (void)sd_event_source_set_time_relative(source, (uint64_t)PULSE_INTERVAL_MS * 1000);
    (void)sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
    retired_bury(master);
    obituary_retry(master);
    waiting_check(master);
    orders_touch(master);
    setback_watch(master);
    manager_tick(master);
    if (is_late) {
        log_write(&master->log, LOG_LEVEL_WARNING, NULL,
                  "the daemon itself was held up; no worker is judged by its heartbeat now", NULL);
        return 0;
    }
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        pool_watch(master->inventory.pools[i], now_ms);
    }
    return 0;
}

static void on_first_load(struct loader *loader, int exit_code, const char *why)
{
    struct master *master = OWNER_OF(loader, struct master, loader);
    if (master->phase == MASTER_STOPPING) {
        master_check_end(master);
        return;
    }
    if (exit_code != FSD_EXIT_OK) {
        char message[BUNDLER_ERROR_MAX + 32];
        (void)snprintf(message, sizeof(message), "cannot load the code: %s", why);
        log_write(&master->log, LOG_LEVEL_ERROR, NULL, message, NULL);
        develop_on_not_loaded(master, why);
        give_up(master, exit_code);
        return;
    }
    for (size_t i = 0; i < master->inventory.conf->app_count; i++) {
        bundle_store_commit(&master->inventory.apps[i]->store);
    }
    master->phase = MASTER_RUNNING;
    if (supervision_start(master) < 0) {
        give_up(master, FSD_EXIT_INTERNAL);
    }
}

static int run_loop(struct master *master)
{
    int error = sd_event_loop(master->loop);
    int exit_code = error < 0 ? FSD_EXIT_INTERNAL : master->exit_code;
    if (error < 0) {
        log_write(&master->log, LOG_LEVEL_ERROR, NULL, "the event loop failed",
                  LOG_FIELDS(log_text("reason", strerror(-error))));
    }
    log_write(&master->log, LOG_LEVEL_NOTICE, NULL, "stopped",
              LOG_FIELDS(log_int("exit_code", exit_code)));
    return exit_code;
}

static struct setup_events get_events(void)
{
    struct setup_events events = {.on_pool_news = on_pool_news, .on_watch = on_watch};
    events.signals = signals_get(&events.signal_count);
    return events;
}

int master_run(struct conf *conf, const struct master_options *options)
{
    struct setup_events events = get_events();
    struct master *master = setup_new(conf, options);
    if (master == NULL) {
        (void)fprintf(stderr, "fsd: out of memory\n");
        conf_free(conf);
        return FSD_EXIT_INTERNAL;
    }
    int exit_code = setup_open(master, conf, &events);
    if (exit_code == FSD_EXIT_OK) {
        master->watched_ms = clock_monotonic_ms();
        if (options->watches) {
            develop_start(master);
        }
        loader_start(&master->loader, master->inventory.apps, master->inventory.conf->app_count,
                     on_first_load);
        exit_code = run_loop(master);
    }
    setup_free(master);
    return exit_code;
}

int master_inherit(struct conf *conf, const struct master_options *options,
                   const struct upgrade_state *state, struct master **ret_master,
                   struct fsd_err *err)
{
    struct setup_events events = get_events();
    struct master *master = setup_new(conf, options);
    if (master == NULL) {
        return fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM));
    }
    int error = setup_inherit(master, conf, &events, state, err);
    if (error == 0) {
        *ret_master = master;
    }
    return error;
}

int master_go_on(struct master *master, const char *from, const char *note)
{
    int exit_code = FSD_EXIT_INTERNAL;
    if (master->options->watches) {
        develop_go_on(master);
    }
    upgrade_finish(master, from, note);
    spawn_reap_foreign(master_owns, master); /* their signal may have come in between */
    if (supervision_start(master) == 0) {
        exit_code = run_loop(master);
    }
    setup_free(master);
    return exit_code;
}
