#ifndef FSD_COMMON_FD_H
#define FSD_COMMON_FD_H

#include <stddef.h>
#include <sys/types.h>

/* Closes *fd unless it is -1, and sets it to -1.  errno is kept. */
void fd_close(int *fd);
/* Writes everything to a blocking descriptor.  0 or negative errno. */
int fd_write_all(int fd, const void *data, size_t len);
/* A file that the kernel makes as it is read (/proc, /sys), at most size - 1 bytes of it, ended by a NUL.  How many they are, or a
 * negative errno; text is "" then. */
ssize_t fd_read_text(const char *path, char *text, size_t size);
/* A memfd with these bytes, sealed against every change, close-on-exec.  Descriptor or negative errno. */
int fd_sealed_from(const char *name, const void *data, size_t len);
/* Maps a whole memfd read-only.  It must carry F_SEAL_WRITE and F_SEAL_SHRINK, else -EPERM: bytes
 * that can change after they were checked are not read.  0, and the caller unmaps. */
int fd_map_sealed(int fd, const void **ret_data, size_t *ret_len);
void fd_unmap(const void *data, size_t len); /* NULL is allowed */

#endif
