#ifndef FSD_CTL_LOGS_H
#define FSD_CTL_LOGS_H

struct command_args;

/* `fsdctl logs [-f] [POOL]` */
int logs_run(const struct command_args *args);
/* `fsdctl logs reopen` */
int logs_reopen_run(const struct command_args *args);

#endif
