/*
 * schema_value.c - one value of the configuration: parsed, checked, stored, described.
 *
 * Owns what each kind of key row accepts.  The parsing itself is common/parse; here the row's
 * range is applied and the result is copied to the row's offset in the object.  The words for
 * messages come from the same rows, so they cannot promise something else.
 *
 * Called by schema.c for files and defaults.  Must not report: it does not know the place.
 */
#include "daemon/conf/schema_value.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/log_level.h"
#include "common/parse.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/source.h"

static const char *const log_levels[] = {"error", "warning", "notice", "info", "debug"};
/* In the order of enum conf_log_format. */
static const char *const log_formats[] = {"text", "json"};
static const char *const count_words[] = {"auto"};

enum { LOG_FORMAT_COUNT = sizeof(log_formats) / sizeof(log_formats[0]) };
_Static_assert(LOG_FORMAT_COUNT == CONF_LOG_JSON + 1, "one word for each format");

typedef int (*parse_fn)(const char *text, uint64_t *ret_value);

static int parse_count(const char *text, uint64_t *ret_value)
{
    return parse_digits(text, 10, UINT64_MAX, ret_value);
}

/* A number between the row's bounds, which are in the same notation. */
static int parse_in_range(const struct schema_row *row, parse_fn parse, const char *text,
                          uint64_t *ret_value)
{
    uint64_t value = 0;
    uint64_t min = 0;
    uint64_t max = UINT64_MAX;
    int rc = parse(text, &value);

    /* The bounds were tested with the table, so they parse. */
    (void)parse(row->min, &min);
    (void)parse(row->max, &max);
    if (rc < 0 || value < min || value > max) {
        return rc < 0 ? rc : -ERANGE;
    }
    *ret_value = value;
    return 0;
}

static int store_address(const char *text, void *field)
{
    struct parse_address address;
    int rc = parse_address(text, &address);

    if (rc == 0) {
        memcpy(field, &address, sizeof(address));
    }
    return rc;
}

static int store_path(const char *text, const struct source *source, void *field)
{
    if (text[0] == '\0') {
        return -EINVAL;
    }
    char *path = source == NULL ? strdup(text) : source_resolve(source, text);
    if (path == NULL) {
        return -ENOMEM;
    }
    memcpy(field, &path, sizeof(path));
    return 0;
}

static int store_duration(const struct schema_row *row, const char *text, void *field)
{
    uint64_t value = 0;
    int rc = parse_in_range(row, parse_duration_ms, text, &value);

    if (rc == 0) {
        memcpy(field, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
    }
    return rc;
}

static int store_size(const struct schema_row *row, const char *text, void *field)
{
    uint64_t value = 0;
    int rc = parse_in_range(row, parse_size_bytes, text, &value);

    if (rc == 0) {
        memcpy(field, &value, sizeof(value));
    }
    return rc;
}

static int store_count(const struct schema_row *row, const char *text, void *field)
{
    uint64_t value = 0;
    int rc = strcmp(text, count_words[0]) == 0 ? 0 : parse_in_range(row, parse_count, text, &value);

    if (rc == 0) {
        memcpy(field, &(unsigned){(unsigned)value}, sizeof(unsigned));
    }
    return rc;
}

static int store_log_level(const char *text, void *field)
{
    enum log_level level = LOG_LEVEL_ERROR;
    int rc = log_level_parse(text, &level);

    if (rc == 0) {
        memcpy(field, &level, sizeof(level));
    }
    return rc;
}

static int store_log_format(const char *text, void *field)
{
    for (size_t i = 0; i < LOG_FORMAT_COUNT; i++) {
        if (strcmp(log_formats[i], text) == 0) {
            enum conf_log_format format = (enum conf_log_format)i;
            memcpy(field, &format, sizeof(format));
            return 0;
        }
    }
    return -EINVAL;
}

int schema_value_store(const struct schema_row *row, const char *text, const struct source *source,
                       void *object)
{
    void *field = (char *)object + row->offset;
    uint64_t number = 0;

    switch (row->kind) {
    case SCHEMA_VERSION:
        return parse_in_range(row, parse_count, text, &number);
    case SCHEMA_ADDRESS:
        return store_address(text, field);
    case SCHEMA_PATH:
        return store_path(text, source, field);
    case SCHEMA_DURATION:
        return store_duration(row, text, field);
    case SCHEMA_SIZE:
        return store_size(row, text, field);
    case SCHEMA_COUNT:
        return store_count(row, text, field);
    case SCHEMA_LOG_LEVEL:
        return store_log_level(text, field);
    case SCHEMA_LOG_FORMAT:
        return store_log_format(text, field);
    case SCHEMA_SECTION:
    case SCHEMA_ENTRIES:
    case SCHEMA_APP_NAME:
    case SCHEMA_LISTEN_NAMES:
    case SCHEMA_VARIABLES:
    case SCHEMA_SETTINGS:
        break;
    }
    return -EINVAL;
}

const char *const *schema_value_words(const struct schema_row *row, size_t *ret_count)
{
    if (row->kind == SCHEMA_LOG_LEVEL) {
        *ret_count = sizeof(log_levels) / sizeof(log_levels[0]);
        return log_levels;
    }
    if (row->kind == SCHEMA_LOG_FORMAT) {
        *ret_count = LOG_FORMAT_COUNT;
        return log_formats;
    }
    if (row->kind == SCHEMA_COUNT) {
        *ret_count = 1;
        return count_words;
    }
    *ret_count = 0;
    return NULL;
}

static void describe_choice(const struct schema_row *row, char text[SCHEMA_EXPECTED_MAX])
{
    size_t count = 0;
    const char *const *words = schema_value_words(row, &count);
    size_t len = 0;

    for (size_t i = 0; i < count && len < SCHEMA_EXPECTED_MAX; i++) {
        const char *before = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        int more = snprintf(text + len, SCHEMA_EXPECTED_MAX - len, "%s%s", before, words[i]);
        len += more > 0 ? (size_t)more : 0;
    }
}

void schema_value_describe(const struct schema_row *row, char text[SCHEMA_EXPECTED_MAX])
{
    const char *fixed = "";

    switch (row->kind) {
    case SCHEMA_DURATION:
        (void)snprintf(text, SCHEMA_EXPECTED_MAX, "a duration between %s and %s", row->min,
                       row->max);
        return;
    case SCHEMA_SIZE:
        (void)snprintf(text, SCHEMA_EXPECTED_MAX, "a size between %s and %s", row->min, row->max);
        return;
    case SCHEMA_COUNT:
        (void)snprintf(text, SCHEMA_EXPECTED_MAX, "auto or a number between %s and %s", row->min,
                       row->max);
        return;
    case SCHEMA_LOG_LEVEL:
    case SCHEMA_LOG_FORMAT:
        describe_choice(row, text);
        return;
    case SCHEMA_VERSION:
        fixed = "1";
        break;
    case SCHEMA_ADDRESS:
        fixed = "an address such as \"127.0.0.1:8080\", \":8080\", \"[::1]:80\" or "
                "\"unix:/run/x.sock\"";
        break;
    case SCHEMA_PATH:
        fixed = "a path";
        break;
    case SCHEMA_APP_NAME:
        fixed = "the name of an app";
        break;
    case SCHEMA_LISTEN_NAMES:
        fixed = "a list of names of listeners";
        break;
    case SCHEMA_SECTION:
    case SCHEMA_ENTRIES:
    case SCHEMA_VARIABLES:
    case SCHEMA_SETTINGS:
        fixed = "a map";
        break;
    }
    (void)snprintf(text, SCHEMA_EXPECTED_MAX, "%s", fixed);
}
