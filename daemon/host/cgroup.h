#ifndef FSD_DAEMON_HOST_CGROUP_H
#define FSD_DAEMON_HOST_CGROUP_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

/* Where the files of a process's own cgroup are. */
struct cgroup_folder {
    int version; /* 1 or 2 */
    char path[PATH_MAX];
    size_t top_len; /* so much of path is the mount; what is between is the chain of parents */
};

/* cgroup: the text of /proc/PID/cgroup, mountinfo: of /proc/PID/mountinfo; controller: "cpu",
 * "memory".  Version 1 where the controller is one of its hierarchies, else version 2.  0; -ENOENT:
 * it is not mounted here; -ENAMETOOLONG. */
int cgroup_find(const char *cgroup, const char *mountinfo, const char *controller,
                struct cgroup_folder *ret_folder);
/* Cuts the last name off the path; 0 when the mount itself was reached. */
int cgroup_go_up(struct cgroup_folder *folder);
/* "150000 100000" of cpu.max: microseconds of CPU in each period.  0; -ENOENT: "max", no limit;
 * -EINVAL. */
int cgroup_parse_cpu_max(const char *text, uint64_t *ret_quota_us, uint64_t *ret_period_us);

#endif
