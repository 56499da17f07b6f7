/* store.c - which crash reports there are, and how many are kept.
 * Owns the index: one entry a report, oldest first, with its row of the list, so that a list needs no disk.  A report is in
 * its file, or, while no file can be written (disk full, read-only, no permission), in memory; the next one that can be
 * written takes those along, so the store heals by itself.  Bounded in number and bytes: the oldest go first.
 * Called by crashes.c.  Must not know what is in a report beyond the keys of its row. */
#include "daemon/crash/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/crash/report.h"
#include "daemon/crash/store_folder.h"

static void remove_entry(struct store *store, size_t index)
{
    struct store_entry *entry = &store->entries[index];
    if (entry->text == NULL) {
        store->bytes -= entry->bytes;
    }
    free(entry->text);
    entry->text = NULL;
    json_decref(entry->row);
    store->count--;
    memmove(entry, entry + 1, (store->count - index) * sizeof(*entry));
}

/* Removes the oldest report, its file too.  One that can't be removed is forgotten all the same, or it would be in the way for ever. */
static void drop_oldest(struct store *store)
{
    if (store->entries[0].text == NULL) {
        (void)store_folder_remove(store->folder, store->entries[0].id);
    }
    remove_entry(store, 0);
}

static bool is_older(const struct store_entry *left, const struct store_entry *right)
{
    return left->at_ms < right->at_ms ||
           (left->at_ms == right->at_ms && strcmp(left->id, right->id) < 0);
}

/* Puts an entry into its place by time; there is room. */
static void insert(struct store *store, const struct store_entry *entry)
{
    size_t index = store->count;
    while (index > 0 && is_older(entry, &store->entries[index - 1])) {
        index--;
    }
    memmove(&store->entries[index + 1], &store->entries[index],
            (store->count - index) * sizeof(*entry));
    store->entries[index] = *entry;
    store->count++;
    store->bytes += entry->text == NULL ? entry->bytes : 0;
}

/* Reads a file; NULL when it is not what its name says. */
static json_t *load_file(const struct store *store, const char *id, size_t *ret_bytes,
                         struct fsd_err *err)
{
    char *text = store_folder_read(store->folder, id, ret_bytes, err);
    if (text == NULL) {
        return NULL;
    }
    json_t *report = json_loadb(text, *ret_bytes, 0, NULL);
    free(text);
    json_t *row = report_summarize(report);
    const char *name = json_string_value(json_object_get(row, "id"));
    json_int_t at_ms = json_integer_value(json_object_get(row, "at"));
    bool is_good = name != NULL && strcmp(name, id) == 0 && at_ms > 0 &&
                   at_ms <= INT64_MAX / 1000 && crash_id_is_of(id, (uint64_t)at_ms * 1000);
    json_decref(row);
    if (!is_good) {
        (void)fsd_err_set(err, EBADMSG, "cannot read \"%s/%s.json\": it is no report",
                          store->folder, id);
        json_decref(report);
        return NULL;
    }
    return report;
}

/* What the files are read into at the start. */
struct intake {
    struct store *store;
    unsigned looked; /* at so many files */
};

/* One file, in no order: it may be the one that there is no room for. */
static void on_file_found(void *owner, const char *id)
{
    struct intake *intake = owner;
    struct store *store = intake->store;
    struct store_entry entry = {0};
    if (++intake->looked > STORE_LOOK_MAX) {
        return;
    }
    json_t *report = load_file(store, id, &entry.bytes, NULL);
    entry.row = report == NULL ? NULL : report_summarize(report);
    entry.at_ms = (uint64_t)json_integer_value(json_object_get(entry.row, "at"));
    json_decref(report);
    if (entry.row == NULL) {
        return;
    }
    (void)snprintf(entry.id, sizeof(entry.id), "%s", id);
    insert(store, &entry);
    while (store->count > STORE_MAX || store->bytes > STORE_BYTES_MAX) {
        drop_oldest(store);
    }
}

int store_open(struct store *store, const char *state_path)
{
    *store = (struct store){0};
    if (asprintf(&store->folder, "%s/crashes", state_path) < 0) {
        store->folder = NULL;
        return -ENOMEM;
    }
    struct intake intake = {.store = store};
    store_folder_scan(store->folder, on_file_found, &intake);
    return 0;
}

