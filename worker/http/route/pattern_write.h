#ifndef FSD_WORKER_HTTP_ROUTE_PATTERN_WRITE_H
#define FSD_WORKER_HTTP_ROUTE_PATTERN_WRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/http/route/pattern.h"

/* The way back: a path from a pattern and values. */

/* Percent-encodes all bytes but those that JavaScript's encodeURIComponent leaves alone; out has room for 3 * len.  Returns how many. */
size_t pattern_write_escaped(char *out, const char *text, size_t len);
/* The alternative with the most groups whose parameters all have values (has_value: by name); NULL when even without groups one is missing,
 * which is *ret_missing then, the index of its name. */
const struct pattern_path *pattern_write_choose(const struct pattern *pattern,
                                                const bool *has_value, size_t *ret_missing);

#endif
