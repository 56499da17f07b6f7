#ifndef FSD_DAEMON_PROC_INCARNATION_H
#define FSD_DAEMON_PROC_INCARNATION_H

#include <stdbool.h>

#include "common/log_level.h"

/* The life of one worker process, from fork to its last trace. */
enum incarnation_state {
    INCARNATION_SPAWNED,    /* waits for HELLO */
    INCARNATION_LOADING,    /* has its hand-out, loads the code */
    INCARNATION_LOADED,     /* has loaded it and waits to be told where to serve */
    INCARNATION_ACTIVATING, /* told to begin */
    INCARNATION_ACTIVE,     /* serves */
    INCARNATION_DRAINING,   /* told to finish and leave */
    INCARNATION_HUNG_UP, /* has closed its control channel without being told to leave: most likely it is dying */
    INCARNATION_DYING,  /* has said so, or got SIGABRT for not going on: may write down why */
    INCARNATION_KILLED, /* SIGKILL is sent, the kernel has not yet reported the end */
    INCARNATION_GONE,   /* reaped */
};
enum { INCARNATION_STATES = INCARNATION_GONE + 1 };

enum incarnation_event {
    INCARNATION_ON_HELLO, /* words of the worker, up to ON_DYING */
    INCARNATION_ON_MISMATCH,
    INCARNATION_ON_LOADED,
    INCARNATION_ON_REFUSED,
    INCARNATION_ON_ACTIVE,
    INCARNATION_ON_WITHDRAWN, /* accepts nothing more (DRAINING) */
    INCARNATION_ON_PREPARED,
    INCARNATION_ON_REJECTED,
    INCARNATION_ON_COMMITTED,
    INCARNATION_ON_LEAVE,            /* asks to be replaced */
    INCARNATION_ON_DYING,            /* a fatal signal is ending it */
    INCARNATION_ON_ACTIVATE,         /* order: begin to serve */
    INCARNATION_ON_DRAIN,            /* order: finish what runs, then leave */
    INCARNATION_ON_STOP,             /* order: leave now */
    INCARNATION_ON_HANG,             /* its heartbeat has stopped */
    INCARNATION_ON_BOOT_TIMEOUT,     /* was not LOADED, or not ACTIVE, in time */
    INCARNATION_ON_SHUTDOWN_TIMEOUT, /* did not end in time */
    INCARNATION_ON_BROKEN,           /* broke the contract, or can't be reached any more */
    INCARNATION_ON_CLOSED,           /* closed its control channel */
    INCARNATION_ON_EXITED,           /* the kernel says that it ended */
};
enum { INCARNATION_EVENTS = INCARNATION_ON_EXITED + 1 };

enum incarnation_action {
    INCARNATION_DO_NOTHING,
    INCARNATION_HAND_OUT,       /* send LOG, CONFIG, LOAD */
    INCARNATION_TELL_LOADED,    /* stop the boot timer, tell the owner */
    INCARNATION_ACTIVATE,       /* send LISTENERs and ACTIVATE, start the boot timer again */
    INCARNATION_TELL_READY,     /* stop the boot timer, tell the owner */
    INCARNATION_SEND_DRAIN,     /* send DRAIN, start the shutdown timer */
    INCARNATION_TELL_WITHDRAWN, /* tell the owner */
    INCARNATION_TELL_ANSWER,    /* of a change: PREPARED, REJECTED, COMMITTED: tell the owner */
    INCARNATION_TELL_LEAVE,     /* tell the owner */
    INCARNATION_AWAIT_EXIT,     /* start the short timer of HUNG_UP: the exit will say why */
    INCARNATION_AWAIT_END,      /* tell lost, start the short timer of DYING */
    INCARNATION_ABORT,          /* SIGABRT, then as AWAIT_END */
    INCARNATION_KILL,           /* the owner knows already or ordered it */
    INCARNATION_FAIL,           /* kill, and tell the owner that it is lost */
    INCARNATION_TELL_GONE,      /* reaped, as ordered or after a FAIL */
    INCARNATION_FAIL_AND_GONE   /* reaped out of the blue: tell lost, then gone */
};

struct incarnation_row {
    enum incarnation_state state;
    enum incarnation_event event;
    enum incarnation_state next;
    enum incarnation_action action;
    enum log_level level; /* of the sentence */
    const char *name;     /* of the event that the log line is */
    const char *sentence; /* for the log; NULL: nothing worth a line */
};

/* The row of a pair, or NULL: the pair must not happen, the caller logs it as an error.  When it was a word of the worker
 * (incarnation_is_word), the worker broke the contract and INCARNATION_ON_BROKEN is due. */
const struct incarnation_row *incarnation_find(enum incarnation_state state,
                                               enum incarnation_event event);
bool incarnation_is_word(enum incarnation_event event);
/* Is it on its way to ACTIVE? */
bool incarnation_is_booting(enum incarnation_state state);
const char *incarnation_state_name(enum incarnation_state state);
const char *incarnation_event_name(enum incarnation_event event);

#endif
