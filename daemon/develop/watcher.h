#ifndef FSD_DAEMON_DEVELOP_WATCHER_H
#define FSD_DAEMON_DEVELOP_WATCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/develop/sources.h"

struct fsd_err;
struct watcher;

/* names: the files that have changed, for a person (see sources_compare); NULL: they cannot be read, why says it, once. */
typedef void (*watcher_fn)(struct watcher *watcher, const char *names, const char *why);

/* Watches the code of one application.  Embedded in its owner; all zero is closed. */
struct watcher {
    sd_event *loop; /* borrowed */
    char *root;     /* owned; absolute, without links */
    watcher_fn on_change;
    int inotify_fd; /* owned while there is a source */
    sd_event_source *events;
    sd_event_source *timer;
    bool is_waiting;   /* for the editor to be done */
    bool has_moved;    /* folders have come, gone or been renamed: all are watched anew */
    bool is_failing;   /* said so */
    uint64_t since_us; /* monotonic; the first event of those that are waited for */
    uint64_t hints;    /* how many these are */
    struct sources known;
};

/* Watches the folder of the main file (absolute path) and those below it.  0, or a negative errno with a sentence; then it is closed.
 * on_change comes from the loop, and may close the watcher. */
int watcher_open(struct watcher *watcher, sd_event *loop, const char *main_file,
                 watcher_fn on_change, struct fsd_err *err);
/* Something has been written just now, and on_change may follow. */
bool watcher_is_waiting(struct watcher *watcher);
void watcher_close(struct watcher *watcher);

#endif
