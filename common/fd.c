/* fd.c - descriptors: closing one exactly once, texts of the kernel, and memory that travels between processes sealed.
 * Owns nothing.  A sealed memfd is how the master hands out configuration and code: written once, then nobody can
 * change a byte, so the receiver may read it in place.  Called by the master (make) and the worker (map). */
#include "common/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
    if (*fd >= 0) {
        int error = errno;
        (void)close(*fd); /* Linux frees the number even when it reports an error */
        *fd = -1;
        errno = error;
    }
}

int fd_write_all(int fd, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t wrote = write(fd, at, len);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return wrote < 0 ? -errno : -EIO;
        }
        at += wrote;
        len -= (size_t)wrote;
    }
    return 0;
}

ssize_t fd_read_text(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = fd < 0 ? -1 : 1;
    while (got > 0 && len < size - 1) {
        do {
            got = read(fd, text + len, size - 1 - len);
        } while (got < 0 && errno == EINTR);
        len += got > 0 ? (size_t)got : 0;
    }
    ssize_t result = got < 0 ? -errno : (ssize_t)len;
    text[result < 0 ? 0 : result] = '\0';
    fd_close(&fd);
    return result;
}

int fd_sealed_from(const char *name, const void *data, size_t len)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return -errno;
    }
    int error = fd_write_all(fd, data, len);
    if (error == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        error = -errno;
    }
    if (error < 0) {
        fd_close(&fd);
        return error;
    }
    return fd;
}

int fd_map_sealed(int fd, const void **ret_data, size_t *ret_len)
{
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & F_SEAL_WRITE) == 0 || (seals & F_SEAL_SHRINK) == 0) {
        return -EPERM;
    }
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return -errno;
    }
    if (info.st_size <= 0) {
        return -ENODATA;
    }
    void *memory = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (memory == MAP_FAILED) {
        return -errno;
    }
    *ret_data = memory;
    *ret_len = (size_t)info.st_size;
    return 0;
}

void fd_unmap(const void *data, size_t len)
{
    if (data != NULL) {
        union {
            const void *in;
            void *out;
        } memory = {.in = data};
        (void)munmap(memory.out, len); /* fails only for addresses that were never mapped */
    }
}
