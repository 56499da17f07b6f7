/* log_files.c - the files that logs go to, for the daemon that runs.
 * Owns nothing: the log and the access log are the master's.  Its own log the daemon writes itself (log/log.c); the access log is
 * opened here and handed to every worker, those that boot get it with all else (proc/proc_say.c).
 * Called at start, when a configuration has been applied, and by who rotates files (SIGUSR1, `fsdctl logs --reopen`).  Must not know
 * what is written. */
#include "daemon/log_files.h"

#include "common/err.h"
#include "daemon/state.h"

static void hand_out(struct master *master)
{
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        pool_give_access(master->inventory.pools[i]);
    }
}

static int open_access(struct master *master, struct fsd_err *err)
{
    int error = access_log_open(&master->access, master->inventory.conf->log_access_path, err);
    if (error == 0) {
        hand_out(master);
    }
    return error;
}

void log_files_follow(struct master *master)
{
    struct fsd_err err;
    if (master->inventory.conf->log_access == NULL) {
        access_log_close(&master->access); /* workers close theirs when they are told the format */
    } else if (open_access(master, &err) < 0) {
        log_event(&master->log, LOG_LEVEL_ERROR, NULL, "log.failed", err.text, NULL);
    }
}

int log_files_reopen(struct master *master, struct fsd_err *err)
{
    int reopened = log_reopen(&master->log, err);
    if (master->inventory.conf->log_access == NULL ||
        master->inventory.conf->log_access_path == NULL) {
        return reopened;
    }
    struct fsd_err access_err;
    int error = open_access(master, &access_err);
    if (error < 0 && reopened >= 0) {
        *err = access_err;
    }
    return reopened < 0 ? reopened : error < 0 ? error : 1;
}
