#ifndef FSD_WORKER_HTTP_ROUTE_ROUTER_SEGMENT_H
#define FSD_WORKER_HTTP_ROUTE_ROUTER_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/http/route/pattern.h"

struct router_capture;

/* Longer paths are not matched at all; the bit rows below are made for it. */
enum { ROUTER_PATH_MAX = 8192 };

/* A segment such as ":file.:ext": param i stands between literal i and literal i + 1.  The first
 * and the last literal may be empty, those between are not. */
struct router_segment {
    const char *literals[PATTERN_NAMES_MAX + 1]; /* borrowed; lower-case when fold is set */
    size_t lens[PATTERN_NAMES_MAX + 1];
    size_t param_count;
    bool fold; /* ASCII letters of both cases are equal */
};

bool router_segment_equal(const struct router_segment *a, const struct router_segment *b);
/* Whether the segment, at most ROUTER_PATH_MAX bytes without "/", matches; then ret_captures holds
 * param_count pieces, their starts counted from text.  O(len x literal bytes), no recursion. */
bool router_segment_match(const struct router_segment *segment, const char *text, size_t len,
                          struct router_capture *ret_captures);

#endif
