/* control_socket.c - the file and the listening descriptor of the control socket, and who may connect to it.
 * Owns one listening Unix socket and its name in the file system.
 * How: the socket is bound under a name of our pid with no rights for others, then gets its mode, listens, and is renamed:
 * whoever sees the final name can connect to it, and never finds it with wrong rights.  A file that a killed
 * daemon left is told from a living one by connecting to it.
 * Called by control.c at start, for each new peer, and at the end.
 * Must not know what is said over the connections. */
#include "daemon/control/control_socket.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"

enum { BACKLOG = 128, MODE_OWNER = 0600, MODE_GROUP = 0660, GROUP_TEXT_MAX = 16384 };

/* Its members may control a daemon that runs as another user; systemd/fsd.sysusers creates it. */
static const char admin_group[] = "fsd-admin";

static int refuse(struct fsd_err *err, int errnum, const char *path, const char *why)
{
    return fsd_err_set(err, errnum, "cannot listen on control socket \"%s\": %s", path, why);
}

static int fill_address(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address->sun_path)) {
        return -ENAMETOOLONG;
    }
    memcpy(address->sun_path, path, strlen(path) + 1);
    return 0;
}

/* 0: nobody listens on the socket file; -EADDRINUSE: somebody does; other negative errno: cannot tell. */
static int probe(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    int r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : -errno;
    fd_close(&fd);
    if (r == 0 || r == -EAGAIN) { /* EAGAIN: its backlog is full */
        return -EADDRINUSE;
    }
    return r == -ECONNREFUSED ? 0 : r;
}

/* What stands at the path now?  0 and *ret_stale, or why it cannot be ours. */
static int check_place(const struct sockaddr_un *address, int *ret_stale, struct fsd_err *err)
{
    const char *path = address->sun_path;
    struct stat found;
    *ret_stale = 0;
    if (lstat(path, &found) < 0) {
        return errno == ENOENT ? 0 : refuse(err, errno, path, strerror(errno));
    }
    if (!S_ISSOCK(found.st_mode)) {
        return refuse(err, EEXIST, path, "a file that is not a socket is in its place");
    }
    int r = probe(address);
    if (r == -EADDRINUSE) {
        return refuse(err, EADDRINUSE, path, "another fsd is running there");
    }
    if (r < 0) {
        return refuse(err, -r, path, strerror(-r));
    }
    *ret_stale = 1;
    return 0;
}

static int bind_private(int fd, const struct sockaddr_un *address)
{
    (void)unlink(
        address->sun_path);      /* of a daemon with our pid that died between bind and rename */
    mode_t before = umask(0177); /* one thread: nobody else creates a file meanwhile */
    int r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : -errno;
    (void)umask(before); /* cannot fail */
    return r;
}

/* The folder of the socket, when only that is missing (/run/fsd after a boot without systemd's unit). */
static void make_folder(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    if (len > 0 && len < sizeof(folder)) {
        memcpy(folder, path, len);
        folder[len] = '\0';
        (void)mkdir(folder, 0755); /* there already, or bind says what is wrong */
    }
}

/* Gives the file to the administrators' group.  Without such a group, or when we are not allowed to (we are no member of it), the
 * file stays our user's alone. */
static mode_t hand_to_admins(const char *path)
{
    struct group group;
    struct group *found = NULL;
    char text[GROUP_TEXT_MAX];
    if (getgrnam_r(admin_group, &group, text, sizeof(text), &found) != 0 || found == NULL ||
        chown(path, (uid_t)-1, found->gr_gid) < 0) {
        return MODE_OWNER;
    }
    return MODE_GROUP;
}

/* Everything between having a descriptor and having the file under its name. */
static int publish(int fd, const struct sockaddr_un *temporary, const char *path,
                   struct stat *ret_stat)
{
    int r = bind_private(fd, temporary);
    if (r < 0) {
        return r;
    }
    if (chmod(temporary->sun_path, hand_to_admins(temporary->sun_path)) < 0 ||
        listen(fd, BACKLOG) < 0 || lstat(temporary->sun_path, ret_stat) < 0 ||
        rename(temporary->sun_path, path) < 0) {
        r = -errno;
        (void)unlink(temporary->sun_path); /* the first failure is the one to report */
    }
    return r;
}

int control_socket_open(struct control_socket *ret_control, const char *path,
                        int *ret_replaced_stale, struct fsd_err *err)
{
    struct sockaddr_un address;
    struct sockaddr_un temporary;
    char name[sizeof(temporary.sun_path) + 16];
    int len = snprintf(name, sizeof(name), "%s.%ld", path, (long)getpid());
    if (len < 0 || (size_t)len >= sizeof(name) || fill_address(&temporary, name) < 0 ||
        fill_address(&address, path) < 0) {
        return refuse(err, ENAMETOOLONG, path, "the path is too long, 96 bytes are always allowed");
    }
    make_folder(path);
    int stale = 0;
    int r = check_place(&address, &stale, err);
    if (r < 0) {
        return r;
    }
    char *copy = strdup(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat made;
    if (copy == NULL || fd < 0) {
        r = refuse(err, errno, path, strerror(errno));
        goto out;
    }
    r = publish(fd, &temporary, path, &made);
    if (r < 0) {
        (void)refuse(err, -r, path, strerror(-r));
        goto out;
    }
    *ret_control = (struct control_socket){fd, copy, made.st_dev, made.st_ino};
    *ret_replaced_stale = stale;
    return 0;
out:
    free(copy);
    fd_close(&fd);
    return r;
}

/* Looks at the file of our name; false when it is gone or somebody else's. */
static bool stat_ours(const struct control_socket *control, struct stat *ret_stat)
{
    return lstat(control->path, ret_stat) == 0 && ret_stat->st_dev == control->device &&
           ret_stat->st_ino == control->inode;
}

void control_socket_close(struct control_socket *control)
{
    if (control->fd < 0) {
        return;
    }
    struct stat found;
    if (stat_ours(control, &found)) {
        (void)unlink(control->path); /* what cannot be removed is stale at the next start */
    }
    fd_close(&control->fd);
    free(control->path);
    control->path = NULL;
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

int control_socket_check_peer(const struct control_socket *control, int fd, struct fsd_err *err)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0) {
        return fsd_err_set(err, EACCES, "cannot tell who asks: %s", strerror(errno));
    }
    if (peer.uid == 0 || peer.uid == geteuid()) {
        return 0;
    }
    /* Looked up each time: the administrator may have given the file to another group meanwhile. */
    struct stat found;
    if (stat_ours(control, &found) && (found.st_mode & S_IWGRP) != 0 &&
        (peer.gid == found.st_gid || is_in_group(fd, found.st_gid))) {
        return 0;
    }
    return fsd_err_set(
        err, EACCES,
        "user id %ld may not control this fsd: it is neither root nor its own user nor "
        "in the group of the socket file",
        (long)peer.uid);
}
