#ifndef FSD_DAEMON_UPGRADE_UPGRADE_PROBE_H
#define FSD_DAEMON_UPGRADE_UPGRADE_PROBE_H

#include <systemd/sd-event.h>

#include "daemon/proc/spawn.h"
#include "daemon/upgrade/upgrade_state.h"

struct fsd_err;
struct upgrade_probe;

/* What a program prints that could go on with a state: this word, its version, newline. */
#define UPGRADE_PROBE_WORD "fsd-upgrade"

/* version: of the program that would go on; NULL: it can't, and why says so. */
typedef void (*upgrade_probe_fn)(struct upgrade_probe *probe, const char *version, const char *why);

/* One trial of another program.  Embedded in its owner; all zero is idle. */
struct upgrade_probe {
    struct spawn_child child;
    int out_fd;             /* owned; what it says */
    const char *path;       /* borrowed */
    sd_event_source *ended; /* owned */
    sd_event_source *timer; /* owned */
    upgrade_probe_fn on_done;
    bool is_running;
    bool is_late;
};

/* Starts the program at path on a copy of the state (state_fd stays the caller's).  on_done comes once, never from inside the call.
 * 0, or a negative errno with a sentence. */
int upgrade_probe_start(struct upgrade_probe *probe, sd_event *loop, const char *path, int state_fd,
                        upgrade_probe_fn on_done, struct fsd_err *err);
/* Ends it; on_done does not come any more.  Idle is fine. */
void upgrade_probe_stop(struct upgrade_probe *probe);

#endif
