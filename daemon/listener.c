/* listener.c - the listening sockets, which belong to the master for its whole life.
 * Owns one SO_REUSEPORT socket a slot, so that the accept queue of a worker that dies is served by its successor.  The first
 * socket is bound without SO_REUSEPORT and gets it afterwards: so a port that somebody else has is seen, and port 0
 * is chosen once.  A Unix socket is bound under a temporary name and renamed, so that clients never meet a socket that does
 * not listen; a file that nobody answers on is replaced, one that is alive is refused.
 * Called by master.c at start and end.  Must not know who accepts. */
#include "daemon/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "daemon/conf/conf.h"

enum { BACKLOG = 4096, SOCKET_MODE = 0666 };

static int fail(const struct listener *listener, int errnum, struct fsd_err *err)
{
    return fsd_err_set(err, errnum, "cannot bind \"%s\": %s listener=%s", listener->address,
                       strerror(errnum), listener->conf->name);
}

static int open_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int set_flag(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? 0 : -errno;
}

static int bind_inet(const struct parse_address *address, int is_shared)
{
    int fd = open_socket(address->storage.ss_family);
    if (fd < 0) {
        return fd;
    }
    int error = set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (error == 0 && address->storage.ss_family == AF_INET6) {
        error = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0); /* ":80" is IPv4 as well */
    }
    if (error == 0 && is_shared) {
        error = set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (error == 0 && bind(fd, (const struct sockaddr *)&address->storage, address->len) != 0) {
        error = -errno;
    }
    if (error == 0 && !is_shared) {
        error = set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (error < 0) {
        fd_close(&fd);
        return error;
    }
    return fd;
}

/* Where the kernel has no IPv6, "all addresses" means all of IPv4. */
static int replace_by_ipv4(struct parse_address *address)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)&address->storage;
    if (address->storage.ss_family != AF_INET6 ||
        memcmp(&six->sin6_addr, &in6addr_any, sizeof(in6addr_any)) != 0) {
        return -EAFNOSUPPORT;
    }
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = six->sin6_port};
    *address = (struct parse_address){.len = sizeof(four)};
    memcpy(&address->storage, &four, sizeof(four));
    return 0;
}

static int open_inet(struct listener *listener, unsigned slots)
{
    struct parse_address address = listener->conf->address;
    int fd = bind_inet(&address, 0);
    if (fd == -EAFNOSUPPORT && replace_by_ipv4(&address) == 0) {
        fd = bind_inet(&address, 0);
    }
    if (fd < 0) {
        return fd;
    }
    listener->fds[listener->count++] = fd;
    if (getsockname(fd, (struct sockaddr *)&address.storage, &address.len) != 0) {
        return -errno;
    }
    parse_address_format(&address, listener->address);
    while (listener->count < slots) {
        fd = bind_inet(&address, 1);
        if (fd < 0) {
            return fd;
        }
        listener->fds[listener->count++] = fd;
    }
    for (unsigned i = 0; i < listener->count; i++) {
        if (listen(listener->fds[i], BACKLOG) != 0) {
            return -errno;
        }
    }
    return 0;
}

/* 0: nothing is there, or nobody answers and the file is gone now. */
static int remove_stale(const struct sockaddr_un *address)
{
    struct stat info;
    if (lstat(address->sun_path, &info) != 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISSOCK(info.st_mode)) {
        return -EADDRINUSE;
    }
    int probe = open_socket(AF_UNIX);
    if (probe < 0) {
        return probe;
    }
    int connected = connect(probe, (const struct sockaddr *)address, sizeof(*address));
    int error = connected == 0 ? EADDRINUSE : errno;
    fd_close(&probe);
    if (error != ECONNREFUSED) {
        return -EADDRINUSE;
    }
    return unlink(address->sun_path) == 0 || errno == ENOENT ? 0 : -errno;
}

static int bind_unix(int fd, const struct sockaddr_un *address)
{
    struct sockaddr_un temporary = {.sun_family = AF_UNIX};
    int len = snprintf(temporary.sun_path, sizeof(temporary.sun_path), "%.100s.%d",
                       address->sun_path, getpid() % 100000);
    if (len < 0 || (size_t)len >= sizeof(temporary.sun_path)) {
        temporary = *address; /* too long for a temporary name beside it */
    }
    if (bind(fd, (const struct sockaddr *)&temporary, sizeof(temporary)) != 0) {
        return -errno;
    }
    if (chmod(temporary.sun_path, SOCKET_MODE) != 0 || listen(fd, BACKLOG) != 0 ||
        rename(temporary.sun_path, address->sun_path) != 0) {
        int error = errno;
        (void)unlink(temporary.sun_path); /* ours, just made */
        return -error;
    }
    return 0;
}

static int open_unix(struct listener *listener)
{
    struct sockaddr_un address;
    memcpy(&address, &listener->conf->address.storage, sizeof(address));
    int error = remove_stale(&address);
    if (error < 0) {
        return error;
    }
    int fd = open_socket(AF_UNIX);
    if (fd < 0) {
        return fd;
    }
    listener->fds[listener->count++] = fd;
    error = bind_unix(fd, &address);
    struct stat info;
    if (error == 0 && stat(address.sun_path, &info) == 0) {
        listener->device = info.st_dev;
        listener->inode = info.st_ino;
    }
    return error;
}

int listener_open(struct listener *listener, const struct conf_listener *conf, unsigned slots,
                  struct fsd_err *err)
{
    *listener = (struct listener){.conf = conf};
    parse_address_format(&conf->address, listener->address);
    listener->fds = calloc(slots, sizeof(*listener->fds));
    if (listener->fds == NULL) {
        return fail(listener, ENOMEM, err);
    }
    int is_unix = conf->address.storage.ss_family == AF_UNIX;
    int error = is_unix ? open_unix(listener) : open_inet(listener, slots);
    if (error < 0) {
        error = fail(listener, -error, err);
        listener_close(listener);
        return error;
    }
    return 0;
}

void listener_close(struct listener *listener)
{
    if (listener->inode != 0) {
        struct sockaddr_un address;
        struct stat info;
        memcpy(&address, &listener->conf->address.storage, sizeof(address));
        if (stat(address.sun_path, &info) == 0 && info.st_ino == listener->inode &&
            info.st_dev == listener->device) {
            (void)unlink(address.sun_path); /* nobody is left to be told */
        }
    }
    for (unsigned i = 0; i < listener->count; i++) {
        fd_close(&listener->fds[i]);
    }
    free(listener->fds);
    *listener = (struct listener){0};
}

int listener_get_fd(const struct listener *listener, unsigned slot)
{
    return listener->fds[listener->count == 1 ? 0 : slot];
}
