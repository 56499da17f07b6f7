/* router_chain.c - collects the steps of one match and puts them into the order of registration.
 * Owns nothing: the chain is the request's, memory beyond its inline room comes from the request's
 * pool.  The tree yields a node's entries in order and the nodes nearly so; hence steps are only
 * appended, a few that are out of place are moved by insertion, and many are sorted by qsort, so
 * that no set of routes makes it quadratic.
 * router_tree.c adds, router.c starts and finishes, once for each request.
 * Must not know how a path is matched. */
#include "worker/http/route/router_chain.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "worker/http/route/router.h"

enum { INSERTION_MAX = 32, CAPTURES_GROWTH = 64 };

void router_chain_start(struct router_chain *chain, const struct router_memory *memory)
{
    chain->steps = chain->inline_steps;
    chain->count = 0;
    chain->room = chain->inline_steps;
    chain->room_count = ROUTER_INLINE_STEPS;
    chain->captures = chain->inline_captures;
    chain->captures_left = ROUTER_INLINE_CAPTURES;
    chain->memory = memory;
    chain->is_sorted = true;
    chain->is_out_of_memory = false;
}

static bool grow_steps(struct router_chain *chain)
{
    size_t count = chain->room_count * 2;
    struct router_step *room =
        chain->memory->alloc(chain->memory->ctx, count * sizeof(chain->room[0]));
    if (room == NULL) {
        return false;
    }
    memcpy(room, chain->room, chain->count * sizeof(room[0]));
    chain->room = room;
    chain->room_count = count;
    return true;
}

static bool grow_captures(struct router_chain *chain)
{
    struct router_capture *captures =
        chain->memory->alloc(chain->memory->ctx, CAPTURES_GROWTH * sizeof(captures[0]));
    if (captures == NULL) {
        return false;
    }
    chain->captures = captures;
    chain->captures_left = CAPTURES_GROWTH;
    return true;
}

struct router_step *router_chain_add(struct router_chain *chain, uint32_t rank,
                                     size_t capture_count, struct router_capture **ret_captures)
{
    assert(capture_count <= CAPTURES_GROWTH);
    if ((chain->count == chain->room_count && !grow_steps(chain)) ||
        (chain->captures_left < capture_count && !grow_captures(chain))) {
        chain->is_out_of_memory = true;
        return NULL;
    }
    if (chain->count > 0 && chain->room[chain->count - 1].rank > rank) {
        chain->is_sorted = false;
    }
    struct router_step *step = &chain->room[chain->count++];
    step->captures = capture_count == 0 ? NULL : chain->captures;
    step->rank = rank;
    *ret_captures = chain->captures;
    chain->captures += capture_count;
    chain->captures_left -= capture_count;
    return step;
}

static void sort_by_insertion(struct router_step *steps, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct router_step step = steps[i];
        size_t at = i;
        for (; at > 0 && steps[at - 1].rank > step.rank; at--) {
            steps[at] = steps[at - 1];
        }
        steps[at] = step;
    }
}

static int compare_ranks(const void *left, const void *right)
{
    uint32_t a = ((const struct router_step *)left)->rank;
    uint32_t b = ((const struct router_step *)right)->rank;
    return (a > b) - (a < b);
}

static bool is_same(const struct router_entry *a, const struct router_entry *b)
{
    return a == b || (a->group != NULL && a->group == b->group);
}

int router_chain_finish(struct router_chain *chain)
{
    struct router_step *steps = chain->room;
    if (chain->is_out_of_memory) {
        return -ENOMEM;
    }
    if (!chain->is_sorted && chain->count <= INSERTION_MAX) {
        sort_by_insertion(steps, chain->count);
    } else if (!chain->is_sorted) {
        qsort(steps, chain->count, sizeof(steps[0]), compare_ranks);
    }
    size_t kept = 0;
    for (size_t i = 0; i < chain->count; i++) {
        if (kept == 0 || !is_same(steps[kept - 1].entry, steps[i].entry)) {
            steps[kept++] = steps[i];
        }
    }
    chain->steps = steps;
    chain->count = kept;
    return 0;
}
