#ifndef FSD_DAEMON_METHOD_METHODS_CODE_H
#define FSD_DAEMON_METHOD_METHODS_CODE_H

#include "daemon/control/control.h"

/* The run functions of rows in methods.c; owner is the master. */
void methods_code_generations(void *owner, struct control_call *call, const json_t *params);
void methods_code_rollback(void *owner, struct control_call *call, const json_t *params);
void methods_code_confirm(void *owner, struct control_call *call, const json_t *params);

#endif
