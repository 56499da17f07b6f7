#ifndef FSD_DAEMON_CRASH_OOM_H
#define FSD_DAEMON_CRASH_OOM_H

#include <stdint.h>

enum { OOM_UNKNOWN = -1 }; /* nobody counts, or the count can't be read */

/* The kernel's count of processes that it killed in our cgroup (which the workers share) for lack of memory. */
struct oom {
    int fd;         /* owned; -1: there is no such count */
    uint64_t known; /* kills that oom_take has told of already */
};

/* Opens the count; kills so far are not told of.  0, or a negative errno (-ENOENT: no cgroup counts for us): oom can be used,
 * every oom_take is OOM_UNKNOWN then. */
int oom_open(struct oom *oom);
/* The same for a file with a line "oom_kill N". */
int oom_open_file(struct oom *oom, const char *path);
void oom_close(struct oom *oom);
/* Kills since the last call, or OOM_UNKNOWN.  The kernel counts before it kills: of a worker that has been reaped it is in. */
int64_t oom_take(struct oom *oom);

#endif
