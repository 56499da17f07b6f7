/* history.c - the configurations that were applied: their numbers, and the texts to go back to.
 * Owns the list and the rule of the numbers: they rise, over restarts too, and a file of that number which is there already is passed over.
 * What is added is put into the list first and then written, so that a disk which fails costs a warning and nothing else.
 * Called by the start and by the commands that apply a configuration.  Must not know how a configuration is applied or checked. */
#include "daemon/change/history.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "daemon/change/history_folder.h"

/* More than are kept, since some of the files may be no records. */
enum { SCAN_MAX = 4 * HISTORY_KEPT_MAX, SKIP_MAX = 1000 };

/* The record of one number from the disk; ret_texts NULL: it is only checked. */
static int read_record(const struct history *history, uint64_t number,
                       struct history_entry *ret_entry, struct conf_text **ret_texts,
                       struct fsd_err *err)
{
    char *text = NULL;
    size_t len = 0;
    struct history_entry entry = {.number = 0};
    struct conf_text *texts = NULL;
    if (history->folder == NULL) {
        return fsd_err_set(err, ENOENT, "%s", strerror(ENOENT));
    }
    int result = history_folder_read(history->folder, number, &text, &len, err);
    if (result == 0) {
        result = history_record_decode(text, len, &entry, ret_texts == NULL ? NULL : &texts, err);
    }
    free(text);
    if (result < 0) {
        return result;
    }
    if (entry.number != number) {
        history_record_free_texts(texts, entry.files);
        return fsd_err_set(err, EINVAL, "it says that it is configuration %" PRIu64, entry.number);
    }
    *ret_entry = entry;
    if (ret_texts != NULL) {
        *ret_texts = texts;
    }
    return 0;
}

/* The list is filled from its end, because the newest come first, and then moved to its beginning. */
static void read_items(struct history *history, const uint64_t *numbers, size_t count)
{
    size_t start = HISTORY_KEPT_MAX;
    for (size_t i = 0; i < count && start > 0; i++) {
        struct history_entry entry;
        if (read_record(history, numbers[i], &entry, NULL, NULL) == 0) {
            history->items[--start] = (struct history_item){.entry = entry};
        }
    }
    history->count = HISTORY_KEPT_MAX - start;
    memmove(history->items, history->items + start, history->count * sizeof(*history->items));
}

int history_open(struct history *history, const char *state_path, struct fsd_err *err)
{
    uint64_t numbers[SCAN_MAX];
    struct fsd_err reason;
    *history = (struct history){.count = 0};
    if (asprintf(&history->folder, "%s/config", state_path) < 0) {
        history->folder = NULL;
        return fsd_err_set(err, ENOMEM, "cannot read the history of configurations: %s",
                           strerror(ENOMEM));
    }
    int count = history_folder_list(history->folder, numbers, SCAN_MAX, &reason);
    if (count < 0) {
        return fsd_err_set(err, -count, "cannot read the history of configurations in \"%s\": %s",
                           history->folder, reason.text);
    }
    read_items(history, numbers, (size_t)count);
    return 0;
}

void history_fini(struct history *history)
{
    for (size_t i = 0; i < history->count; i++) {
        free(history->items[i].unsaved);
    }
    free(history->folder);
    *history = (struct history){.count = 0};
}

static uint64_t choose_number(const struct history *history)
{
    uint64_t number = history->count == 0 ? 1 : history->items[history->count - 1].entry.number + 1;
    /* files that are no records stand in the way */
    for (int i = 0; i < SKIP_MAX && history->folder != NULL; i++) {
        if (!history_folder_has(history->folder, number)) {
            break;
        }
        number++;
    }
    return number;
}

/* The oldest one makes room; it is never the running one, which is the newest. */
static void remove_oldest(struct history *history)
{
    struct history_item *oldest = &history->items[0];
    if (history->folder != NULL && oldest->unsaved == NULL) {
        history_folder_remove(history->folder, oldest->entry.number);
    }
    free(oldest->unsaved);
    history->count--;
    memmove(oldest, oldest + 1, history->count * sizeof(*oldest));
}

/* Only the newest texts that are nowhere else stay in memory. */
static void limit_unsaved(struct history *history)
{
    size_t unsaved = 0;
    for (size_t i = history->count; i > 0; i--) {
        struct history_item *item = &history->items[i - 1];
        unsaved += item->unsaved != NULL;
        if (unsaved > HISTORY_UNSAVED_MAX) {
            free(item->unsaved);
            item->unsaved = NULL;
        }
    }
}

/* Writes what the disk does not have, the oldest first; it ends at the first failure. */
static int save(struct history *history, struct fsd_err *err)
{
    for (size_t i = 0; i < history->count; i++) {
        struct history_item *item = &history->items[i];
        if (item->unsaved == NULL) {
            continue;
        }
        int result =
            history->folder == NULL
                ? fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM))
                : history_folder_write(history->folder, item->entry.number, item->unsaved, err);
        if (result < 0) {
            return result;
        }
        free(item->unsaved);
        item->unsaved = NULL;
    }
    return 0;
}

