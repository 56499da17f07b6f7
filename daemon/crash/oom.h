#ifndef FSD_DAEMON_CRASH_OOM_H
#define FSD_DAEMON_CRASH_OOM_H

#include <stdint.h>

enum {
    OOM_UNKNOWN = -1,   /* nobody counts, or the count can't be read */
    OOM_KEEP_MS = 5000, /* how long a kill waits for its victim, whose memory is torn down first */
};

/* The kernel's count of processes that it killed in our cgroup (which the workers share) for lack of memory. */
struct oom {
    int fd;              /* owned; -1: there is no such count */
    uint64_t known;      /* kills that were seen */
    uint64_t left;       /* of them, those that no dead worker has claimed */
    uint64_t left_at_ms; /* when the last of these was seen */
};

/* Opens the count; kills so far are not told of.  0, or a negative errno (-ENOENT: no cgroup counts for us): oom can be used,
 * every oom_take is OOM_UNKNOWN then. */
int oom_open(struct oom *oom);
/* The same for a file with a line "oom_kill N". */
int oom_open_file(struct oom *oom, const char *path);
void oom_close(struct oom *oom);
/* For one sweep of dead workers, also one in which victims is 0.  victims: of how many of them crash_class_is_unexplained is true;
 * now_ms: monotonic.  Returns the kills that may have been theirs, new ones and those that none of an earlier sweep claimed, or
 * OOM_UNKNOWN; as many as there are victims are claimed now.  The kernel counts before it kills, so the kill of a worker that has
 * been reaped is in the count. */
int64_t oom_take(struct oom *oom, unsigned victims, uint64_t now_ms);

#endif
