/*
 * cgroup_own.c - the control group of this process.
 *
 * Owns nothing.  Reads the two texts in which cgroup.c finds it; both are made anew by the kernel for
 * each reader, so where fsd was moved meanwhile the answer is the new place.
 *
 * Called by cpus.c for a limit and by crash/oom.c for a count.  Must not know what is in the folder.
 */
#include "daemon/host/cgroup_own.h"

#include <errno.h>
#include <stdlib.h>

#include "common/fd.h"
#include "daemon/host/cgroup.h"

/* A host with many containers has many mounts. */
enum { CGROUP_BYTES_MAX = 16 << 10, MOUNTINFO_BYTES_MAX = 1 << 20 };

int cgroup_own_find(const char *controller, struct cgroup_folder *ret_folder)
{
    char *cgroup = malloc(CGROUP_BYTES_MAX);
    char *mountinfo = malloc(MOUNTINFO_BYTES_MAX);
    ssize_t result = cgroup == NULL || mountinfo == NULL ? -ENOMEM : 0;

    if (result == 0) {
        result = fd_read_text("/proc/self/cgroup", cgroup, CGROUP_BYTES_MAX);
    }
    if (result >= 0) {
        result = fd_read_text("/proc/self/mountinfo", mountinfo, MOUNTINFO_BYTES_MAX);
    }
    if (result >= 0) {
        result = cgroup_find(cgroup, mountinfo, controller, ret_folder);
    }
    free(cgroup);
    free(mountinfo);
    return (int)result;
}
