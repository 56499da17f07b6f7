#ifndef FSD_CTL_UPGRADE_H
#define FSD_CTL_UPGRADE_H

struct command_args;

/* `fsdctl upgrade`: returns when the new program answers, or the old one says why it goes on. */
int upgrade_run(const struct command_args *args);

#endif
