#ifndef FSD_WORKER_HTTP_ROUTE_ROUTER_WILD_H
#define FSD_WORKER_HTTP_ROUTE_ROUTER_WILD_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/http/route/pattern.h"
#include "worker/http/route/router_segment.h"

struct router_arena;
struct router_entry;
struct router_wild;

/* Names first, then one for each part: how much of the path is its and those before it. */
enum { ROUTER_WILD_CAPTURES_MAX = PATTERN_NAMES_MAX + PATTERN_PARTS_MAX };

/* Makes ready a path with is_wild of an entry; both must stay.  Lives in the arena. */
const struct router_wild *router_wild_new(struct router_arena *arena,
                                          const struct router_entry *entry,
                                          const struct pattern_path *path);
/* Whether the path, of less than ROUTER_PATH_MAX bytes, matches; then ret_captures holds one piece for each name of the entry and
 * behind them one for each part.  O(len x bytes of the pattern), no recursion. */
bool router_wild_match(const struct router_wild *wild, const char *path, size_t len,
                       struct router_capture *ret_captures);

#endif
