#ifndef FSD_DAEMON_CHANGE_PLAN_TEXT_H
#define FSD_DAEMON_CHANGE_PLAN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/change/plan.h"

/* The detail of a row: items with ", " between them.  {0} is empty. */
struct plan_text {
    char text[PLAN_DETAIL_MAX];
    size_t len;
    bool is_full; /* ends in "..." */
};

/* Adds one item; what does not fit becomes "...". */
void plan_text_add(struct plan_text *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

enum { PLAN_TEXT_VALUE_MAX = 32 };

/* In the largest unit without a fraction: "90s", "250ms", "2h", "0s". */
void plan_text_format_duration(uint64_t ms, char value[PLAN_TEXT_VALUE_MAX]);
/* "1MiB", "1000" (bytes). */
void plan_text_format_size(uint64_t bytes, char value[PLAN_TEXT_VALUE_MAX]);

#endif
