#ifndef FSD_DAEMON_CHANGE_HISTORY_H
#define FSD_DAEMON_CHANGE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/change/history_record.h"

struct fsd_err;

enum {
    HISTORY_KEPT_MAX = 50,
    HISTORY_UNSAVED_MAX =
        3, /* so many texts are held in memory while the disk does not take them */
};

/* One applied configuration in the list. */
struct history_item {
    struct history_entry entry;
    char *unsaved; /* owned; its record, while the disk does not have it */
};

/* The configurations that were applied, in STATE/config.  When the disk fails, numbers go on in memory. */
struct history {
    char *folder;                                /* owned; NULL: no memory for it */
    struct history_item items[HISTORY_KEPT_MAX]; /* the oldest first, numbers rise */
    size_t count;
    uint64_t running; /* number of the running one; 0 before the first add */
};

/* What an added configuration is made of; all borrowed. */
struct history_source {
    const struct conf_text *texts;
    size_t count; /* at most HISTORY_FILES_MAX; 0 (`fsd run`): only its number is kept, in memory */
    const char *hash; /* 16 hexadecimal digits */
};

/* Reads the list; no folder is an empty list.  Files that are no records are passed over and stay.  On a negative errno, with a sentence
 * in err, the history is empty but can be used.  It ends with history_fini in either case. */
int history_open(struct history *history, const char *state_path, struct fsd_err *err);
/* Accepts a zeroed history. */
void history_fini(struct history *history);
/* A configuration runs now: its number, in any case.  err is "" when the disk has it, else the sentence for one warning: the
 * configuration can still be loaded until the daemon ends.  What could not be written before is tried again.  The same configuration at a
 * start as the newest one gets no new number.  May wait for the disk. */
uint64_t history_add(struct history *history, const struct history_source *source,
                     enum history_how how, struct fsd_err *err);
/* After an upgrade in place: what runs has had this number before.  It is added when the disk does not have it. */
void history_inherit(struct history *history, const struct history_source *source, uint64_t number);
/* From the newest (0) on; NULL behind the oldest. */
const struct history_entry *history_get(const struct history *history, size_t index);
/* NULL: not kept. */
const struct history_entry *history_find(const struct history *history, uint64_t number);
/* The newest one before the running one that had other files, for a rollback that names none; NULL: there is none. */
const struct history_entry *history_find_before(const struct history *history);
/* The texts of one configuration, which the caller frees with history_record_free_texts.  -ENOENT: not kept.  May wait for the disk. */
int history_load(const struct history *history, uint64_t number, struct conf_text **ret_texts,
                 size_t *ret_count, struct fsd_err *err);

#endif
