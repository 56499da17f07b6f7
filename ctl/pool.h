#ifndef FSD_CTL_POOL_H
#define FSD_CTL_POOL_H

struct command_args;

/* `fsdctl scale POOL N` */
int pool_scale_run(const struct command_args *args);
/* `fsdctl restart POOL` */
int pool_restart_run(const struct command_args *args);

#endif
