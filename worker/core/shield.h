#ifndef FSD_WORKER_CORE_SHIELD_H
#define FSD_WORKER_CORE_SHIELD_H

/* Makes this process the one that the kernel ends before the master when memory is out, and undumpable where PROTO_ENV_SHIELD says
 * so.  Nothing of that is worth a failure. */
void shield_raise(void);

#endif
