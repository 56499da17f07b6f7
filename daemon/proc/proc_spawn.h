#ifndef FSD_DAEMON_PROC_PROC_SPAWN_H
#define FSD_DAEMON_PROC_PROC_SPAWN_H

struct fsd_err;
struct proc;
struct proc_order;
struct proc_setting;

/* The part of proc that assembles a new worker: fills *proc (also on failure, for proc_fini), makes its sockets and page, starts the
 * process.  *ret_sock is the master's end of the control channel, the caller's.  0, or a negative errno with a sentence. */
int proc_spawn(struct proc *proc, const struct proc_setting *setting,
               const struct proc_order *order, int *ret_sock, struct fsd_err *err);

#endif
