/*
 * file.c - whole small files, read with distrust.
 *
 * Owns nothing.  A file is opened without following it into a wait (a FIFO or a device that was
 * named by mistake must not stop the master), must be regular, and is read up to a limit.
 *
 * Called by the configuration for its files, for secrets and to look at application files.  Must
 * not know what the bytes mean.
 */
#include "daemon/conf/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"

/* Returns the descriptor of a regular file, or a negative errno. */
enum { FOLDER_MODE = 0700 };

static int open_regular(const char *path, struct stat *ret_info, struct fsd_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        return fsd_err_set(err, errno, "%s", strerror(errno));
    }
    if (fstat(fd, ret_info) < 0) {
        int errnum = errno;
        (void)close(fd); /* read only: nothing can be lost */
        return fsd_err_set(err, errnum, "%s", strerror(errnum));
    }
    if (!S_ISREG(ret_info->st_mode)) {
        (void)close(fd);
        return fsd_err_set(err, EINVAL, "it is %s, not a regular file",
                           S_ISDIR(ret_info->st_mode) ? "a folder" : "a device, pipe or socket");
    }
    return fd;
}

/* Reads to the end of fd or to max + 1 bytes, whichever comes first. */
static ssize_t read_all(int fd, char *text, size_t max)
{
    size_t len = 0;

    while (len <= max) {
        ssize_t got = read(fd, text + len, max + 1 - len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -errno;
        }
        if (got == 0) {
            break;
        }
        len += (size_t)got;
    }
    return (ssize_t)len;
}

static int read_descriptor(int fd, size_t max, char **ret_text, size_t *ret_len,
                           struct fsd_err *err)
{
    char *text = malloc(max + 2);

    if (text == NULL) {
        return fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM));
    }
    ssize_t len = read_all(fd, text, max);
    if (len < 0 || (size_t)len > max) {
        free(text);
        return len < 0 ? fsd_err_set(err, (int)-len, "%s", strerror((int)-len))
                       : fsd_err_set(err, EFBIG, "it has more than %zu bytes", max);
    }
    text[len] = '\0';
    *ret_text = text;
    *ret_len = (size_t)len;
    return 0;
}

int file_read(const char *path, size_t max, bool trusted, char **ret_text, size_t *ret_len,
              struct fsd_err *err)
{
    struct stat info = {0};
    int fd = open_regular(path, &info, err);

    if (fd < 0) {
        return fd;
    }
    int rc = trusted && (info.st_mode & S_IWOTH) != 0
                 ? fsd_err_set(err, EPERM, "everybody may write to it (mode %04o)",
                               (unsigned)info.st_mode & 07777U)
                 : read_descriptor(fd, max, ret_text, ret_len, err);
    (void)close(fd);
    return rc;
}

int file_check_readable(const char *path, struct fsd_err *err)
{
    struct stat info = {0};
    int fd = open_regular(path, &info, err);

    if (fd < 0) {
        return fd;
    }
    (void)close(fd);
    return 0;
}

bool file_is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

char *file_absolute(const char *path)
{
    char cwd[FILE_PATH_MAX];
    char *absolute = NULL;

    if (path[0] == '/') {
        return strdup(path);
    }
    if (getcwd(cwd, sizeof(cwd)) == NULL || asprintf(&absolute, "%s/%s", cwd, path) < 0) {
        return NULL;
    }
    return absolute;
}

int file_make_folder(const char *path)
{
    char part[FILE_PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof(part)) {
        return -ENAMETOOLONG;
    }
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, FOLDER_MODE) != 0 && errno != EEXIST) {
            return -errno;
        }
    }
    return 0;
}
