#ifndef FSD_CTL_CONFIG_H
#define FSD_CTL_CONFIG_H

struct command_args;

/* `fsdctl config ...`: the configuration on the disk, the one that runs, and those that did. */
int config_check_run(const struct command_args *args);
int config_plan_run(const struct command_args *args);
int config_apply_run(const struct command_args *args);
int config_rollback_run(const struct command_args *args);
int config_show_run(const struct command_args *args);
int config_diff_run(const struct command_args *args);
int config_history_run(const struct command_args *args);

#endif
