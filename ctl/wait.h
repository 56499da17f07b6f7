#ifndef FSD_CTL_WAIT_H
#define FSD_CTL_WAIT_H

struct command_args;

/* `fsdctl wait --for=ready|drained|config=N`: also for a daemon that is only just being started. */
int wait_run(const struct command_args *args);

#endif
