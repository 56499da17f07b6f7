#ifndef FSD_DAEMON_CHANGE_SETBACK_H
#define FSD_DAEMON_CHANGE_SETBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "daemon/code/probation.h"

struct app;
struct app_setback;
struct master;
struct pool;

enum { SETBACK_WORDS_MAX = 512 };

/* What must be taken back by itself. */
struct setbacks {
    sd_event_source *begin; /* owned; NULL until it is needed */
    uint64_t not_before_ms; /* monotonic */
    unsigned failures;      /* of what is due, one after another */
    uint64_t
        tell_at_ms; /* monotonic: then supervisors hear of pools that are held still; 0: of none */
};

/* What is known of the code of an app that runs. */
struct probation_facts setback_get_facts(const struct master *master, size_t app);
/* What the daemon did, or is about to do, because the code that ran was not fit; NULL: nothing that would still matter. */
const struct app_setback *setback_find(const struct app *app);
/* A sentence about the first app whose code was taken back, or (is_due) is about to be.  False: there is none. */
bool setback_explain(const struct master *master, bool is_due, char words[SETBACK_WORDS_MAX]);

/* Once a second: code that has run its time is confirmed, and what is due is tried. */
void setback_watch(struct master *master);
/* A pool has tripped its restart limit: when its code is in probation, and other code is confirmed, that comes back (true), and the pool's
 * supervisor need not do anything about it. */
bool setback_on_gave_up(struct master *master, const struct pool *pool, const char *why);
/* No change is under way any more.  True: one has begun, because code must be taken back. */
bool setback_on_free(struct master *master);
/* Is code being taken back in this moment?  It may not run any more, and its workers be on their way still. */
bool setback_is_under_way(const struct master *master);
/* At the very end. */
void setback_close(struct master *master);

/* The code of this app, NULL: of all, counts as proven from now on. */
void setback_confirm(struct master *master, const struct app *only);
#endif
