#ifndef FSD_WORKER_CORE_FATAL_H
#define FSD_WORKER_CORE_FATAL_H

struct runtime;

/* Installs the handlers of the signals that end the process, on a stack of their own.  Each tells the master on the control
 * channel first, then writes into the runtime's black box (if there is one) why, where in C and where in Lua, and lets the
 * signal end the process.  What a sanitizer has installed runs afterwards.  runtime is borrowed for ever.  Once. */
void fatal_open(struct runtime *runtime, int control_fd);

#endif
