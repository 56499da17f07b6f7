#ifndef FSD_DAEMON_CRASH_CRASHES_H
#define FSD_DAEMON_CRASH_CRASHES_H

#include <jansson.h>

#include "daemon/crash/report.h"
#include "daemon/crash/store.h"

/* All that the master keeps of crashes. */
struct crashes {
    struct store store;
};

/* Reads the reports in STATE/crashes; the folder may be missing.  0, or -ENOMEM with a sentence. */
int crashes_open(struct crashes *crashes, const char *state_path, struct fsd_err *err);
/* Writes what has waited, if it can. */
void crashes_close(struct crashes *crashes);
/* Makes and keeps the report of a worker.  0; or a negative errno with a sentence, -ENOMEM: there is no report and id is "", else: it
 * could not be written, is shown by the methods nevertheless, and id is set.  To be said in the log once: when crashes_is_failing
 * has changed. */
int crashes_add(struct crashes *crashes, const struct crash_input *input, char id[CRASH_ID_MAX],
                struct fsd_err *err);
/* The id of the newest report about the pool, borrowed until the next call that changes anything; NULL: there is none. */
const char *crashes_find_newest(const struct crashes *crashes, const char *pool);
bool crashes_is_failing(const struct crashes *crashes);
/* While it is failing, now and then: tries again to write what is in memory.  As crashes_add. */
int crashes_retry(struct crashes *crashes, struct fsd_err *err);
/* The results of the method "crashes", the caller's: fsd.crashes/1, newest first (NULL when memory is out); fsd.crash/1 (NULL with a
 * sentence for the caller of the method, when there is no such report). */
json_t *crashes_list(const struct crashes *crashes);
json_t *crashes_get(const struct crashes *crashes, const char *id, struct fsd_err *err);

#endif
