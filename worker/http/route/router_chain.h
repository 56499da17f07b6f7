#ifndef FSD_WORKER_HTTP_ROUTE_ROUTER_CHAIN_H
#define FSD_WORKER_HTTP_ROUTE_ROUTER_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pattern_path;
struct router_entry;

enum { ROUTER_INLINE_STEPS = 8, ROUTER_INLINE_CAPTURES = 16 };

/* A piece of the path that was matched, still percent-encoded. */
struct router_capture {
    uint32_t start;
    uint32_t len; /* 0: this optional parameter did not take part */
};

/* One entry that matches the path. */
struct router_step {
    const struct router_entry *entry; /* borrowed from the router */
    const struct router_capture *
        captures; /* one for each of the entry's names, and if path->is_wild, its parts (router_wild.h); NULL if none */
    const struct pattern_path *path; /* borrowed from the entry: the alternative that fits */
    uint32_t prefix_len; /* bytes that belong to req.base_url; 0 for a ROUTE and for "/" */
    uint32_t rank;       /* for router_chain.c: place of entry and alternative in the order */
};

/* Where a match gets memory that does not fit into the chain: the request's pool.  Never freed by
 * the router. */
struct router_memory {
    void *(*alloc)(void *ctx, size_t size);
    void *ctx;
};

/* All entries that match one path, in the order of registration.  Lives where it was filled: it
 * may point into itself, so it must not be copied. */
struct router_chain {
    const struct router_step *steps;
    size_t count;
    /* The rest is private to the router. */
    struct router_step *room; /* where steps are written: inline_steps, or from memory */
    size_t room_count;
    struct router_capture *captures; /* next free ones */
    size_t captures_left;
    const struct router_memory *memory; /* borrowed during the match */
    bool is_sorted;
    bool is_out_of_memory;
    struct router_step inline_steps[ROUTER_INLINE_STEPS];
    struct router_capture inline_captures[ROUTER_INLINE_CAPTURES];
};

/* The rest is called by the router's own files. */

/* Empties the chain; memory must outlive the match. */
void router_chain_start(struct router_chain *chain, const struct router_memory *memory);
/* Room for a step and its captures, to be filled at once by the caller; NULL when memory is out,
 * which the chain remembers.  Steps may come in any order of rank. */
struct router_step *router_chain_add(struct router_chain *chain, uint32_t rank,
                                     size_t capture_count, struct router_capture **ret_captures);
/* Sorts, and keeps the first of several steps of one entry or group.  0 or -ENOMEM. */
int router_chain_finish(struct router_chain *chain);

#endif
