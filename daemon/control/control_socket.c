/* control_socket.c - the file and the listening descriptor of the control socket.
 * Owns one listening Unix socket and its name in the file system.
 * How: the socket is bound under a name of our pid with no rights for others, then gets its mode, listens, and is renamed:
 * whoever sees the final name can connect to it, and never finds it with wrong rights.  A file that a killed
 * daemon left is told from a living one by connecting to it.
 * Called by control.c at start and at the end.
 * Must not know who connects (control_access.c) or what is said over the connections. */
#include "daemon/control/control_socket.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "daemon/control/control_access.h"

enum { WAITS = 100, WAIT_NS = 5 * 1000 * 1000 };
enum { BACKLOG = 128, MODE_OWNER = 0600, MODE_GROUP = 0660 };

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

/* Who made the other end listen; 0: cannot tell. */
static pid_t find_listener(int fd)
{
    struct ucred peer = {.pid = 0};
    socklen_t len = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 ? 0 : peer.pid;
}

/* 0: nobody listens on the socket file; -EADDRINUSE: somebody does; other negative errno: cannot tell. */
static int probe_once(const struct sockaddr_un *address, pid_t *ret_listener)
{
    *ret_listener = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    int r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ? 0 : -errno;
    *ret_listener = r == 0 ? find_listener(fd) : 0;
    fd_close(&fd);
    if (r == 0 || r == -EAGAIN) { /* EAGAIN: its backlog is full */
        return -EADDRINUSE;
    }
    return r == -ECONNREFUSED ? 0 : r;
}

/* A daemon that was killed just after a fork lives on as a child that has all its sockets, until that child sees that its parent is
 * gone.  That takes less than a millisecond, or whatever a busy machine makes of it. */
static int probe(const struct sockaddr_un *address)
{
    const struct timespec wait = {.tv_nsec = WAIT_NS};
    pid_t listener = 0;
    int r = probe_once(address, &listener);
    for (int i = 0; i < WAITS && r == -EADDRINUSE && listener > 0; i++) {
        if (kill(listener, 0) == 0 || errno != ESRCH) {
            return r;
        }
        (void)nanosleep(&wait, NULL); /* a signal makes it shorter, which is no harm */
        r = probe_once(address, &listener);
    }
    return r;
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
    struct control_access access;
    control_access_init(&access);
    return access.has_admins && chown(path, (uid_t)-1, access.admins) == 0 ? MODE_GROUP
                                                                           : MODE_OWNER;
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
