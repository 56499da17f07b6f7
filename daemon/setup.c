/* setup.c - makes the master's parts before the first process is started, and takes them down at the end.
 * Owns nothing of its own.  The order is: signals blocked (workers and pidfds need that), loop, control socket (one daemon a
 * path), all listeners (an address that is taken must be seen before anything runs), then the empty pools.
 * Called by master_run.  Must not start a process. */
#include "daemon/setup.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/proto.h"
#include "daemon/conf/conf.h"
#include "daemon/master.h"
#include "daemon/state.h"

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
        error = sd_event_set_watchdog(master->loop, 1); /* nothing when systemd asks for none */
    }
    return error < 0 ? fail_internal(master, "make the event loop", error) : FSD_EXIT_OK;
}

static int open_control(struct master *master)
{
    struct fsd_err err = {""};
    size_t count = 0;
    int removed_stale = 0;
    const struct control_method *methods = methods_get(&count);
    if (control_open(&master->control, master->loop, master->conf->control_path, methods, count,
                     master, &removed_stale, &err) < 0) {
        return fail(master, FSD_EXIT_BIND, err.text);
    }
    if (removed_stale) {
        log_write(&master->log, LOG_LEVEL_INFO, NULL, "removed a stale control socket",
                  LOG_FIELDS(log_text("path", master->conf->control_path)));
    }
    return FSD_EXIT_OK;
}

/* One a CPU that we may use. */
static unsigned count_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        return 1;
    }
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : (unsigned)count;
}

static unsigned count_slots(const struct conf_pool *pool)
{
    return pool->count == 0 ? count_cpus() : pool->count;
}

static int open_listeners(struct master *master)
{
    enum log_level level =
        master->options->development ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE; /* it greets instead */
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        const struct conf_pool *pool = &master->conf->pools[i];
        for (size_t j = 0; j < pool->listener_count; j++) {
            size_t which = pool->listeners[j];
            struct fsd_err err = {""};
            struct listener *listener = &master->listeners[which];
            if (listener_open(listener, &master->conf->listeners[which], count_slots(pool), NULL,
                              &err) < 0) {
                return fail(master, FSD_EXIT_BIND, err.text);
            }
            log_write(&master->log, level, NULL, "listening",
                      LOG_FIELDS(log_text("address", listener->address),
                                 log_text("listener", listener->name),
                                 log_text("pool", pool->name)));
        }
    }
    return FSD_EXIT_OK;
}

static int open_pools(struct master *master, pool_fn on_news)
{
    for (size_t i = 0; i < master->conf->app_count; i++) {
        master->apps[i].conf = &master->conf->apps[i];
    }
    loader_init(&master->loader, master->loop, &master->log, master->options->worker_path,
                master->apps, master->conf->app_count);
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        const struct conf_pool *pool = &master->conf->pools[i];
        struct pool_setting setting = {.loop = master->loop,
                                       .log = &master->log,
                                       .conf = master->conf,
                                       .worker_path = master->options->worker_path,
                                       .incarnations = &master->incarnations,
                                       .store = &master->apps[pool->app].store,
                                       .listeners = master->listeners,
                                       .on_news = on_news,
                                       .owner = master};
        int error = pool_init(&master->pools[i], pool, count_slots(pool), &setting);
        if (error < 0) {
            return fail_internal(master, "prepare the workers", error);
        }
    }
    return FSD_EXIT_OK;
}

struct master *setup_new(const struct conf *conf, const struct master_options *options)
{
    struct master *master = calloc(1, sizeof(*master));
    if (master == NULL) {
        return NULL;
    }
    master->conf = conf;
    master->options = options;
    master->started_us = clock_wall_us();
    log_init(&master->log, STDERR_FILENO, conf->log_format, conf->log_level);
    master->listeners = calloc(conf->listener_count, sizeof(*master->listeners));
    master->apps = calloc(conf->app_count, sizeof(*master->apps));
    master->pools = calloc(conf->pool_count, sizeof(*master->pools));
    for (size_t i = 0; master->apps != NULL && i < conf->app_count; i++) {
        bundle_store_init(&master->apps[i].store);
    }
    if (master->listeners == NULL || master->apps == NULL || master->pools == NULL) {
        setup_free(master);
        return NULL;
    }
    return master;
}

int setup_open(struct master *master, const struct setup_events *events)
{
    int exit_code = open_loop(master, events);
    if (exit_code == FSD_EXIT_OK) {
        exit_code = open_control(master);
    }
    if (exit_code == FSD_EXIT_OK) {
        exit_code = open_listeners(master);
    }
    if (exit_code == FSD_EXIT_OK) {
        exit_code = open_pools(master, events->on_pool_news);
    }
    return exit_code;
}

void setup_free(struct master *master)
{
    if (master == NULL) {
        return;
    }
    control_close(master->control);
    for (size_t i = 0; master->pools != NULL && i < master->conf->pool_count; i++) {
        pool_fini(&master->pools[i]);
    }
    for (size_t i = 0; master->apps != NULL && i < master->conf->app_count; i++) {
        bundle_store_fini(&master->apps[i].store);
    }
    for (size_t i = 0; master->listeners != NULL && i < master->conf->listener_count; i++) {
        listener_close(&master->listeners[i]);
    }
    free(master->pools);
    free(master->apps);
    free(master->listeners);
    (void)sd_event_unref(master->loop);
    log_fini(&master->log);
    free(master);
}
