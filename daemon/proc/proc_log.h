#ifndef FSD_DAEMON_PROC_PROC_LOG_H
#define FSD_DAEMON_PROC_PROC_LOG_H

struct proc;

/* The part of proc that reads the worker's log socket (proc->log_fd) and passes its records on to the daemon's log. */
int proc_log_open(struct proc *proc);
void proc_log_close(struct proc *proc);
/* Passes on what is still there, after the process has ended. */
void proc_log_read_rest(struct proc *proc);

#endif
