/*
 * schema_words.c - the words that stand for values.
 *
 * Owns the rows of words: each belongs to one kind of key and means one number, be it a member of
 * an enum or a number that no digits can say ("auto", "infinity").  Parsing, "did you mean" and
 * showing a value read the same rows.
 *
 * Called by schema_value.c and schema_section.c.  Pure data.
 */
#include "daemon/conf/schema_words.h"

#include <string.h>

#include "common/log_level.h"
#include "common/supervise.h"
#include "daemon/conf/conf.h"

/* The fields that values are written to as 32 bits. */
_Static_assert(sizeof(enum supervise_restart) == sizeof(uint32_t) &&
                   sizeof(enum supervise_strategy) == sizeof(uint32_t) &&
                   sizeof(enum log_level) == sizeof(uint32_t) &&
                   sizeof(enum conf_log_format) == sizeof(uint32_t) &&
                   sizeof(unsigned) == sizeof(uint32_t),
               "every word fits its field");

static const struct {
    const char *text;
    enum schema_kind kind;
    uint32_t value;
} words[] = {
    {"auto", SCHEMA_COUNT, 0},
    {"auto", SCHEMA_STANDBY, CONF_STANDBY_AUTO},
    {"auto", SCHEMA_INTENSITY, CONF_INTENSITY_AUTO},
    {"infinity", SCHEMA_SHUTDOWN, SUPERVISE_INFINITY},
    {"brutal_kill", SCHEMA_SHUTDOWN, SUPERVISE_BRUTAL_KILL},
    {"permanent", SCHEMA_RESTART, SUPERVISE_PERMANENT},
    {"transient", SCHEMA_RESTART, SUPERVISE_TRANSIENT},
    {"temporary", SCHEMA_RESTART, SUPERVISE_TEMPORARY},
    {"one_for_one", SCHEMA_STRATEGY, SUPERVISE_ONE_FOR_ONE},
    {"one_for_all", SCHEMA_STRATEGY, SUPERVISE_ONE_FOR_ALL},
    {"rest_for_one", SCHEMA_STRATEGY, SUPERVISE_REST_FOR_ONE},
    {"error", SCHEMA_LOG_LEVEL, LOG_LEVEL_ERROR},
    {"warning", SCHEMA_LOG_LEVEL, LOG_LEVEL_WARNING},
    {"notice", SCHEMA_LOG_LEVEL, LOG_LEVEL_NOTICE},
    {"info", SCHEMA_LOG_LEVEL, LOG_LEVEL_INFO},
    {"debug", SCHEMA_LOG_LEVEL, LOG_LEVEL_DEBUG},
    {"text", SCHEMA_LOG_FORMAT, CONF_LOG_TEXT},
    {"json", SCHEMA_LOG_FORMAT, CONF_LOG_JSON},
};

enum { WORD_COUNT = sizeof(words) / sizeof(words[0]) };

size_t schema_words_list(enum schema_kind kind, const char *ret_words[SCHEMA_WORDS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < WORD_COUNT && count < SCHEMA_WORDS_MAX; i++) {
        if (words[i].kind == kind) {
            ret_words[count++] = words[i].text;
        }
    }
    return count;
}

bool schema_words_find(enum schema_kind kind, const char *text, uint32_t *ret_value)
{
    for (size_t i = 0; i < WORD_COUNT; i++) {
        if (words[i].kind == kind && strcmp(words[i].text, text) == 0) {
            *ret_value = words[i].value;
            return true;
        }
    }
    return false;
}

const char *schema_words_name(enum schema_kind kind, uint32_t value)
{
    for (size_t i = 0; i < WORD_COUNT; i++) {
        if (words[i].kind == kind && words[i].value == value) {
            return words[i].text;
        }
    }
    return NULL;
}
