/* file_root.c - files below a folder, and nothing else.
 *
 * Owns a descriptor of the folder, opened once: whatever is put in the place of its path later, names are looked up from there.  The
 * kernel keeps a look-up below it (openat2, RESOLVE_BENEATH), so that neither ".." nor a link leads out, not even one that is made while
 * it looks.  A folder that was removed, as bundlers do with theirs, is looked up anew.
 * Called by folder.c and send_file.c.  Must not know HTTP. */
#include "worker/http/file/file_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"

enum {
    TRIES = 8,      /* a rename beside a look-up makes the kernel give up (EAGAIN) */
    DEPTH_MAX = 128 /* of folders, when one is looked for upwards */
};

static int open_once(int folder, const char *name, uint64_t resolve)
{
    struct open_how how = {
        .flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
        .resolve = resolve,
    };
    int fd = (int)syscall(SYS_openat2, folder, name, &how, sizeof(how));
    return fd < 0 ? -errno : fd;
}

static int open_name(int folder, const char *name, uint64_t resolve)
{
    int fd = -EAGAIN;
    for (int i = 0; i < TRIES && (fd == -EAGAIN || fd == -EINTR); i++) {
        fd = open_once(folder, name, resolve);
    }
    return fd;
}

/* What only says that there is nothing to be sent. */
static bool is_absence(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -ENAMETOOLONG || error == -ELOOP ||
           error == -EXDEV || error == -ENXIO || error == -ENODEV || error == -EINVAL;
}

static int find(int folder, const char *name, uint64_t resolve, struct file_found *ret_found)
{
    struct stat status;
    int fd = open_name(folder, name, resolve);
    if (fd < 0) {
        return is_absence(fd) ? -ENOENT : fd;
    }
    int error = 0;
    if (fstat(fd, &status) != 0) {
        error = -errno;
    } else if (!S_ISREG(status.st_mode)) {
        error = S_ISDIR(status.st_mode) ? -EISDIR : -ENOENT;
    }
    if (error != 0) {
        fd_close(&fd);
        return error;
    }
    *ret_found = (struct file_found){.fd = fd,
                                     .size = (uint64_t)status.st_size,
                                     .mtime_s = status.st_mtim.tv_sec,
                                     .mtime_ns = (uint32_t)status.st_mtim.tv_nsec};
    return 0;
}

int file_root_open(struct file_root *root, const char *path, struct fsd_err *err)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fsd_err_set(err, errno, "cannot open the folder \"%s\": %s", path, strerror(errno));
    }
    char *copy = strdup(path);
    if (copy == NULL) {
        abort();
    }
    root->fd = fd;
    root->path = copy;
    return 0;
}

void file_root_close(struct file_root *root)
{
    fd_close(&root->fd);
    free(root->path);
    root->path = NULL;
}

/* True when the folder that we had is gone and another one stands in its place. */
static bool look_up_again(struct file_root *root)
{
    struct stat status;
    if (fstat(root->fd, &status) != 0 || status.st_nlink != 0) {
        return false;
    }
    int fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    fd_close(&root->fd);
    root->fd = fd;
    return true;
}

int file_root_find(struct file_root *root, const char *name, struct file_found *ret_found)
{
    const uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const char *at = name[0] != '\0' ? name : ".";
    int error = find(root->fd, at, resolve, ret_found);
    if (error == -ENOENT && look_up_again(root)) {
        error = find(root->fd, at, resolve, ret_found);
    }
    return error;
}

int file_find(const char *path, struct file_found *ret_found)
{
    return find(AT_FDCWD, path, RESOLVE_NO_MAGICLINKS, ret_found);
}

bool file_root_contains(const struct file_root *root, const char *path)
{
    struct stat wanted;
    struct stat status;
    bool is_found = false;
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fstat(root->fd, &wanted) != 0) {
        fd_close(&fd);
        return false;
    }
    for (int i = 0; i < DEPTH_MAX && fd >= 0 && !is_found && fstat(fd, &status) == 0; i++) {
        is_found = status.st_dev == wanted.st_dev && status.st_ino == wanted.st_ino;
        struct stat before = status;
        int parent = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        fd_close(&fd);
        fd = parent;
        if (fd >= 0 && fstat(fd, &status) == 0 && status.st_dev == before.st_dev &&
            status.st_ino == before.st_ino) {
            break; /* the root of the system is above itself */
        }
    }
    fd_close(&fd);
    return is_found;
}
