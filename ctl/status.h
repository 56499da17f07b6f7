#ifndef FSD_CTL_STATUS_H
#define FSD_CTL_STATUS_H

#include <jansson.h>

struct command_args;
struct fsd_err;

/* `fsdctl status` */
int status_run(const struct command_args *args);

/* What the status says to a script: FSD_EXIT_OK or FSD_EXIT_DEGRADED, or -EPROTO when it is no status of ours. */
int status_judge(const json_t *status, struct fsd_err *err);

#endif
