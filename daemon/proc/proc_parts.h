#ifndef FSD_DAEMON_PROC_PROC_PARTS_H
#define FSD_DAEMON_PROC_PROC_PARTS_H

#include "daemon/proc/proc.h"

/* What proc.c, proc_order.c and proc_watch.c need of each other; nobody else includes it. */

/* Takes one event; proc may be free afterwards. */
void proc_step(struct proc *proc, enum incarnation_event event, const char *detail);
/* A call that can't go on ends the worker's usefulness as if it had broken the contract. */
void proc_check(struct proc *proc, int error);

#endif
