/* setup.c - makes the master's parts before the first process is started, and takes them down at the end.
 * Owns nothing of its own.  The order is: what systemd handed over, signals blocked (workers and pidfds need that), loop, log,
 * control socket (one daemon a path), the objects of the configuration, all listeners (an address that is taken must be seen
 * before anything runs).
 * Called by master_run.  Must not start a process. */
#include "daemon/setup.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/proto.h"
#include "daemon/change/retired.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/file.h"
#include "daemon/crash/obituary.h"
#include "daemon/host/cpus.h"
#include "daemon/log/log_hub.h"
#include "daemon/log_files.h"
#include "daemon/master.h"
#include "daemon/proc/pulse.h"
#include "daemon/state.h"
#include "daemon/upgrade/upgrade_give.h"
#include "daemon/upgrade/upgrade_state.h"

enum {
    WATCH_ACCURACY_US = 10000,
    DYING_WAITS = 100, /* workers of a killed daemon are gone within a second */
    DYING_WAIT_NS = 10 * 1000 * 1000,
};

static int fail(struct master *master, int exit_code, const char *message)
{
    log_write(&master->log, LOG_LEVEL_ERROR, NULL, message, NULL);
    return exit_code;
}

static int fail_internal(struct master *master, const char *what, int error)
{
    struct fsd_err err;
    (void)fsd_err_set(&err, 0, "cannot %s: %s", what, strerror(-error));
    return fail(master, FSD_EXIT_INTERNAL, err.text);
}

static int open_loop(struct master *master, const struct setup_events *events)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an errno, not our end */
    (void)signal(SIGXFSZ, SIG_IGN); /* and so is a log file that may not grow */
    int error = sd_event_new(&master->loop);
    for (size_t i = 0; error >= 0 && i < events->signal_count; i++) {
        sigset_t one;
        (void)sigemptyset(&one);
        (void)sigaddset(&one, events->signals[i].number);
        error = sigprocmask(SIG_BLOCK, &one, NULL) == 0 ? 0 : -errno;
        if (error == 0) {
            error = sd_event_add_signal(master->loop, NULL, events->signals[i].number,
                                        events->signals[i].on_signal, master);
        }
    }
    if (error >= 0) {
        error = log_attach(&master->log, master->loop);
    }
    if (error >= 0) {
        error = manager_watch(&master->manager, master->loop);
    }
    if (error >= 0) {
        error = sd_event_add_time_relative(master->loop, &master->watch, CLOCK_MONOTONIC,
                                           (uint64_t)PULSE_INTERVAL_MS * 1000, WATCH_ACCURACY_US,
                                           events->on_watch, master);
    }
    return error < 0 ? fail_internal(master, "make the event loop", error) : FSD_EXIT_OK;
}

/* `fsd run` is for a developer, who runs it as himself and wants to look into it. */
static int open_privilege(struct master *master, const struct conf *conf)
{
    struct fsd_err err = {""};
    if (privilege_init(&master->privilege, conf->user, conf->group, &err) < 0) {
        return fail(master, FSD_EXIT_CONFIG, err.text);
    }
    if (master->options->development) {
        return FSD_EXIT_OK;
    }
    if (!privilege_shield(&master->privilege)) {
        log_write(&master->log, LOG_LEVEL_INFO, NULL,
                  "core dumps are allowed, so processes of the same user can look into the daemon "
                  "and its workers",
                  NULL);
    }
    if (master->privilege.uid == 0 && conf->user == NULL) {
        log_write(&master->log, LOG_LEVEL_WARNING, NULL,
                  "workers run the application's code as root: name another user with the key "
                  "\"user\" of the configuration",
                  NULL);
    }
    return FSD_EXIT_OK;
}

static void on_refused(void *owner, const char *why, uint64_t count)
{
    struct master *master = owner;
    log_event(&master->log, LOG_LEVEL_WARNING, NULL, "control.refused", why,
              LOG_FIELDS(log_int("refused", (int64_t)count)));
}

static void guard_control(struct master *master)
{
    if (!master->options->development) {
        control_guard(master->control, master->privilege.uid, on_refused);
    }
}

static int open_control(struct master *master)
{
    struct fsd_err err = {""};
    size_t count = 0;
    int removed_stale = 0;
    const struct control_method *methods = methods_get(&count);
    const char *path = master->inventory.conf->control_path;
    if (control_open(&master->control, master->loop, path, methods, count, master, &removed_stale,
                     &err) < 0) {
        return fail(master, FSD_EXIT_BIND, err.text);
    }
    guard_control(master);
    if (removed_stale) {
        master->follows_killed = true;
        log_write(&master->log, LOG_LEVEL_INFO, NULL, "removed a stale control socket",
                  LOG_FIELDS(log_text("path", path)));
    }
    return FSD_EXIT_OK;
}

