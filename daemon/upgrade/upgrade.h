#ifndef FSD_DAEMON_UPGRADE_UPGRADE_H
#define FSD_DAEMON_UPGRADE_UPGRADE_H

#include <stdbool.h>

#include "daemon/upgrade/upgrade_probe.h"

struct control_call;
struct master;

/* The one upgrade in place that may be under way.  All zero is idle. */
struct upgrade {
    /* owned; the program that was started, as it was called: a new one is expected there */
    char *path;
    bool is_running;
    struct control_call *call; /* to be answered; NULL: nobody asked (a signal) */
    struct upgrade_probe probe;
    bool is_tried;          /* the new program has said that it can go on */
    sd_event_source *timer; /* owned; looks again whether the daemon rests */
    uint64_t until_ms;      /* monotonic: it is given up then */
};

/* Finds out where this program is; to be called once, before anything can have replaced its file.  0 or negative errno. */
int upgrade_init(struct upgrade *upgrade);
/* Ends what is under way. */
void upgrade_fini(struct upgrade *upgrade);

/* Replaces this program by the one that now stands where it was started from, while everything goes on.  call is answered by the new
 * program, or by this one when it stays; NULL: only the log is told. */
void upgrade_start(struct master *master, struct control_call *call);
bool upgrade_is_running(const struct master *master);
/* Is this process the trial? */
bool upgrade_owns(const struct master *master, pid_t pid);
/* The daemon stops. */
void upgrade_stop(struct master *master);
/* This program has taken over from another one, of that version: tells so.  note: why the program that was to take over did
 * not, and it is the one before again; NULL: it is the new one. */
void upgrade_finish(struct master *master, const char *from, const char *note);

#endif
