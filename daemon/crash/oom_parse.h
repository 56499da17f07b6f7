#ifndef FSD_DAEMON_CRASH_OOM_PARSE_H
#define FSD_DAEMON_CRASH_OOM_PARSE_H

#include <stddef.h>
#include <stdint.h>

/* The file that counts the kills in a process's own memory cgroup.  cgroup: the text of its /proc/PID/cgroup, mountinfo: of its
 * /proc/PID/mountinfo.  Version 1 is preferred where the memory controller is there.  0; -ENOENT when no mounted cgroup tells;
 * -ENAMETOOLONG when path (size bytes) is too short. */
int oom_parse_path(const char *cgroup, const char *mountinfo, char *path, size_t size);
/* The number of the line "oom_kill N" in memory.events or memory.oom_control.  0, or -EINVAL when there is none. */
int oom_parse_count(const char *text, uint64_t *ret_count);

#endif
