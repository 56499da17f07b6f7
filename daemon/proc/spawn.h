#ifndef FSD_DAEMON_PROC_SPAWN_H
#define FSD_DAEMON_PROC_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/proto.h"

struct cause;
struct fsd_err;
struct privilege;

/* One program to start.  fds[i] becomes descriptor i of the child, everything else is closed. */
struct spawn_order {
    const char *path;  /* absolute path of the program */
    char *const *argv; /* NULL-terminated; argv[0] is what ps shows */
    char *const *envp; /* NULL-terminated; the whole environment */
    const int *fds;
    unsigned fd_count;                 /* at most PROTO_FD_END */
    const struct privilege *privilege; /* borrowed while the child lives; NULL: as we are */
};

struct spawn_child {
    pid_t pid;
    int pidfd;                         /* owned by the caller; readable when the child has ended */
    int error_fd;                      /* owned by the caller; see spawn_failure */
    const struct privilege *privilege; /* borrowed; NULL in one that was taken over */
};

/* fork + exec.  The child gives up what order->privilege says, or does not start; it dies with the master (SIGKILL).  Does not
 * wait for the exec: whether that failed is known when the child has ended.  0, or a negative errno with a sentence. */
int spawn_start(const struct spawn_order *order, struct spawn_child *ret_child,
                struct fsd_err *err);
/* Of a child that has ended: 0, or the negative errno why it never became the program, with a sentence. */
int spawn_failure(const struct spawn_child *child, const char *path, struct fsd_err *err);
/* Reaps a child of which pidfd is readable, without blocking.  0, or -EAGAIN while it still lives. */
int spawn_reap(const struct spawn_child *child, struct cause *ret_cause);
/* Sends a signal through the pidfd; a child that has ended already is no error. */
void spawn_signal(const struct spawn_child *child, int signal);
/* Closes both descriptors. */
void spawn_forget(struct spawn_child *child);

enum { SPAWN_ENV_BASE_MAX = 4 };
/* The variables that every child gets: PATH, LANG and TZ of the master's environment, and PROTO_ENV_SHIELD where that is meant.
 * Fills env (borrowed), no NULL at the end; returns how many.  NULL: nothing is shielded. */
unsigned spawn_env_base(char *env[SPAWN_ENV_BASE_MAX], const struct privilege *privilege);
/* Reaps children that are not ours, until there is none or the first in line is ours.  is_ours gets the owner. */
void spawn_reap_foreign(bool (*is_ours)(const void *owner, pid_t pid), const void *owner);

#endif
