/* master.c - gives the daemon's life an order: load the code, start the pools, supervise, leave when the last process is gone.
 * Owns the decisions that concern the daemon as a whole: when it is ready, which failure at first start ends it and with which
 * exit code, what each signal means.  Events come from signals, the pools, the loader and the control socket; each is
 * passed to the module that decides.  Called by the verbs of main.c through master_run.
 * Must not know how a worker lives (incarnation.c), how a slot replaces one (slot.c), or how a reload proceeds (rolling.c). */
#include "daemon/master.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "common/clock.h"
#include "common/proto.h"
#include "daemon/owner.h"
#include "daemon/setup.h"
#include "daemon/state.h"

static bool owns(const void *owner, pid_t pid)
{
    const struct master *master = owner;
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        if (pool_owns(&master->pools[i], pid)) {
            return true;
        }
    }
    return !loader_is_idle(&master->loader) && master->loader.bundler.child.pid == pid;
}

void master_check_end(struct master *master)
{
    if (master->phase != MASTER_STOPPING || !loader_is_idle(&master->loader)) {
        return;
    }
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        if (!pool_is_empty(&master->pools[i])) {
            return;
        }
    }
    (void)sd_event_exit(master->loop, 0); /* fails only when the loop has ended already */
}

void master_stop(struct master *master, bool now)
{
    if (master->phase != MASTER_STOPPING) {
        master->phase = MASTER_STOPPING;
        (void)sd_notify(0, "STOPPING=1\nSTATUS=stopping"); /* nobody listens: fine */
        log_write(&master->log, LOG_LEVEL_NOTICE, NULL, now ? "stopping at once" : "stopping",
                  NULL);
        reload_stop(master);
        loader_stop(&master->loader);
    } else if (now) {
        log_write(&master->log, LOG_LEVEL_NOTICE, NULL, "stopping at once", NULL);
    }
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        pool_stop(&master->pools[i], now);
    }
    master_check_end(master);
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
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        const struct conf_pool *pool = &master->conf->pools[i];
        for (size_t j = 0; j < pool->listener_count; j++) {
            const char *address = master->listeners[pool->listeners[j]].address;
            bool is_unix = strncmp(address, "unix:", 5) == 0;
            (void)printf("%s: listening on %s%s\n", master->conf->apps[pool->app].name,
                         is_unix ? "" : "http://", address);
        }
    }
    (void)printf("control: %s (fsdctl -s %s status)\n", master->conf->control_path,
                 master->conf->control_path);
    (void)fflush(stdout); /* a closed stdout is the starter's choice */
}

static void check_ready(struct master *master)
{
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        if (!pool_is_serving(&master->pools[i])) {
            return;
        }
    }
    if (master->was_ready || master->phase != MASTER_RUNNING) {
        return;
    }
    master->was_ready = true;
    (void)sd_notify(0, "READY=1\nSTATUS=serving");
    if (master->options->development) {
        greet(master);
    }
    int64_t start_ms = (int64_t)(clock_wall_us() - master->started_us) / 1000;
    log_write(&master->log, LOG_LEVEL_NOTICE, NULL, "ready",
              LOG_FIELDS(log_int("start_ms", start_ms)));
}

/* A worker that can't start before the daemon was ever ready: some failures will not go away by trying again. */
static void judge_first_failure(struct master *master, const struct proc *proc)
{
    if (master->was_ready || master->phase != MASTER_RUNNING || reload_is_running(master)) {
        return;
    }
    enum proc_failure failure = proc == NULL ? PROC_FAILURE_NONE : proc->failure;
    switch (failure) {
    case PROC_FAILURE_MISMATCH:
        give_up(master, FSD_EXIT_PROTOCOL);
        break;
    case PROC_FAILURE_REFUSED:
        give_up(master, FSD_EXIT_LOAD);
        break;
    case PROC_FAILURE_NONE:
    case PROC_FAILURE_OTHER:
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
    switch (news) {
    case POOL_SLOT_READY:
        check_ready(master);
        break;
    case POOL_SLOT_FAILED:
        judge_first_failure(master, proc);
        break;
    case POOL_SLOT_DIED:
        break;
    case POOL_SLOT_EMPTY:
        master_check_end(master);
        return;
    case POOL_REAPED:
        spawn_reap_foreign(owns, master); /* may have been waiting behind it */
        master_check_end(master);
        return;
    }
    reload_on_pool_news(master, pool, slot, news, why);
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
        give_up(master, exit_code);
        return;
    }
    for (size_t i = 0; i < master->conf->app_count; i++) {
        bundle_store_commit(&master->apps[i].store);
    }
    master->phase = MASTER_RUNNING;
    for (size_t i = 0; i < master->conf->pool_count; i++) {
        pool_start(&master->pools[i]);
    }
}

static int on_stop_signal(sd_event_source *source, const struct signalfd_siginfo *info,
                          void *userdata)
{
    (void)source;
    struct master *master = userdata;
    log_write(&master->log, LOG_LEVEL_INFO, NULL, "signal received",
              LOG_FIELDS(log_text("signal", sigabbrev_np((int)info->ssi_signo)),
                         log_int("from_pid", info->ssi_pid)));
    master_stop(master, master->phase == MASTER_STOPPING);
    return 0;
}

static int on_reload_signal(sd_event_source *source, const struct signalfd_siginfo *info,
                            void *userdata)
{
    (void)source;
    (void)info;
    reload_start(userdata, NULL, true);
    return 0;
}

/* Signals that other daemons have a use for, and that would end us: an operator's habit must not stop the service. */
static int on_unused_signal(sd_event_source *source, const struct signalfd_siginfo *info,
                            void *userdata)
{
    (void)source;
    struct master *master = userdata;
    log_write(&master->log, LOG_LEVEL_WARNING, NULL, "signal without a meaning is ignored",
              LOG_FIELDS(log_int("signal", (int64_t)info->ssi_signo)));
    return 0;
}

static int on_child_signal(sd_event_source *source, const struct signalfd_siginfo *info,
                           void *userdata)
{
    (void)source;
    (void)info;
    spawn_reap_foreign(owns, userdata);
    return 0;
}

static const struct setup_signal signals[] = {
    {SIGTERM, on_stop_signal},  {SIGINT, on_stop_signal},    {SIGHUP, on_reload_signal},
    {SIGCHLD, on_child_signal}, {SIGUSR1, on_unused_signal}, {SIGUSR2, on_unused_signal},
    {SIGQUIT, on_stop_signal},  {SIGALRM, on_unused_signal},
};

int master_run(const struct conf *conf, const struct master_options *options)
{
    struct setup_events events = {on_pool_news, signals, sizeof(signals) / sizeof(signals[0])};
    struct master *master = setup_new(conf, options);
    if (master == NULL) {
        (void)fprintf(stderr, "fsd: out of memory\n");
        return FSD_EXIT_INTERNAL;
    }
    int exit_code = setup_open(master, &events);
    if (exit_code == FSD_EXIT_OK) {
        loader_start(&master->loader, on_first_load);
        int error = sd_event_loop(master->loop);
        exit_code = error < 0 ? FSD_EXIT_INTERNAL : master->exit_code;
        if (error < 0) {
            log_write(&master->log, LOG_LEVEL_ERROR, NULL, "the event loop failed",
                      LOG_FIELDS(log_text("reason", strerror(-error))));
        }
        log_write(&master->log, LOG_LEVEL_NOTICE, NULL, "stopped",
                  LOG_FIELDS(log_int("exit_code", exit_code)));
    }
    setup_free(master);
    return exit_code;
}
