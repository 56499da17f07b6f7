/* signals.c - what each signal asks the daemon to do.
 * Owns the rows.  Signals come through the loop, one at a time; each has a command of fsdctl that does the same with an answer and
 * an exit code, and should be used where somebody reads it.
 * Called by the loop.  Must not do more than pass the wish on. */
#include "daemon/signals.h"

#include <signal.h>
#include <string.h>
#include <systemd/sd-event.h>

#include "common/err.h"
#include "daemon/log_files.h"
#include "daemon/setup.h"
#include "daemon/state.h"

static void log_signal(struct master *master, enum log_level level, const char *message,
                       const struct signalfd_siginfo *info)
{
    log_write(&master->log, level, NULL, message,
              LOG_FIELDS(log_text("signal", sigabbrev_np((int)info->ssi_signo)),
                         log_int("from_pid", info->ssi_pid)));
}

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    struct master *master = userdata;
    log_signal(master, LOG_LEVEL_INFO, "signal received", info);
    master_stop(master, master->phase == MASTER_STOPPING);
    return 0;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    log_signal(userdata, LOG_LEVEL_INFO, "signal received", info);
    reload_start(userdata, NULL, false);
    return 0;
}

static int on_reopen(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    struct master *master = userdata;
    struct fsd_err err;
    if (log_files_reopen(master, &err) < 0) {
        log_event(&master->log, LOG_LEVEL_ERROR, NULL, "log.failed", err.text, NULL);
    }
    return 0;
}

static int on_drain(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    struct master *master = userdata;
    if (info->ssi_code != SI_USER) {
        return 0; /* the terminal has another size */
    }
    log_signal(master, LOG_LEVEL_INFO, "signal received", info);
    if (master->phase == MASTER_RUNNING) {
        master_drain(master);
    }
    return 0;
}

/* Every pool gets a worker more or less; not below one. */
static int on_scale(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    struct master *master = userdata;
    log_signal(master, LOG_LEVEL_INFO, "signal received", info);
    if (info->ssi_code == SI_USER) { /* the terminal sends them, too, to a job in the background */
        configs_scale_all(master, info->ssi_signo == SIGTTIN ? 1 : -1);
    }
    return 0;
}

static int on_upgrade(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    log_signal(userdata, LOG_LEVEL_INFO, "signal received", info);
    upgrade_start(userdata, NULL);
    return 0;
}

/* Signals that other daemons have a use for, and that would end us: an operator's habit must not stop the service. */
static int on_unused(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    log_signal(userdata, LOG_LEVEL_WARNING, "signal without a meaning is ignored", info);
    return 0;
}

static int on_child(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
    (void)source;
    (void)info;
    spawn_reap_foreign(master_owns, userdata);
    return 0;
}

static const struct setup_signal rows[] = {
    {SIGTERM, on_stop},   {SIGINT, on_stop},   {SIGQUIT, on_stop},   {SIGHUP, on_reload},
    {SIGWINCH, on_drain}, {SIGCHLD, on_child}, {SIGUSR1, on_reopen}, {SIGUSR2, on_upgrade},
    {SIGTTIN, on_scale},  {SIGTTOU, on_scale}, {SIGALRM, on_unused},
};

const struct setup_signal *signals_get(size_t *ret_count)
{
    *ret_count = sizeof(rows) / sizeof(rows[0]);
    return rows;
}
