#ifndef FSD_DAEMON_CODE_BUNDLER_H
#define FSD_DAEMON_CODE_BUNDLER_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "daemon/code/bundle.h"
#include "daemon/proc/spawn.h"

struct bundler;
struct fsd_err;
struct privilege;

enum {
    BUNDLER_ERROR_MAX = 16384, /* of what the tool says; the rest is dropped */
    BUNDLER_OUT_MAX = 256,
    BUNDLER_LIMIT_MS = 60000,
    BUNDLER_BYTES_MAX =
        128 << 20, /* above what the tool accepts; it is kept for as long as the code is */
};

/* exit_code: FSD_EXIT_OK (bundle is set, its descriptor now the callee's) or why there is none; then bundler->error has the
 * reason, one or more lines "FILE:LINE: what". */
typedef void (*bundler_fn)(struct bundler *bundler, int exit_code, const struct bundle *bundle);

/* One run of `fsd-worker --tool bundle`.  Embedded in its owner; all zero is idle. */
struct bundler {
    bool is_running;
    bool is_late; /* was killed because it took too long */
    bundler_fn on_done;
    const char *path;                  /* borrowed; of the program */
    const struct privilege *privilege; /* borrowed */
    struct spawn_child child;
    int memfd;    /* owned */
    int out_fd;   /* owned */
    int error_fd; /* owned */
    sd_event_source *exit_source;
    sd_event_source *out_source;
    sd_event_source *error_source;
    sd_event_source *timer;
    size_t out_len;
    size_t error_len;
    char out[BUNDLER_OUT_MAX];
    char error[BUNDLER_ERROR_MAX];
};

/* What every run has in common: the program, and whom it runs as. */
struct bundler_tool {
    const char *path;
    const struct privilege *privilege; /* NULL: as we are */
};

/* Starts bundling the application whose main file is app.  All that is pointed to is borrowed until on_done, which comes later and
 * exactly once.  0, or a negative errno with a sentence (on_done does not come then). */
int bundler_start(struct bundler *bundler, sd_event *loop, const struct bundler_tool *tool,
                  const char *app, bundler_fn on_done, struct fsd_err *err);
/* Kills the tool; on_done still comes.  Idle is fine. */
void bundler_kill(struct bundler *bundler);

#endif