static int open_streams(struct master *master)
{
    int error = stream_open(&master->streams, master->loop, master->hub);
    return error < 0 ? fail_internal(master, "prepare what follows the log", error) : FSD_EXIT_OK;
}

/* Whether a socket that is taken may belong to the workers of a daemon that was killed; then some time has passed. */
static bool wait_for_dying(const struct master *master, int waits)
{
    const struct timespec wait = {.tv_nsec = DYING_WAIT_NS};
    bool is_possible = master->follows_killed && waits < DYING_WAITS;
    return is_possible && nanosleep(&wait, NULL) == 0;
}

static int open_listener(struct master *master, const struct conf_pool *pool, size_t index,
                         unsigned count)
{
    enum log_level level =
        master->options->development ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE; /* it greets instead */
    struct fsd_err err = {""};
    struct listener *listener = master->inventory.listeners[index];
    const struct conf_listener *conf = &master->inventory.conf->listeners[index];
    struct listener_inherited inherited = activation_take(&master->manager.activation, conf);
    int error = listener_open(listener, conf, count, &inherited, &err);
    for (int waits = 0; error == -EADDRINUSE && wait_for_dying(master, waits); waits++) {
        error = listener_open(listener, conf, count, NULL, &err);
    }
    if (error < 0) {
        return fail(master, FSD_EXIT_BIND, err.text);
    }
    log_write(&master->log, level, NULL, "listening",
              LOG_FIELDS(log_text("address", listener_get_address(listener)),
                         log_text("listener", conf->name), log_text("pool", pool->name)));
    return FSD_EXIT_OK;
}

/* An earlier daemon may have had more sockets than the pool has slots now: what waits in them is served, as in a pool that shrinks. */
static int keep_surplus(struct master *master, size_t index, unsigned count)
{
    const struct conf_pool *own = &master->inventory.conf->pools[index];
    struct fsd_err err = {""};
    unsigned made = count;
    int error = 0;
    for (size_t i = 0; i < own->listener_count; i++) {
        struct listener *listener = master->inventory.listeners[own->listeners[i]];
        listener_shrink(listener, POOL_SLOTS_MAX);
        made = listener->count > made ? listener->count : made;
    }
    for (size_t i = 0; i < own->listener_count && made > count && error >= 0; i++) {
        struct listener *listener = master->inventory.listeners[own->listeners[i]];
        error = listener_grow(listener, made, &err);
        if (error >= 0) {
            (void)listener_exclude(listener, count); /* one that fails has more to serve */
        }
    }
    if (error < 0) {
        return fail(master, FSD_EXIT_BIND, err.text);
    }
    error = pool_add_retiring(master->inventory.pools[index], made);
    return error < 0 ? fail_internal(master, "prepare the workers", error) : FSD_EXIT_OK;
}

static int open_listeners(struct master *master)
{
    const struct conf *conf = master->inventory.conf;
    for (size_t i = 0; i < conf->pool_count; i++) {
        const struct conf_pool *pool = &conf->pools[i];
        unsigned count = inventory_count(&master->inventory, i, master->auto_count);
        for (size_t j = 0; j < pool->listener_count; j++) {
            int exit_code = open_listener(master, pool, pool->listeners[j], count);
            if (exit_code != FSD_EXIT_OK) {
                return exit_code;
            }
        }
        int exit_code = keep_surplus(master, i, count);
        if (exit_code != FSD_EXIT_OK) {
            return exit_code;
        }
    }
    activation_close(&master->manager.activation);
    return FSD_EXIT_OK;
}

static int open_manager(struct master *master, const struct conf *conf)
{
    struct fsd_err err = {""};
    int error = manager_open(&master->manager, conf, &master->log, &err);
    return error < 0 ? fail(master, FSD_EXIT_BIND, err.text) : FSD_EXIT_OK;
}

static bool has_auto_pool(const struct conf *conf)
{
    for (size_t i = 0; i < conf->pool_count; i++) {
        if (conf->pools[i].count == 0) {
            return true;
        }
    }
    return false;
}

static void count_cpus(struct master *master, const struct conf *conf)
{
    struct cpus cpus;
    cpus_read(&cpus);
    master->auto_count = cpus.count;
    if (has_auto_pool(conf)) {
        log_write(&master->log, LOG_LEVEL_INFO, NULL, "count: auto",
                  LOG_FIELDS(log_int("workers", cpus.count), log_text("because", cpus.reason)));
    }
}

