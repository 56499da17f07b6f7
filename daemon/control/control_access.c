/* control_access.c - who may talk to the daemon.
 * Owns nothing.  How: the kernel says who connected (SO_PEERCRED, SO_PEERGROUPS), whatever the mode of the socket's file lets
 * through.  A handler is no operator: refused are all descendants of this process, which are workers, the bundle tool and what they
 * started, and in production the user that they run as, in whatever group it is.  Allowed are root, the administrators' group,
 * and our own user where workers run as another one or a developer runs the daemon.
 * Called by control_socket.c at the start and by control.c for each new peer.  Must not know what peers may do then. */
#include "daemon/control/control_access.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"

enum { GROUP_TEXT_MAX = 16384, ANCESTORS_MAX = 64, STAT_MAX = 512 };

/* Its members may control a daemon that runs as another user; systemd/fsd.sysusers creates it. */
static const char admin_group[] = "fsd-admin";

void control_access_init(struct control_access *ret_access)
{
    struct group group;
    struct group *found = NULL;
    char text[GROUP_TEXT_MAX];
    *ret_access = (struct control_access){0};
    if (getgrnam_r(admin_group, &group, text, sizeof(text), &found) == 0 && found != NULL) {
        ret_access->has_admins = true;
        ret_access->admins = found->gr_gid;
    }
}

/* Has the peer this group among its supplementary ones? */
static bool is_in_group(int fd, gid_t group)
{
    socklen_t len = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) == 0 || errno != ERANGE) {
        return false; /* none at all, or it cannot be known */
    }
    gid_t *groups = malloc(len);
    bool found = false;
    if (groups != NULL && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0) {
        for (size_t i = 0; i < len / sizeof(*groups) && !found; i++) {
            found = groups[i] == group;
        }
    }
    free(groups);
    return found;
}

/* The parent of a process; 0 when there is none, or it cannot be known.  PID (NAME) STATE PPID ...: the name may hold anything. */
static pid_t find_parent(pid_t pid)
{
    char path[32];
    char text[STAT_MAX];
    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    const char *end = fd_read_text(path, text, sizeof(text)) > 0 ? strrchr(text, ')') : NULL;
    return end == NULL || strlen(end) < 5 ? 0 : (pid_t)strtol(end + 4, NULL, 10);
}

/* We start nothing but workers and the tool that reads their code. */
static bool is_descendant(pid_t pid)
{
    pid_t own = getpid();
    for (int i = 0; i < ANCESTORS_MAX && pid > 1 && pid != own; i++) {
        pid = find_parent(pid);
        if (pid == own) {
            return true;
        }
    }
    return false;
}

int control_access_check(const struct control_access *access, int fd, struct fsd_err *err)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
        return fsd_err_set(err, EACCES, "cannot tell who asks: %s", strerror(errno));
    }
    if (is_descendant(peer.pid)) {
        return fsd_err_set(
            err, EACCES,
            "process %ld was started by a worker of this fsd, and an application may "
            "not control the daemon that runs it.  Ask from outside of it",
            (long)peer.pid);
    }
    if (peer.uid == 0) {
        return 0;
    }
    if (access->is_production && peer.uid == access->workers) {
        return fsd_err_set(
            err, EACCES,
            "user id %ld may not control this fsd: the application's code runs as it.  "
            "Ask as root, or as another user who is in the group \"%s\"",
            (long)peer.uid, admin_group);
    }
    if (peer.uid == geteuid() ||
        (access->has_admins && (peer.gid == access->admins || is_in_group(fd, access->admins)))) {
        return 0;
    }
    return fsd_err_set(err, EACCES,
                       "user id %ld may not control this fsd: it is neither root nor in the group "
                       "\"%s\"%s",
                       (long)peer.uid, admin_group,
                       access->has_admins ? "" : ", which did not exist when fsd was started");
}
