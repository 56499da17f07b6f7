#ifndef FSD_DAEMON_CODE_PROBATION_H
#define FSD_DAEMON_CODE_PROBATION_H

#include <stdbool.h>
#include <stdint.h>

/* The time in which new code must prove itself.  {0} watches nothing yet. */
struct probation {
    uint64_t generation; /* that is watched */
    uint64_t since_ms;   /* monotonic: all its pools run since then */
};

/* What is known of the code that runs. */
struct probation_facts {
    uint64_t generation;
    bool is_confirmed;
    bool has_confirmed; /* there is one to go back to */
    bool is_running;    /* no pool of the app is held, suspended or drained */
    bool is_serving;    /* ... and every slot has its worker */
    uint64_t limit_ms;  /* 0: it need not prove itself */
    uint64_t now_ms;    /* monotonic */
};

enum probation_verdict {
    PROBATION_WAIT,      /* nothing follows */
    PROBATION_CONFIRM,   /* it has run its time */
    PROBATION_ROLL_BACK, /* it is not fit to run, and another one is */
};

/* Call it now and then, and whenever the code that runs is another one. */
enum probation_verdict probation_check(struct probation *probation,
                                       const struct probation_facts *facts);
/* A pool of the app has tripped its restart limit. */
enum probation_verdict probation_on_trip(struct probation *probation,
                                         const struct probation_facts *facts);
/* How long it must still run; 0: it is confirmed, or will be at the next check. */
uint64_t probation_get_left(const struct probation *probation, const struct probation_facts *facts);

#endif
