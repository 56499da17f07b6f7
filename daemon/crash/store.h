#ifndef FSD_DAEMON_CRASH_STORE_H
#define FSD_DAEMON_CRASH_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "daemon/crash/crash_id.h"

enum {
    STORE_MAX = 100,            /* reports */
    STORE_LOOK_MAX = 1000,      /* files that are looked at when the folder is read */
    STORE_BYTES_MAX = 16 << 20, /* of all files */
    STORE_MEMORY_MAX = 20,      /* reports that are kept while no file can be written */
};

struct store_entry {
    char id[CRASH_ID_MAX];
    uint64_t at_ms;
    size_t bytes;
    json_t *row; /* owned; of the list */
    char *text;  /* owned; the report while it could not be written; NULL: it is in its file */
};

/* The crash reports of this state folder: the files, and an index of them in memory. */
struct store {
    char *folder;                              /* owned; STATE/crashes */
    struct store_entry entries[STORE_MAX + 1]; /* oldest first; one more while it is being put in */
    size_t count;
    size_t bytes; /* of the entries in files */
    bool is_failing;
    struct fsd_err why; /* of the failure, kept after it */
};

/* Reads what there is; a folder that is missing or can't be read is empty.  Files that are none of ours are left alone and ignored.
 * 0, or -ENOMEM. */
int store_open(struct store *store, const char *state_path);
void store_close(struct store *store); /* all zero is fine; what is in memory alone is lost */

/* Keeps a report under id (which store_has does not know), of which row (taken, also on failure) is shown in the list.  The oldest ones
 * make room.  0; or a negative errno with a sentence: it could not be written and is kept in memory (the newest
 * STORE_MEMORY_MAX), to be written when a later one can. */
int store_add(struct store *store, const char *id, json_t *row, const json_t *report,
              struct fsd_err *err);
/* Writes what is in memory, if there is something: on a timer, and at the end.  0, or a negative errno with a sentence. */
int store_retry(struct store *store, struct fsd_err *err);
/* Whether the last report could not be written; store->why says why. */
bool store_is_failing(const struct store *store);
/* The id of the newest report about a worker of this pool, borrowed until the store changes; NULL: there is none. */
const char *store_find_newest(const struct store *store, const char *pool);
bool store_has(const struct store *store, const char *id);
/* The rows, newest first; the caller's.  NULL when memory is out. */
json_t *store_list(const struct store *store);
/* A report, the caller's.  NULL with a sentence: no such id (an id of any form is fine), or the file is gone or spoilt. */
json_t *store_load(const struct store *store, const char *id, struct fsd_err *err);

#endif
