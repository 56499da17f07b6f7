/* status_laggards.c - what still runs on replaced code, as a part of `status`.
 * Owns nothing.  The lines that a worker has sent become objects; a line that is not as it should be is shown as it is.  More than a person
 * can look at are counted and left away.
 * Called by status.c for each worker.  Must not believe what a worker says. */
#include "daemon/method/status_laggards.h"

#include <stdint.h>

#include "common/clock.h"
#include "daemon/proc/laggards.h"

enum { ITEMS_MAX = 64 };

static json_int_t to_json(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static json_t *text_or_null(const struct laggard_part *part)
{
    return part->len == 0 ? json_null() : json_stringn(part->at, part->len);
}

static json_t *describe_one(const struct laggard *one)
{
    return json_pack("{s:o, s:o, s:o, s:o}", "kind", text_or_null(&one->kind), "what",
                     text_or_null(&one->what), "since_ms",
                     one->has_age ? json_integer(to_json(one->age_ms)) : json_null(), "at",
                     text_or_null(&one->place));
}

json_t *status_describe_laggards(const struct laggards *laggards)
{
    const char *at = NULL;
    struct laggard one;
    if (laggards->count == 0) {
        return json_null();
    }
    json_t *items = json_array();
    uint64_t now_ms = clock_monotonic_ms();
    while (json_array_size(items) < ITEMS_MAX && laggards_next(laggards, now_ms, &at, &one)) {
        (void)json_array_append_new(items, describe_one(&one));
    }
    return json_pack("{s:I, s:I, s:o}", "count", to_json(laggards->count), "generation",
                     to_json(laggards->generation), "items", items);
}
