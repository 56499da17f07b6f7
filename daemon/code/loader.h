#ifndef FSD_DAEMON_CODE_LOADER_H
#define FSD_DAEMON_CODE_LOADER_H

#include "daemon/code/app.h"
#include "daemon/code/bundler.h"

struct loader;
struct log;

enum { LOADER_APPS_MAX = 256 }; /* as many as a configuration can have */

/* exit_code: FSD_EXIT_OK: every one of the apps has a candidate; else none has, and why is the reason. */
typedef void (*loader_fn)(struct loader *loader, int exit_code, const char *why);

/* Bundles apps, one after another.  Embedded in its owner; all zero is idle. */
struct loader {
    sd_event *loop;
    struct log *log;
    struct bundler_tool tool;
    struct app *apps[LOADER_APPS_MAX]; /* borrowed while it runs */
    char *paths[LOADER_APPS_MAX];      /* owned; of their code, without links; NULL: not found */
    size_t app_count;
    size_t at; /* the app that is being bundled */
    loader_fn on_done;
    struct bundler bundler;
};

void loader_init(struct loader *loader, sd_event *loop, struct log *log,
                 const struct bundler_tool *tool);
/* Makes a candidate for each of these apps (the array is copied, the apps are borrowed until the end); must be idle.  on_done comes
 * exactly once, possibly from inside the call. */
void loader_start(struct loader *loader, struct app *const *apps, size_t count, loader_fn on_done);
/* Ends the tool; on_done comes with a failure, unless the loader was idle. */
void loader_stop(struct loader *loader);
bool loader_is_idle(const struct loader *loader);

#endif
