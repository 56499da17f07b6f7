#ifndef FSD_WORKER_HTTP_BODY_INFLATION_H
#define FSD_WORKER_HTTP_BODY_INFLATION_H

#include <stdbool.h>
#include <stddef.h>
#define ZLIB_CONST /* what goes in is not written to */
#include <zlib.h>

#include "worker/http/body/body_text.h"

/* A compressed body, inflated in steps (RFC 9110 §8.4.1: gzip and deflate), with limits on what comes out. */

enum {
    INFLATION_RATIO_FREE = 1024 * 1024, /* bytes that may come out whatever went in */
    INFLATION_RATIO_MAX = 100,          /* beyond that: times what went in */
};

enum inflation_result {
    INFLATION_DONE,
    INFLATION_GOES_ON,   /* the budget is used up: call again */
    INFLATION_TOO_LARGE, /* more than the limit */
    INFLATION_BOMB,      /* more than INFLATION_RATIO_MAX times what went in */
    INFLATION_BROKEN,    /* not what the coding says, or it ends too early */
};

/* One that is all zero may be given to inflation_fini. */
struct inflation {
    z_stream stream;
    bool is_open;
    bool is_gzip;
    size_t used; /* bytes that went in */
    size_t limit;
    char *out; /* owned */
    size_t len;
    size_t room;
};

/* Begins; what is no gzip is deflate, with or without zlib's header, as the first two bytes say.  Aborts without memory. */
void inflation_init(struct inflation *inflation, struct body_text body, bool is_gzip, size_t limit);
/* Inflates until about budget bytes more have come out; the body is the same at each call, wherever it lies now. */
enum inflation_result inflation_run(struct inflation *inflation, struct body_text body,
                                    size_t budget);
void inflation_fini(struct inflation *inflation);

#endif