void store_close(struct store *store)
{
    while (store->count > 0) {
        remove_entry(store, store->count - 1);
    }
    free(store->folder);
    store->folder = NULL;
}

/* Writes what is in memory alone, oldest first.  0, or the first failure. */
static int write_waiting(struct store *store, struct fsd_err *err)
{
    for (size_t i = 0; i < store->count; i++) {
        struct store_entry *entry = &store->entries[i];
        if (entry->text == NULL) {
            continue;
        }
        int result = store_folder_write(store->folder, entry->id, entry->text, entry->bytes, err);
        if (result < 0) {
            return result;
        }
        free(entry->text);
        entry->text = NULL;
        store->bytes += entry->bytes;
    }
    while (store->bytes > STORE_BYTES_MAX) {
        drop_oldest(store);
    }
    return 0;
}

/* Only the newest ones may stay in memory. */
static void forget_waiting(struct store *store)
{
    size_t waiting = 0;
    for (size_t i = store->count; i > 0; i--) {
        if (store->entries[i - 1].text != NULL && ++waiting > STORE_MEMORY_MAX) {
            remove_entry(store, i - 1);
        }
    }
}

int store_retry(struct store *store, struct fsd_err *err)
{
    int result = write_waiting(store, &store->why);
    store->is_failing = result < 0;
    if (result < 0) {
        forget_waiting(store);
        return fsd_err_set(err, -result, "%s", store->why.text);
    }
    return 0;
}

int store_add(struct store *store, const char *id, json_t *row, const json_t *report,
              struct fsd_err *err)
{
    struct store_entry entry = {.row = row, .text = json_dumps(report, JSON_INDENT(1))};
    if (row == NULL || entry.text == NULL) {
        json_decref(row);
        free(entry.text);
        return fsd_err_set(err, ENOMEM, "cannot keep a crash report: out of memory");
    }
    (void)snprintf(entry.id, sizeof(entry.id), "%s", id);
    entry.at_ms = (uint64_t)json_integer_value(json_object_get(row, "at"));
    entry.bytes = strlen(entry.text);
    while (store->count >= STORE_MAX) {
        drop_oldest(
            store); /* first, or a clock that was set back would make the new one the oldest */
    }
    insert(store, &entry); /* as one that waits, like those that could not be written before */
    return store_retry(store, err);
}

bool store_is_failing(const struct store *store)
{
    return store->is_failing;
}

static const struct store_entry *find(const struct store *store, const char *id)
{
    for (size_t i = 0; i < store->count; i++) {
        if (strcmp(store->entries[i].id, id) == 0) {
            return &store->entries[i];
        }
    }
    return NULL;
}

bool store_has(const struct store *store, const char *id)
{
    return find(store, id) != NULL;
}

const char *store_find_newest(const struct store *store, const char *pool)
{
    for (size_t i = store->count; i > 0; i--) {
        const struct store_entry *entry = &store->entries[i - 1];
        const char *name = json_string_value(json_object_get(entry->row, "pool"));
        if (name != NULL && strcmp(name, pool) == 0) {
            return entry->id;
        }
    }
    return NULL;
}

json_t *store_list(const struct store *store)
{
    json_t *rows = json_array();
    for (size_t i = store->count; i > 0; i--) {
        if (json_array_append(rows, store->entries[i - 1].row) != 0) {
            json_decref(rows);
            return NULL;
        }
    }
    return rows;
}

json_t *store_load(const struct store *store, const char *id, struct fsd_err *err)
{
    const struct store_entry *entry = find(store, id);
    if (entry == NULL) {
        (void)fsd_err_set(err, ENOENT, "there is no crash report \"%.*s\"", CRASH_ID_MAX, id);
        return NULL;
    }
    if (entry->text == NULL) {
        size_t bytes;
        return load_file(store, entry->id, &bytes, err);
    }
    json_t *report = json_loadb(entry->text, entry->bytes, 0, NULL);
    if (report == NULL) {
        (void)fsd_err_set(err, ENOMEM, "cannot read crash report \"%s\": out of memory", entry->id);
    }
    return report;
}
