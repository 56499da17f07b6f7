/* history_record.c - one applied configuration as JSON: {number, at, hash, how, texts: [{path, text}]}.
 * Owns the form of the files in STATE/config.  Texts are those of the files as they were read, references not resolved, so that
 * a record has no secret that the configuration itself had not.  Whatever is read was perhaps written by somebody else.
 * Called by history.c.  Pure.  Must not know where records are kept. */
#include "daemon/change/history_record.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"

static const char *const how_words[] = {"start", "apply", "reload", "rollback", "scale"};
_Static_assert(sizeof(how_words) / sizeof(how_words[0]) == HISTORY_HOWS, "a word for each");

const char *history_record_format_how(enum history_how how)
{
    return how_words[how];
}

static json_t *encode_texts(const struct conf_text *texts, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        /* NULL when one is not UTF-8; then nothing is appended */
        json_t *item =
            json_pack("{s:s, s:s%}", "path", texts[i].path, "text", texts[i].text, texts[i].len);
        if (json_array_append_new(list, item) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

int history_record_encode(const struct history_entry *entry, const struct conf_text *texts,
                          char **ret_json, struct fsd_err *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < entry->files; i++) {
        bytes += texts[i].len;
    }
    if (bytes > HISTORY_TEXT_MAX) {
        return fsd_err_set(err, EMSGSIZE, "its files have %zu bytes, at most %d are kept", bytes,
                           HISTORY_TEXT_MAX);
    }
    json_t *list = encode_texts(texts, entry->files);
    if (list == NULL) {
        return fsd_err_set(err, EINVAL, "one of its paths or texts is not UTF-8");
    }
    json_t *record = json_pack("{s:I, s:I, s:s, s:s, s:o}", "number", (json_int_t)entry->number,
                               "at", (json_int_t)entry->at_ms, "hash", entry->hash, "how",
                               how_words[entry->how], "texts", list);
    char *json = record == NULL ? NULL : json_dumps(record, JSON_INDENT(1));
    json_decref(record);
    if (json == NULL) {
        return fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM));
    }
    *ret_json = json;
    return 0;
}

/* A whole number from 1 to max. */
static bool read_number(const json_t *record, const char *key, uint64_t max, uint64_t *ret_number)
{
    const json_t *value = json_object_get(record, key);
    json_int_t number = json_integer_value(value); /* 0 for what is none */
    if (number < 1 || (uint64_t)number > max) {
        return false;
    }
    *ret_number = (uint64_t)number;
    return true;
}

static bool read_hash(const json_t *record, char hash[CONF_TEXT_HASH_MAX])
{
    const char *text = json_string_value(json_object_get(record, "hash"));
    if (text == NULL || strspn(text, "0123456789abcdef") != CONF_TEXT_HASH_MAX - 1 ||
        strlen(text) != CONF_TEXT_HASH_MAX - 1) {
        return false;
    }
    memcpy(hash, text, CONF_TEXT_HASH_MAX);
    return true;
}

static bool read_how(const json_t *record, enum history_how *ret_how)
{
    const char *word = json_string_value(json_object_get(record, "how"));
    for (int i = 0; word != NULL && i < HISTORY_HOWS; i++) {
        if (strcmp(word, how_words[i]) == 0) {
            *ret_how = (enum history_how)i;
            return true;
        }
    }
    return false;
}

/* Without a NUL in either, because they become C strings. */
static bool is_text(const json_t *item)
{
    const json_t *path = json_object_get(item, "path");
    const json_t *text = json_object_get(item, "text");
    return json_is_string(path) && json_string_length(path) > 0 &&
           json_string_length(path) < HISTORY_PATH_MAX && json_is_string(text) &&
           json_string_length(text) <= HISTORY_TEXT_MAX;
}

static bool has_texts(const json_t *list)
{
    size_t count = json_array_size(list); /* 0 for what is no array */
    size_t bytes = 0;
    if (count == 0 || count > HISTORY_FILES_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        if (!is_text(item)) {
            return false;
        }
        bytes += json_string_length(json_object_get(item, "text"));
    }
    return bytes <= HISTORY_TEXT_MAX;
}

/* The first thing that is not as it should be; NULL: all is well. */
static const char *check_record(const json_t *record, struct history_entry *ret_entry)
{
    const json_t *texts = json_object_get(record, "texts");
    struct history_entry entry = {.files = json_array_size(texts)};
    if (!read_number(record, "number", HISTORY_NUMBER_MAX, &entry.number)) {
        return "it has no number";
    }
    if (!read_number(record, "at", HISTORY_NUMBER_MAX, &entry.at_ms)) {
        return "it has no time";
    }
    if (!read_hash(record, entry.hash) || !read_how(record, &entry.how)) {
        return "it has no hash, or does not say how it came";
    }
    if (!has_texts(texts)) {
        return "it has no texts, or too long ones";
    }
    *ret_entry = entry;
    return NULL;
}

static int copy_texts(const json_t *list, size_t count, struct conf_text **ret_texts,
                      struct fsd_err *err)
{
    struct conf_text *texts = calloc(count, sizeof(*texts));
    bool is_good = texts != NULL;
    for (size_t i = 0; i < count && is_good; i++) {
        const json_t *item = json_array_get(list, i);
        const json_t *text = json_object_get(item, "text");
        texts[i].path = strdup(json_string_value(json_object_get(item, "path")));
        texts[i].text = strdup(json_string_value(text));
        texts[i].len = json_string_length(text);
        is_good = texts[i].path != NULL && texts[i].text != NULL;
    }
    if (!is_good) {
        history_record_free_texts(texts, count);
        return fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM));
    }
    *ret_texts = texts;
    return 0;
}

int history_record_decode(const char *json, size_t len, struct history_entry *ret_entry,
                          struct conf_text **ret_texts, struct fsd_err *err)
{
    json_error_t error;
    struct history_entry entry = {.number = 0};
    /* without JSON_ALLOW_NUL a text with one is refused */
    json_t *record = json_loadb(json, len, JSON_REJECT_DUPLICATES, &error);
    if (record == NULL) {
        return fsd_err_set(err, EINVAL, "it is not JSON: %s", error.text);
    }
    const char *what = check_record(record, &entry);
    int result = 0;
    if (what != NULL) {
        result = fsd_err_set(err, EINVAL, "%s", what);
    } else if (ret_texts != NULL) {
        result = copy_texts(json_object_get(record, "texts"), entry.files, ret_texts, err);
    }
    json_decref(record);
    if (result == 0) {
        *ret_entry = entry;
    }
    return result;
}

void history_record_free_texts(struct conf_text *texts, size_t count)
{
    for (size_t i = 0; texts != NULL && i < count; i++) {
        free(texts[i].path);
        free(texts[i].text);
    }
    free(texts);
}
