#ifndef FSD_CTL_EVENTS_H
#define FSD_CTL_EVENTS_H

struct command_args;

/* `fsdctl events [-f]` */
int events_run(const struct command_args *args);

#endif
