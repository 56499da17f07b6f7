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
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/access_format.h"
#include "common/address.h"
#include "common/err.h"
#include "common/log_level.h"
#include "common/parse.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/schema_words.h"
#include "daemon/conf/source.h"

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

/* Takes text; NULL: there was no memory for it. */
static int store_text(char *text, void *field)
{
    if (text == NULL) {
        return -ENOMEM;
    }
    memcpy(field, &text, sizeof(text));
    return 0;
}

static int store_path(const char *text, const struct source *source, void *field)
{
    if (text[0] == '\0') {
        return -EINVAL;
    }
    return store_text(source == NULL ? strdup(text) : source_resolve(source, text), field);
}

/* A 32-bit field: a word of the row's kind, or what parse says. */
static int store_number(const struct schema_row *row, parse_fn parse, const char *text, void *field)
{
    uint32_t word = 0;
    uint64_t value = 0;
    int rc = 0;

    if (schema_words_find(row->kind, text, &word)) {
        value = word;
    } else {
        rc = parse_in_range(row, parse, text, &value);
    }
    if (rc == 0) {
        memcpy(field, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
    }
    return rc;
}

static int store_word(const struct schema_row *row, const char *text, void *field)
{
    uint32_t value = 0;

    if (!schema_words_find(row->kind, text, &value)) {
        return -EINVAL;
    }
    memcpy(field, &value, sizeof(value));
    return 0;
}

/* The system knows which names there are. */
static int store_name(const char *text, void *field)
{
    return text[0] == '\0' ? -EINVAL : store_text(strdup(text), field);
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

static int store_log_level(const char *text, void *field)
{
    enum log_level level = LOG_LEVEL_ERROR;
    int rc = log_level_parse(text, &level);

    if (rc == 0) {
        memcpy(field, &level, sizeof(level));
    }
    return rc;
}

static int store_log_access(const char *text, void *field)
{
    struct access_format format;
    struct fsd_err err;

    if (access_format_parse(&format, text, &err) < 0) {
        return -EINVAL;
    }
    return store_text(strdup(text), field);
}

static int store_proxies(const char *text, char field[CONF_PROXIES_MAX])
{
    struct address_trust trust;
    struct fsd_err err;
    size_t len = strlen(text);

    if (len >= CONF_PROXIES_MAX || address_trust_parse(text, len, &trust, &err) != 0) {
        return -EINVAL;
    }
    memcpy(field, text, len + 1);
    return 0;
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
    case SCHEMA_SHUTDOWN:
        return store_number(row, parse_duration_ms, text, field);
    case SCHEMA_NUMBER:
    case SCHEMA_COUNT:
    case SCHEMA_STANDBY:
    case SCHEMA_INTENSITY:
        return store_number(row, parse_count, text, field);
    case SCHEMA_SIZE:
        return store_size(row, text, field);
    case SCHEMA_USER:
    case SCHEMA_GROUP:
        return store_name(text, field);
    case SCHEMA_LOG_LEVEL:
        return store_log_level(text, field);
    case SCHEMA_LOG_ACCESS:
        return store_log_access(text, field);
    case SCHEMA_PROXIES:
        return store_proxies(text, field);
    case SCHEMA_RESTART:
    case SCHEMA_STRATEGY:
    case SCHEMA_LOG_FORMAT:
        return store_word(row, text, field);
    case SCHEMA_SECTION:
    case SCHEMA_ENTRIES:
    case SCHEMA_APP_NAME:
    case SCHEMA_LISTEN_NAMES:
    case SCHEMA_CHILDREN:
    case SCHEMA_VARIABLES:
    case SCHEMA_FILES:
    case SCHEMA_SETTINGS:
        break;
    }
    return -EINVAL;
}

int schema_value_store_initial(const struct schema_row *row, void *object)
{
    return strcmp(row->initial, "null") == 0 ? 0
                                             : schema_value_store(row, row->initial, NULL, object);
}

/* "a, b" and what stands for all other values: "a duration"; last NULL: there are only words. */
static void describe_words(const struct schema_row *row, const char *last,
                           char text[SCHEMA_EXPECTED_MAX])
{
    const char *words[SCHEMA_WORDS_MAX + 1];
    size_t count = schema_words_list(row->kind, words);
    size_t len = 0;

    if (last != NULL) {
        words[count++] = last;
    }
    for (size_t i = 0; i < count && len < SCHEMA_EXPECTED_MAX; i++) {
        const char *before = i == 0 ? "" : i + 1 == count ? " or " : ", ";
        int more = snprintf(text + len, SCHEMA_EXPECTED_MAX - len, "%s%s", before, words[i]);
        len += more > 0 ? (size_t)more : 0;
    }
}

/* what is "a duration" */
static void describe_range(const struct schema_row *row, const char *what,
                           char text[SCHEMA_EXPECTED_MAX])
{
    char range[SCHEMA_EXPECTED_MAX / 2];

    (void)snprintf(range, sizeof(range), "%s between %s and %s", what, row->min, row->max);
    describe_words(row, range, text);
}

/* Of the kinds that say the same in each row. */
static const char *const expected_texts[SCHEMA_SETTINGS + 1] = {
    [SCHEMA_VERSION] = "1",
    [SCHEMA_ADDRESS] =
        "an address such as \"127.0.0.1:8080\", \":8080\", \"[::1]:80\" or \"unix:/run/x.sock\"",
    [SCHEMA_PATH] = "a path",
    [SCHEMA_USER] = "the name of a user",
    [SCHEMA_GROUP] = "the name of a group",
    [SCHEMA_LOG_ACCESS] = "combined, json, or a template with variables such as \"$status\"",
    [SCHEMA_PROXIES] = "addresses and ranges with commas between, such as \"loopback, 10.0.0.0/8\"",
    [SCHEMA_APP_NAME] = "the name of an app",
    [SCHEMA_LISTEN_NAMES] = "a list of names of listeners",
    [SCHEMA_CHILDREN] = "a list of names of pools and supervisors",
    [SCHEMA_SECTION] = "a map",
    [SCHEMA_ENTRIES] = "a map",
    [SCHEMA_VARIABLES] = "a map",
    [SCHEMA_FILES] = "a map",
    [SCHEMA_SETTINGS] = "a map",
};

void schema_value_describe(const struct schema_row *row, char text[SCHEMA_EXPECTED_MAX])
{
    switch (row->kind) {
    case SCHEMA_DURATION:
    case SCHEMA_SHUTDOWN:
        describe_range(row, "a duration", text);
        return;
    case SCHEMA_SIZE:
        describe_range(row, "a size", text);
        return;
    case SCHEMA_NUMBER:
    case SCHEMA_COUNT:
    case SCHEMA_STANDBY:
    case SCHEMA_INTENSITY:
        describe_range(row, "a number", text);
        return;
    case SCHEMA_RESTART:
    case SCHEMA_STRATEGY:
    case SCHEMA_LOG_LEVEL:
    case SCHEMA_LOG_FORMAT:
        describe_words(row, NULL, text);
        return;
    case SCHEMA_VERSION:
    case SCHEMA_ADDRESS:
    case SCHEMA_PATH:
    case SCHEMA_USER:
    case SCHEMA_GROUP:
    case SCHEMA_LOG_ACCESS:
    case SCHEMA_PROXIES:
    case SCHEMA_APP_NAME:
    case SCHEMA_LISTEN_NAMES:
    case SCHEMA_CHILDREN:
    case SCHEMA_SECTION:
    case SCHEMA_ENTRIES:
    case SCHEMA_VARIABLES:
    case SCHEMA_FILES:
    case SCHEMA_SETTINGS:
        (void)snprintf(text, SCHEMA_EXPECTED_MAX, "%s", expected_texts[row->kind]);
        break;
    }
}