static int open_inventory(struct master *master, struct conf *conf, uint64_t number,
                          pool_fn on_news)
{
    static const struct inventory none = {0};
    struct bundler_tool tool = {master->options->worker_path, &master->privilege};
    loader_init(&master->loader, master->loop, &master->log, &tool);
    orders_open(master);
    master->pool_setting = (struct pool_setting){.loop = master->loop,
                                                 .log = &master->log,
                                                 .worker_path = master->options->worker_path,
                                                 .privilege = &master->privilege,
                                                 .members = &master->members,
                                                 .asks = &master->orders.asks,
                                                 .access_fd = &master->access.fd,
                                                 .incarnations = &master->incarnations,
                                                 .on_news = on_news,
                                                 .owner = master};
    struct inventory_need need = {&master->pool_setting, master->auto_count};
    int error = inventory_make(&master->inventory, conf, number, &none, &need);
    return error < 0 ? fail_internal(master, "prepare the workers", error) : FSD_EXIT_OK;
}

/* Without its file the log goes to stderr until the file can be opened: no reason not to serve. */
static void open_log(struct master *master, const struct conf *conf)
{
    struct fsd_err err;
    log_init(&master->log, STDERR_FILENO, conf->log_format, conf->log_level);
    master->log.hub = master->hub;
    if (conf->log_path != NULL && log_open_file(&master->log, conf->log_path, &err) < 0) {
        log_event(&master->log, LOG_LEVEL_ERROR, NULL, "log.failed", err.text, NULL);
    }
}

struct master *setup_new(const struct conf *conf, const struct master_options *options)
{
    struct master *master = calloc(1, sizeof(*master));
    if (master == NULL) {
        return NULL;
    }
    master->options = options;
    manager_init(&master->manager);
    master->started_us = clock_wall_us();
    master->hub = log_hub_new();
    open_log(master, conf);
    access_log_init(&master->access);
    if (upgrade_init(&master->upgrade) < 0 || master->hub == NULL) {
        setup_free(master);
        return NULL;
    }
    return master;
}

int setup_open(struct master *master, struct conf *conf, const struct setup_events *events)
{
    int exit_code = open_manager(master, conf);
    if (exit_code == FSD_EXIT_OK) {
        exit_code = open_privilege(master, conf);
    }
    if (exit_code == FSD_EXIT_OK) {
        exit_code = open_loop(master, events);
    }
    if (exit_code != FSD_EXIT_OK) {
        conf_free(conf);
        return exit_code;
    }
    count_cpus(master, conf);
    master->config_last = 1;
    exit_code = open_inventory(master, conf, master->config_last, events->on_pool_news);
    if (exit_code == FSD_EXIT_OK) {
        log_files_follow(master);
        exit_code = open_streams(master);
    }
    if (exit_code == FSD_EXIT_OK) {
        exit_code = open_control(master);
    }
    if (exit_code == FSD_EXIT_OK) {
        exit_code = open_listeners(master);
    }
    if (exit_code == FSD_EXIT_OK) { /* not before it is sure that no other daemon is here */
        (void)file_make_folder(conf->state_path); /* who can't use it says so */
        configs_open(master);
        obituary_open(master);
    }
    return exit_code;
}

int setup_inherit(struct master *master, struct conf *conf, const struct setup_events *events,
                  const struct upgrade_state *state, struct fsd_err *err)
{
    master->auto_count = (unsigned)state->auto_count;
    bool is_made =
        open_manager(master, conf) == FSD_EXIT_OK && open_privilege(master, conf) == FSD_EXIT_OK &&
        open_loop(master, events) == FSD_EXIT_OK &&
        open_inventory(master, conf, state->config_number, events->on_pool_news) == FSD_EXIT_OK &&
        open_streams(master) == FSD_EXIT_OK;
    if (!is_made) { /* the log has the reason */
        return fsd_err_set(err, ENOMEM, "cannot make the event loop or the pools");
    }
    activation_close(&master->manager.activation);
    int error = upgrade_give(master, state, err);
    if (error == 0) {
        guard_control(master);
        configs_inherit(master);
        obituary_open(master);
    }
    return error;
}

void setup_free(struct master *master)
{
    if (master == NULL) {
        return;
    }
    develop_stop(master);
    stream_close(master->streams);
    control_close(master->control);
    setback_close(master);
    retired_free(master);
    orders_close(master);
    tree_free(master->tree);
    upgrade_fini(&master->upgrade);
    configs_close(master);
    obituary_close(master);
    inventory_free_without(&master->inventory, NULL);
    manager_close(&master->manager);
    master->watch = sd_event_source_disable_unref(master->watch);
    (void)sd_event_unref(master->loop);
    access_log_close(&master->access);
    log_fini(&master->log);
    log_hub_free(master->hub);
    privilege_fini(&master->privilege);
    free(master);
}
