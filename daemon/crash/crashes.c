/* crashes.c - what the master calls when a worker has crashed, and when somebody asks about it.
 * Owns the store.  A crash becomes a report, the report a name and a place in the store; the two methods are the store's list
 * and one report.  Called by the master at start, after it has seen to the replacement of a dead worker (a report takes a
 * millisecond), and by the control methods.  Must not know why a report is made. */
#include "daemon/crash/crashes.h"

#include <errno.h>

int crashes_open(struct crashes *crashes, const char *state_path, struct fsd_err *err)
{
    int result = store_open(&crashes->store, state_path);
    return result < 0 ? fsd_err_set(err, -result, "cannot read crash reports: out of memory") : 0;
}

void crashes_close(struct crashes *crashes)
{
    (void)store_retry(&crashes->store, NULL); /* the last chance; there is no one left to tell */
    store_close(&crashes->store);
}

int crashes_add(struct crashes *crashes, const struct crash_input *input, char id[CRASH_ID_MAX],
                struct fsd_err *err)
{
    unsigned repeat = 0;
    do { /* the second try is for a clock that was set back; there are not more than STORE_MAX */
        crash_id_format(input->at_us, input->pool, input->slot, input->incarnation, repeat++, id);
    } while (store_has(&crashes->store, id));
    json_t *report = report_build(input, id);
    json_t *row = report == NULL ? NULL : report_summarize(report);
    if (row == NULL) {
        json_decref(report);
        id[0] = '\0';
        return fsd_err_set(err, ENOMEM, "cannot make a crash report: out of memory");
    }
    int result = store_add(&crashes->store, id, row, report, err);
    json_decref(report);
    if (result < 0 && !store_has(&crashes->store, id)) {
        id[0] = '\0';
    }
    return result;
}

const char *crashes_find_newest(const struct crashes *crashes, const char *pool)
{
    return store_find_newest(&crashes->store, pool);
}

bool crashes_is_failing(const struct crashes *crashes)
{
    return store_is_failing(&crashes->store);
}

int crashes_retry(struct crashes *crashes, struct fsd_err *err)
{
    return store_retry(&crashes->store, err);
}

json_t *crashes_list(const struct crashes *crashes)
{
    return json_pack("{s:s, s:s, s:o}", "schema", "fsd.crashes/1", "folder", crashes->store.folder,
                     "crashes", store_list(&crashes->store));
}

json_t *crashes_get(const struct crashes *crashes, const char *id, struct fsd_err *err)
{
    return store_load(&crashes->store, id, err);
}
