/* plan_text.c - the detail of a plan's row, as a list of short items in a bounded buffer.
 * Owns the words for values: durations and sizes as a person would write them in the configuration.  Texts from the configuration
 * pass through text_clean, so that a row can be printed and put into JSON as it is.
 * Called by plan.c and its parts.  Pure.  Must not know what is compared. */
#include "daemon/change/plan_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/log/text.h"

static const char more[] = "...";

void plan_text_add(struct plan_text *text, const char *fmt, ...)
{
    char item[PLAN_DETAIL_MAX];
    char clean[PLAN_DETAIL_MAX];
    va_list arguments;
    va_start(arguments, fmt);
    int wanted = vsnprintf(item, sizeof(item), fmt, arguments);
    va_end(arguments);
    if (text->is_full || wanted < 0) {
        return;
    }
    const char *separator = text->len == 0 ? "" : ", ";
    /* A separator before it; behind every item there must be room for ", ..." */
    size_t reserved = text->len + 2 * strlen(", ") + strlen(more);
    size_t room = reserved < sizeof(text->text) ? sizeof(text->text) - reserved : 1;
    text->is_full = (size_t)wanted >= room;
    (void)text_clean(clean, room, item, strlen(item));
    text->len += (size_t)snprintf(text->text + text->len, sizeof(text->text) - text->len, "%s%s%s",
                                  separator, clean, text->is_full ? more : "");
}

struct unit {
    uint64_t factor;
    const char *word;
};

/* Units from the largest to the smallest, the last one is 1. */
static void format_value(uint64_t number, const struct unit *units, char value[PLAN_TEXT_VALUE_MAX])
{
    while (units->factor > 1 && number % units->factor != 0) {
        units++;
    }
    (void)snprintf(value, PLAN_TEXT_VALUE_MAX, "%" PRIu64 "%s", number / units->factor,
                   units->word);
}

void plan_text_format_duration(uint64_t ms, char value[PLAN_TEXT_VALUE_MAX])
{
    /* no days: 24h says the same, and 1d is no more than a limit here and there */
    static const struct unit units[] = {{3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    if (ms == 0) {
        (void)snprintf(value, PLAN_TEXT_VALUE_MAX, "0s");
        return;
    }
    format_value(ms, units, value);
}

void plan_text_format_size(uint64_t bytes, char value[PLAN_TEXT_VALUE_MAX])
{
    static const struct unit units[] = {{UINT64_C(1) << 30, "GiB"},
                                        {UINT64_C(1) << 20, "MiB"},
                                        {UINT64_C(1) << 10, "KiB"},
                                        {1, ""}};
    if (bytes == 0) {
        (void)snprintf(value, PLAN_TEXT_VALUE_MAX, "0");
        return;
    }
    format_value(bytes, units, value);
}
