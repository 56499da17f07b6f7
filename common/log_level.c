/*
 * log_level.c - the names of the severities.
 *
 * Owns the one list of words; the numbers are syslog's and stand in the enum.  Both directions
 * read the same rows, so they cannot disagree.  Called by the configuration, by the log of the
 * master and by the workers.  Must not know where log lines go.
 */
#include "common/log_level.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct {
    const char *word;
    enum log_level level;
} levels[] = {
    {"error", LOG_LEVEL_ERROR}, {"warning", LOG_LEVEL_WARNING}, {"notice", LOG_LEVEL_NOTICE},
    {"info", LOG_LEVEL_INFO},   {"debug", LOG_LEVEL_DEBUG},     {"warn", LOG_LEVEL_WARNING},
};

enum { LEVEL_COUNT = sizeof(levels) / sizeof(levels[0]) };

const char *log_level_format(enum log_level level)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (levels[i].level == level) {
            return levels[i].word;
        }
    }
    assert(!"log_level_format: not a log level");
    return "unknown";
}

int log_level_parse(const char *word, enum log_level *ret_level)
{
    for (size_t i = 0; i < LEVEL_COUNT; i++) {
        if (strcmp(levels[i].word, word) == 0) {
            *ret_level = levels[i].level;
            return 0;
        }
    }
    return -EINVAL;
}