static bool is_known_at_start(const struct history *history, const struct history_source *source)
{
    const struct history_entry *newest = history_get(history, 0);
    /* a number of workers that was set by command has gone with the daemon */
    return newest != NULL && newest->how != HISTORY_SCALE &&
           strcmp(newest->hash, source->hash) == 0;
}

uint64_t history_add(struct history *history, const struct history_source *source,
                     enum history_how how, struct fsd_err *err)
{
    struct fsd_err reason = {""};
    struct history_item item = {.entry = {.number = choose_number(history),
                                          .at_ms = clock_wall_us() / 1000,
                                          .how = how,
                                          .files = source->count}};
    err->text[0] = '\0';
    if (how == HISTORY_START && is_known_at_start(history, source)) {
        history->running = history_get(history, 0)->number;
        return history->running;
    }
    (void)snprintf(item.entry.hash, sizeof(item.entry.hash), "%s", source->hash);
    if (source->count > 0) {
        (void)history_record_encode(&item.entry, source->texts, &item.unsaved, &reason);
    }
    if (history->count == HISTORY_KEPT_MAX) {
        remove_oldest(history);
    }
    history->items[history->count++] = item;
    history->running = item.entry.number;
    limit_unsaved(history);
    if (item.unsaved != NULL) {
        (void)save(history, &reason);
    }
    if (reason.text[0] != '\0') {
        (void)fsd_err_set(err, 0, "cannot keep configuration %" PRIu64 " in \"%s\": %s",
                          item.entry.number, history->folder == NULL ? "" : history->folder,
                          reason.text);
    }
    return item.entry.number;
}

void history_inherit(struct history *history, const struct history_source *source, uint64_t number)
{
    const struct history_entry *newest = history_get(history, 0);
    struct fsd_err reason;
    history->running = number;
    if (newest != NULL && newest->number >= number) {
        return;
    }
    struct history_item item = {.entry = {.number = number,
                                          .at_ms = clock_wall_us() / 1000,
                                          .how = HISTORY_START,
                                          .files = source->count}};
    (void)snprintf(item.entry.hash, sizeof(item.entry.hash), "%s", source->hash);
    if (source->count >
        0) { /* why it can't be kept was said before, and is again with the next one */
        (void)history_record_encode(&item.entry, source->texts, &item.unsaved, &reason);
    }
    if (history->count == HISTORY_KEPT_MAX) {
        remove_oldest(history);
    }
    history->items[history->count++] = item;
}

const struct history_entry *history_get(const struct history *history, size_t index)
{
    return index < history->count ? &history->items[history->count - 1 - index].entry : NULL;
}

static const struct history_item *find_item(const struct history *history, uint64_t number)
{
    for (size_t i = 0; i < history->count; i++) {
        if (history->items[i].entry.number == number) {
            return &history->items[i];
        }
    }
    return NULL;
}

const struct history_entry *history_find(const struct history *history, uint64_t number)
{
    const struct history_item *item = find_item(history, number);
    return item == NULL ? NULL : &item->entry;
}

const struct history_entry *history_find_before(const struct history *history)
{
    const struct history_entry *running = history_find(history, history->running);
    for (size_t i = history->count; i > 0; i--) {
        const struct history_entry *entry = &history->items[i - 1].entry;
        bool is_same = running != NULL && strcmp(entry->hash, running->hash) == 0;
        if (entry->number < history->running &&
            !is_same) { /* a scale has the files of the one before */
            return entry;
        }
    }
    return NULL;
}

static bool has_hash(const struct conf_text *texts, size_t count, const char *expected)
{
    char hash[CONF_TEXT_HASH_MAX];
    conf_text_hash(texts, count, hash);
    return strcmp(hash, expected) == 0;
}

int history_load(const struct history *history, uint64_t number, struct conf_text **ret_texts,
                 size_t *ret_count, struct fsd_err *err)
{
    struct fsd_err reason = {""};
    struct history_entry entry = {.number = 0};
    struct conf_text *texts = NULL;
    const struct history_item *item = find_item(history, number);
    if (item == NULL) {
        return fsd_err_set(err, ENOENT, "there is no configuration %" PRIu64 " in the history",
                           number);
    }
    int result = item->unsaved != NULL ? history_record_decode(item->unsaved, strlen(item->unsaved),
                                                               &entry, &texts, &reason)
                                       : read_record(history, number, &entry, &texts, &reason);
    if (result == 0 && !has_hash(texts, entry.files, item->entry.hash)) {
        history_record_free_texts(texts, entry.files);
        result = fsd_err_set(&reason, EINVAL, "its texts were changed, they do not fit its hash");
    }
    if (result < 0) {
        return fsd_err_set(err, -result, "cannot read configuration %" PRIu64 " in \"%s\": %s",
                           number, history->folder == NULL ? "" : history->folder, reason.text);
    }
    *ret_texts = texts;
    *ret_count = entry.files;
    return 0;
}
