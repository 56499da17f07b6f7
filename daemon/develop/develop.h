#ifndef FSD_DAEMON_DEVELOP_DEVELOP_H
#define FSD_DAEMON_DEVELOP_DEVELOP_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/develop/watcher.h"

struct master;

enum { DEVELOP_NAMES_MAX = 1024 };

/* What `fsd run` does for a developer.  Embedded in the master; all zero does nothing. */
struct develop {
    struct watcher watcher;
    sd_event_source *retry;         /* owned; NULL: nothing is watched */
    char wanted[DEVELOP_NAMES_MAX]; /* what has changed, and no reload has begun for; "" nothing */
    char asked[DEVELOP_NAMES_MAX];  /* what the reload that runs is about; "" it is not ours */
    uint64_t since_us;              /* monotonic; when that was asked for */
    bool gives_up;                  /* one that is slow, for another that is wanted now */
    uint64_t seen;                  /* by the program before this one, see develop_get_seen */
};

/* Begins to watch the application's files, before they are read for the first time.  What can't be watched is told to the developer. */
void develop_start(struct master *master);
/* What was found when the code that runs was asked for, as one number for the program that takes this one's place; 0: not that. */
uint64_t develop_get_seen(const struct develop *develop);
/* The same as develop_start where the code runs already: what is different from .seen is reloaded. */
void develop_go_on(struct master *master);
/* The first code can't be loaded, and the daemon ends. */
void develop_on_not_loaded(struct master *master, const char *why);
/* A reload, whoever wanted it, has ended; why NULL: it is done. */
void develop_on_reloaded(struct master *master, const char *why);
/* Nothing is watched or told any more.  Idle is fine. */
void develop_stop(struct master *master);

#endif
