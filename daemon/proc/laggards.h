#ifndef FSD_DAEMON_PROC_LAGGARDS_H
#define FSD_DAEMON_PROC_LAGGARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/proto.h"

/* What a worker said last about what still runs on code that was replaced (LAGGARDS of the contract).  All zero: there is nothing. */
struct laggards {
    uint64_t count;
    uint64_t generation; /* the oldest of theirs */
    uint64_t told_ms;    /* when it was said, of CLOCK_MONOTONIC */
    char *text;          /* owned; harmless lines; NULL: none, or there was no memory for them */
};

struct laggard_part {
    const char *at; /* borrowed from the lines */
    size_t len;
};

/* One of them.  Of a line that is not as it should be, what is all there is. */
struct laggard {
    struct laggard_part kind; /* request, task, actor, ... */
    struct laggard_part what;
    struct laggard_part place; /* FILE:LINE */
    bool has_age;
    uint64_t age_ms; /* since its code was replaced */
};

/* Takes a report in the place of the one before; the text is somebody else's. */
void laggards_take(struct laggards *laggards, const struct proto_laggards *body, const void *text,
                   size_t len, uint64_t now_ms);
/* Goes to the next line; *at is NULL before the first one.  False: there is none. */
bool laggards_next(const struct laggards *laggards, uint64_t now_ms, const char **at,
                   struct laggard *ret_one);
void laggards_fini(struct laggards *laggards);

#endif
