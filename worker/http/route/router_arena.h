#ifndef FSD_WORKER_HTTP_ROUTE_ROUTER_ARENA_H
#define FSD_WORKER_HTTP_ROUTE_ROUTER_ARENA_H

#include <stddef.h>

struct router_arena_block;

/* Memory of a router's tables: taken piece by piece at registration, freed in one go.  A zeroed
 * one is empty. */
struct router_arena {
    struct router_arena_block *blocks; /* owned; the newest first */
    size_t used;                       /* of the newest block */
};

/* Zeroed memory for any type; aborts when there is none. */
void *router_arena_take(struct router_arena *arena, size_t size);
void router_arena_fini(struct router_arena *arena);

#endif
