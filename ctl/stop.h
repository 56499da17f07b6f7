#ifndef FSD_CTL_STOP_H
#define FSD_CTL_STOP_H

struct command_args;

/* `fsdctl stop`: returns when the daemon has gone. */
int stop_run(const struct command_args *args);

#endif
