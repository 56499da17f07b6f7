#ifndef FSD_WORKER_HTTP_ROUTE_ROUTER_H
#define FSD_WORKER_HTTP_ROUTE_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/http/route/pattern.h"
#include "worker/http/route/router_chain.h"

struct fsd_err;
struct router;

enum router_kind {
    ROUTER_ROUTE, /* matches the whole path */
    ROUTER_PREFIX /* mounted: matches the path and everything below it; "/" matches all */
};

struct router_rule {
    enum router_kind kind;
    const char *method; /* borrowed during the call; NULL: any; always NULL for a PREFIX */
    const char *path;   /* borrowed during the call; path_len bytes */
    size_t path_len;
    /* what it is mounted at ends there, piece by piece; borrowed during the call, part_count - 1 of them */
    const size_t *part_ends;
    size_t part_count;        /* 0 is 1: the path is its own */
    uint32_t sensitive_parts; /* bit i: ASCII letters of both cases differ in part i */
    bool is_strict; /* false: a path may have one more slash at its end, a pattern's are ignored */
    const void
        *group;  /* of several rules with the same one in a row only the first counts; NULL: none */
    void *value; /* the caller's, not looked at */
};

/* One registration; what the rule said, and its parsed pattern (text, names, wildcard). */
struct router_entry {
    struct router_entry *next; /* in the order of registration */
    enum router_kind kind;
    const char *method; /* NULL: any */
    size_t method_len;
    void *value;       /* borrowed from the caller */
    const void *group; /* NULL: none */
    uint32_t sensitive_parts;
    bool is_strict;
    struct pattern pattern;
};

/* Owned by the caller, ended with router_free. */
struct router *router_new(void);
void router_free(struct router *router);
/* Adds an entry behind all others.  0, or -EINVAL with a sentence, or -EBUSY after the freeze. */
int router_add(struct router *router, const struct router_rule *rule, struct fsd_err *err);
/* Ends registration: works out the chain of every literal path.  Once. */
void router_freeze(struct router *router);
/* All entries that match the path, in the order of registration and whatever their method, into
 * *ret_chain (its steps may lie in the chain, the router, or the memory).  The path is taken raw:
 * no decoding, "//" and ".." stay; "" counts as "/".  0 (also when nothing matches);
 * -ENAMETOOLONG from ROUTER_PATH_MAX on; -ENOMEM when memory gave nothing.  Time: constant for a
 * literal path that was registered, else bounded by (nodes of the tree) x (segment length), plus
 * k log k for k matching entries. */
int router_match(const struct router *router, const char *path, size_t len,
                 const struct router_memory *memory, struct router_chain *ret_chain);
/* Whether an entry serves the method: any, the very same, or HEAD where it says GET. */
bool router_entry_takes(const struct router_entry *entry, const char *method, size_t len);
/* How many bytes of the path belong to the first part_count parts of the entry of a step, without a slash at their end. */
size_t router_step_base(const struct router_step *step, size_t part_count, const char *path,
                        size_t len);
/* The entry that was added last; NULL: none was. */
const struct router_entry *router_newest(const struct router *router);
/* The first entry, or NULL; the others by next. */
const struct router_entry *router_entries(const struct router *router);

#endif
