#ifndef FSD_WORKER_HTTP_CONNECTION_PACE_H
#define FSD_WORKER_HTTP_CONNECTION_PACE_H

#include <stdint.h>

/* Bodies and answers that move more slowly than this are cut as if they stood still. */
enum { PACE_BYTES_A_SECOND = 100 };

/* What a connection is doing, as far as it shows from outside. */
enum pace_phase {
    PACE_BUSY, /* a handler has its request, or another protocol has the connection */
    PACE_IDLE, /* not a byte of a request is there */
    PACE_HEAD,
    PACE_BODY,
    PACE_WRITING, /* an answer is not wholly with the kernel yet */
};

/* How long each may take, in milliseconds; 0: for ever. */
struct pace_limits {
    uint32_t idle_ms;
    uint32_t head_ms;  /* from its first byte */
    uint32_t body_ms;  /* without enough bytes */
    uint32_t write_ms; /* the same */
};

/* One look at a connection. */
struct pace_sight {
    enum pace_phase phase;
    uint32_t requests; /* that came over it, ever */
    uint32_t moved;    /* bytes, ever, in the direction that matters; it may wrap */
};

/* What was seen so far; all zero before the first look.  Times are the lower half of clock_monotonic_ms. */
struct pace {
    uint32_t requests;
    uint32_t since_ms; /* when this phase was first seen, or its bytes counted last */
    uint32_t since_moved;
    uint32_t moved_ms; /* when bytes were last seen to move */
    uint32_t moved;
    uint8_t phase;
};

enum pace_verdict { PACE_GOES_ON, PACE_TOO_LONG };

/* Takes a look in.  PACE_TOO_LONG: the phase, which is that of the look, has taken longer than it may. */
enum pace_verdict pace_look(struct pace *pace, const struct pace_sight *sight,
                            const struct pace_limits *limits, uint64_t now_ms);
/* How far apart looks may be for these limits to be kept well, in milliseconds. */
uint32_t pace_interval_ms(const struct pace_limits *limits);

#endif
