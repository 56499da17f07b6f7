#ifndef FSD_DAEMON_METHOD_METHODS_CONFIG_H
#define FSD_DAEMON_METHOD_METHODS_CONFIG_H

#include "daemon/control/control.h"

/* The run functions of rows in methods.c; owner is the master. */
void methods_config_check(void *owner, struct control_call *call, const json_t *params);
void methods_config_plan(void *owner, struct control_call *call, const json_t *params);
void methods_config_apply(void *owner, struct control_call *call, const json_t *params);
void methods_config_rollback(void *owner, struct control_call *call, const json_t *params);
void methods_config_show(void *owner, struct control_call *call, const json_t *params);
void methods_config_diff(void *owner, struct control_call *call, const json_t *params);
void methods_config_history(void *owner, struct control_call *call, const json_t *params);
void methods_config_scale(void *owner, struct control_call *call, const json_t *params);

#endif
