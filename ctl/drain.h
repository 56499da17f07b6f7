#ifndef FSD_CTL_DRAIN_H
#define FSD_CTL_DRAIN_H

struct command_args;

/* `fsdctl drain`: returns when the last worker has left. */
int drain_run(const struct command_args *args);
/* `fsdctl resume`: returns when all pools serve again. */
int drain_resume_run(const struct command_args *args);

#endif
