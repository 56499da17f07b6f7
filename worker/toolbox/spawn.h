#ifndef FSD_WORKER_TOOLBOX_SPAWN_H
#define FSD_WORKER_TOOLBOX_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

enum { SPAWN_FDS = 4 };

/* A program that is to be started. */
struct spawn_plan {
    const char *program; /* a path */
    char *const *argv;
    char *const *envp;
    const char *folder; /* NULL: the worker's */
    int fds[SPAWN_FDS]; /* what it has as 0, 1, 2 and 3, above 3 each; -1: /dev/null, and no 3 */
    bool has_own_group; /* so that it can be killed with all that it starts */
};

struct spawn {
    pid_t pid; /* 0: none */
    int pidfd; /* owned; readable when it has ended; -1: none */
};

/* Starts it with every signal as usual, and without any other descriptor.  0, or a negative errno of the exec. */
int spawn_start(struct spawn *spawn, const struct spawn_plan *plan);
/* Takes what is left of one that has ended, and closes the pidfd.  -EAGAIN: it runs still.  The status is waitpid's. */
int spawn_reap(struct spawn *spawn, int *ret_status);
/* Kills it if it runs, waits, and closes the pidfd. */
void spawn_kill(struct spawn *spawn);

#endif
