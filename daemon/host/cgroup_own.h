#ifndef FSD_DAEMON_HOST_CGROUP_OWN_H
#define FSD_DAEMON_HOST_CGROUP_OWN_H

struct cgroup_folder;

/* The folder of this process's cgroup, see cgroup_find.  0 or a negative errno; -ENOENT: there is none for this controller. */
int cgroup_own_find(const char *controller, struct cgroup_folder *ret_folder);

#endif
