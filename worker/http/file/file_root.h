#ifndef FSD_WORKER_HTTP_FILE_FILE_ROOT_H
#define FSD_WORKER_HTTP_FILE_FILE_ROOT_H

#include <stdbool.h>
#include <stdint.h>

struct fsd_err;

/* A folder of which files may be sent. */
struct file_root {
    int fd;     /* owned; -1: closed */
    char *path; /* owned: where it was found */
};

/* A file that was found, open for reading. */
struct file_found {
    int fd; /* owned by whoever asked */
    uint64_t size;
    int64_t mtime_s;
    uint32_t mtime_ns;
};

/* Opens a folder; symbolic links on the way to it are followed.  A negative errno with a sentence when it is none. */
int file_root_open(struct file_root *root, const char *path, struct fsd_err *err);
void file_root_close(struct file_root *root); /* a closed one is allowed */
/* Finds a file below the folder by its name ("a/b.txt"; "" is the folder).  Nothing outside of it is ever found, by whatever links.
 * Never waits, for a FIFO or device either.  0; -EISDIR: it is a folder; -ENOENT: nothing that can be sent has that name (it may
 * exist, and be a socket or lead outside); -EACCES; or what opening it says. */
int file_root_find(struct file_root *root, const char *name, struct file_found *ret_found);
/* The same for any file of the system, by its absolute name; links are followed. */
int file_find(const char *path, struct file_found *ret_found);
/* Whether a folder, named from the root of the system, is this one or lies in it.  What can't be looked at is not. */
bool file_root_contains(const struct file_root *root, const char *path);

#endif
