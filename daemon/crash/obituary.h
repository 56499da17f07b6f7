#ifndef FSD_DAEMON_CRASH_OBITUARY_H
#define FSD_DAEMON_CRASH_OBITUARY_H

struct master;
struct pool;
struct proc;

/* Opens what is needed: the folder of crash reports, the count of OOM kills.  What is missing is one warning. */
void obituary_open(struct master *master);
void obituary_close(struct master *master);
/* A process was reaped.  One that did not end as it was told gets a crash report and a log line; next: what followed its loss. */
void obituary_write(struct master *master, const struct pool *pool, const struct proc *proc,
                    const char *next);
/* Once a second: what could not be written is tried again. */
void obituary_retry(struct master *master);

#endif
