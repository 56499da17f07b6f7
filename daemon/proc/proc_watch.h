#ifndef FSD_DAEMON_PROC_PROC_WATCH_H
#define FSD_DAEMON_PROC_PROC_WATCH_H

struct proc;

/* The part of proc that listens to the process: its control channel, its log and its end.  Takes sock, our end of the channel.  0 or
 * a negative errno; proc_watch_close in any case. */
int proc_watch_open(struct proc *proc, int sock);
void proc_watch_close(struct proc *proc);

#endif
