#ifndef FSD_WORKER_LIFE_H
#define FSD_WORKER_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "worker/core/change.h"
#include "worker/core/link.h"
#include "worker/core/runtime.h"
#include "worker/core/terminate.h"

struct trial;

/* What this worker is told to do, and does. */
struct life {
    struct runtime runtime;
    struct link link;
    struct terminate terminate;
    struct change change;
    struct trial *
        trial; /* owned: code that may take over; NULL: none. Only one of the two changes is there */
    uint64_t trial_number;   /* of that change */
    bool is_unavailable;     /* UNAVAILABLE came instead of LOAD: there is no code */
    bool is_active;          /* ACTIVATE was obeyed */
    bool is_serving;         /* ... and what is supervised runs: all else has begun */
    bool is_draining;        /* DRAIN was */
    bool has_asked_to_leave; /* the memory is used up */
    uint64_t phase_ms;       /* of DRAIN: how long what is left may take */
    int exit_code;           /* enum fsd_exit, once the loop has stopped */
};

/* Says HELLO on descriptor 3 and obeys the master until it is told to leave.  Returns the exit code. */
int life_run(struct life *life);

#endif
