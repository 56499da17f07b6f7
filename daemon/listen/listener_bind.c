/* listener_bind.c - makes one listening socket.
 * Owns nothing: what it makes is the caller's.  The first socket of an address is bound without SO_REUSEPORT and gets it
 * afterwards: so a port that somebody else has is seen, and port 0 is chosen once; further sockets join it.  A Unix socket is
 * bound under a temporary name and renamed, so that clients never meet a socket that does not listen.
 * Called by listener.c.  Must not know how many sockets there are, nor wait: an address that is taken is an error at once. */
#include "daemon/listen/listener_bind.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/fd.h"

enum { BACKLOG = 4096, SOCKET_MODE = 0666 };

static int open_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return fd < 0 ? -errno : fd;
}

static int set_flag(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ? 0 : -errno;
}

static int bind_inet(const struct parse_address *address, bool joins)
{
    int fd = open_socket(address->storage.ss_family);
    if (fd < 0) {
        return fd;
    }
    int error = set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (error == 0 && address->storage.ss_family == AF_INET6) {
        error = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0); /* ":80" is IPv4 as well */
    }
    if (error == 0 && joins) {
        error = set_flag(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (error == 0 && bind(fd, (const struct sockaddr *)&address->storage, address->len) != 0) {
        error = -errno;
    }
    if (error == 0 && !joins) {
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

int listener_bind_first(struct parse_address *address)
{
    struct parse_address wanted = *address;
    int fd = bind_inet(&wanted, false);
    if (fd == -EAFNOSUPPORT && replace_by_ipv4(&wanted) == 0) {
        fd = bind_inet(&wanted, false);
    }
    if (fd < 0) {
        return fd;
    }
    int error = listener_bind_get_address(fd, address);
    if (error < 0) {
        fd_close(&fd);
        return error;
    }
    return fd;
}

int listener_bind_next(const struct parse_address *address)
{
    return bind_inet(address, true);
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

/* A name beside the path; the path itself when that would be too long. */
static struct sockaddr_un choose_temporary(const struct sockaddr_un *address)
{
    struct sockaddr_un temporary = {.sun_family = AF_UNIX};
    char suffix[16];
    (void)snprintf(suffix, sizeof(suffix), ".%d", (int)getpid());
    if (strlen(address->sun_path) + strlen(suffix) >= sizeof(temporary.sun_path)) {
        return *address;
    }
    (void)stpcpy(stpcpy(temporary.sun_path, address->sun_path), suffix);
    (void)unlink(temporary.sun_path); /* of a daemon with our pid that died in between */
    return temporary;
}

static int bind_renamed(int fd, const struct sockaddr_un *address, struct stat *info)
{
    struct sockaddr_un temporary = choose_temporary(address);
    if (bind(fd, (const struct sockaddr *)&temporary, sizeof(temporary)) != 0) {
        return -errno;
    }
    if (chmod(temporary.sun_path, SOCKET_MODE) != 0 || listen(fd, BACKLOG) != 0 ||
        lstat(temporary.sun_path, info) != 0 ||
        rename(temporary.sun_path, address->sun_path) != 0) {
        int error = errno;
        (void)unlink(temporary.sun_path); /* ours, just made */
        return -error;
    }
    return 0;
}

int listener_bind_unix(const struct parse_address *address, struct listener_file *ret_file)
{
    struct sockaddr_un un;
    memcpy(&un, &address->storage, sizeof(un));
    int error = remove_stale(&un);
    if (error < 0) {
        return error;
    }
    int fd = open_socket(AF_UNIX);
    if (fd < 0) {
        return fd;
    }
    struct stat info;
    error = bind_renamed(fd, &un, &info);
    if (error < 0) {
        fd_close(&fd);
        return error;
    }
    *ret_file = (struct listener_file){info.st_dev, info.st_ino};
    return fd;
}

void listener_bind_remove(const struct parse_address *address, const struct listener_file *file)
{
    struct sockaddr_un un;
    struct stat info;
    memcpy(&un, &address->storage, sizeof(un));
    if (file->inode != 0 && lstat(un.sun_path, &info) == 0 && info.st_ino == file->inode &&
        info.st_dev == file->device) {
        (void)unlink(un.sun_path); /* nobody is left to be told */
    }
}

int listener_bind_listen(int fd)
{
    return listen(fd, BACKLOG) == 0 ? 0 : -errno;
}

int listener_bind_get_address(int fd, struct parse_address *ret_address)
{
    struct parse_address address = {.len = sizeof(address.storage)};
    if (getsockname(fd, (struct sockaddr *)&address.storage, &address.len) != 0) {
        return -errno;
    }
    *ret_address = address;
    return 0;
}

int listener_bind_adopt(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return -errno;
    }
    return 0;
}
