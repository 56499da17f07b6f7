/*
 * schema_format.c - a value of struct conf as text.
 *
 * Owns the one form in which each kind is shown, which a file could have as well: the opposite of
 * schema_value.c and schema_names.c.  A default has the form in which its row says it (a test
 * compares them).
 *
 * Called by conf_show.c.  Must not mask secrets: it does not know which values are.
 */
#include "daemon/conf/schema_format.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "common/parse.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/schema_words.h"

/* A unit is used from so many of the next smaller one on: 60s stays 60s, 120s is 2m. */
static const struct {
    const char *name;
    uint64_t size;
    uint64_t least;
} duration_units[] = {
    {"d", 86400000, 86400000},
    {"h", 3600000, 3600000},
    {"m", 60000, 120000},
    {"s", 1000, 1000},
    {"ms", 1, 0},
};

static const struct {
    const char *name;
    uint64_t size;
} size_units[] = {
    {"GiB", UINT64_C(1) << 30}, {"MiB", UINT64_C(1) << 20}, {"KiB", UINT64_C(1) << 10}, {"", 1}};

static uint32_t read_number(const void *field)
{
    uint32_t value = 0;

    memcpy(&value, field, sizeof(value));
    return value;
}

static void format_duration(uint64_t value_ms, FILE *out)
{
    size_t i = 0;

    if (value_ms == 0) {
        (void)fputs("0s", out);
        return;
    }
    while (value_ms < duration_units[i].least || value_ms % duration_units[i].size != 0) {
        i++;
    }
    (void)fprintf(out, "%" PRIu64 "%s", value_ms / duration_units[i].size, duration_units[i].name);
}

static void format_size(const void *field, FILE *out)
{
    uint64_t value = 0;
    size_t i = 0;

    memcpy(&value, field, sizeof(value));
    while (value < size_units[i].size && size_units[i].size > 1) {
        i++;
    }
    while (value % size_units[i].size != 0) {
        i++;
    }
    (void)fprintf(out, "%" PRIu64 "%s", value / size_units[i].size, size_units[i].name);
}

static void format_address(const void *field, FILE *out)
{
    struct parse_address address;
    char text[PARSE_ADDRESS_TEXT_MAX];

    memcpy(&address, field, sizeof(address));
    parse_address_format(&address, text);
    (void)fputs(text, out);
}

static void format_text(const void *field, FILE *out)
{
    const char *text = NULL;

    memcpy(&text, field, sizeof(text));
    (void)fputs(text == NULL ? "null" : text, out);
}

static void format_listeners(const struct conf *conf, const struct conf_pool *pool, FILE *out)
{
    (void)fputc('[', out);
    for (size_t i = 0; i < pool->listener_count; i++) {
        (void)fprintf(out, "%s%s", i == 0 ? "" : ", ", conf->listeners[pool->listeners[i]].name);
    }
    (void)fputc(']', out);
}

static void format_children(const struct conf *conf, const struct conf_children *children,
                            FILE *out)
{
    (void)fputc('[', out);
    for (size_t i = 0; i < children->count; i++) {
        const struct conf_child *child = &children->items[i];
        (void)fprintf(out, "%s%s", i == 0 ? "" : ", ",
                      child->is_supervisor ? conf->supervisors[child->index].name
                                           : conf->pools[child->index].name);
    }
    (void)fputc(']', out);
}

/* A word of the row's kind; false when the value has none. */
static bool format_word(const struct schema_row *row, const void *field, FILE *out)
{
    const char *word = schema_words_name(row->kind, read_number(field));

    if (word != NULL) {
        (void)fputs(word, out);
    }
    return word != NULL;
}

void schema_format(const struct schema_row *row, const struct conf *conf, const void *object,
                   FILE *out)
{
    const void *field = (const char *)object + row->offset;

    switch (row->kind) {
    case SCHEMA_VERSION:
        (void)fputs(row->initial, out);
        break;
    case SCHEMA_ADDRESS:
        format_address(field, out);
        break;
    case SCHEMA_PATH:
    case SCHEMA_USER:
    case SCHEMA_GROUP:
    case SCHEMA_LOG_ACCESS:
        format_text(field, out);
        break;
    case SCHEMA_PROXIES:
        (void)fputs(*(const char *)field == '\0' ? "null" : (const char *)field, out);
        break;
    case SCHEMA_DURATION:
    case SCHEMA_SHUTDOWN:
        if (!format_word(row, field, out)) {
            format_duration(read_number(field), out);
        }
        break;
    case SCHEMA_SIZE:
        format_size(field, out);
        break;
    case SCHEMA_NUMBER:
    case SCHEMA_COUNT:
    case SCHEMA_STANDBY:
    case SCHEMA_INTENSITY:
    case SCHEMA_RESTART:
    case SCHEMA_STRATEGY:
    case SCHEMA_LOG_LEVEL:
    case SCHEMA_LOG_FORMAT:
        if (!format_word(row, field, out)) {
            (void)fprintf(out, "%" PRIu32, read_number(field));
        }
        break;
    case SCHEMA_APP_NAME:
        (void)fputs(conf->apps[((const struct conf_pool *)object)->app].name, out);
        break;
    case SCHEMA_LISTEN_NAMES:
        format_listeners(conf, object, out);
        break;
    case SCHEMA_CHILDREN:
        format_children(conf, field, out);
        break;
    case SCHEMA_SECTION:
    case SCHEMA_ENTRIES:
    case SCHEMA_VARIABLES:
    case SCHEMA_FILES:
    case SCHEMA_SETTINGS:
        break;
    }
}
