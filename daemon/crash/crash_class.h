#ifndef FSD_DAEMON_CRASH_CRASH_CLASS_H
#define FSD_DAEMON_CRASH_CRASH_CLASS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/proc/cause.h"

/* What the end of a worker was. */
enum crash_class {
    CRASH_EXIT,             /* exited by itself */
    CRASH_SIGNAL,           /* a signal that is not ours */
    CRASH_OOM,              /* the kernel, for lack of memory: its count explains it */
    CRASH_OOM_POSSIBLE,     /* the kernel killed some, but fewer than died so */
    CRASH_HANG,             /* killed by us: its heartbeat stopped */
    CRASH_BOOT,             /* could not begin: refused, or died before it was ready */
    CRASH_BOOT_TIMEOUT,     /* killed by us: was not ready in time */
    CRASH_SHUTDOWN_TIMEOUT, /* killed by us: did not leave in time */
    CRASH_PROTOCOL,         /* killed by us: broke the contract */
    CRASH_REQUESTED,        /* left, or was killed, as it was told: no crash */
    CRASH_LOST,             /* gone, and the system could not say how */
};
enum { CRASH_CLASSES = CRASH_LOST + 1 };

/* What the worker was when it died. */
enum crash_state { CRASH_BOOTING, CRASH_STANDBY, CRASH_SERVING, CRASH_DRAINING };

/* What the master had done to it. */
enum crash_deed {
    CRASH_DEED_NONE,
    CRASH_DEED_TOLD,    /* told it to leave */
    CRASH_DEED_STOPPED, /* killed it: an order to stop now */
    CRASH_DEED_HANG,    /* killed it, as all that follow: SIGABRT, then SIGKILL */
    CRASH_DEED_BOOT_TIMEOUT,
    CRASH_DEED_SHUTDOWN_TIMEOUT,
    CRASH_DEED_PROTOCOL,
    CRASH_DEED_REFUSED, /* it said that it can't load the code */
};
enum { CRASH_DEEDS = CRASH_DEED_REFUSED + 1 };

struct crash_facts {
    bool is_reaped; /* the kernel said how it ended: cause is valid */
    struct cause cause;
    enum crash_deed deed;
    enum crash_state state;
    bool is_oom_counted;  /* the cgroup's count was read for this sweep: oom_kills is valid */
    uint64_t oom_kills;   /* what oom_take told; for the whole sweep, not for this worker */
    unsigned unexplained; /* of how many dead of the sweep crash_class_is_unexplained is true */
};

/* Whether it was killed with SIGKILL, and not by us.  Looks at cause and deed alone, so it can be asked of all the dead of a sweep
 * before one of them is judged. */
bool crash_class_is_unexplained(const struct crash_facts *facts);
enum crash_class crash_class_get(const struct crash_facts *facts);
const char *crash_class_name(enum crash_class class);       /* "oom_possible" */
const char *crash_class_state_name(enum crash_state state); /* "serving" */

enum { CRASH_CLASS_TEXT_MAX = 256 };
/* "killed by the kernel: out of memory (oom_kill of the cgroup rose by 1)" */
void crash_class_format(const struct crash_facts *facts, char text[CRASH_CLASS_TEXT_MAX]);

#endif
