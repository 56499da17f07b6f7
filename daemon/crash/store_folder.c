/* store_folder.c - the files of crash reports in one folder.
 * Owns nothing between two calls: the folder is opened anew each time, so it may be missing, full, mounted or replaced
 * meanwhile.  A file is written under a fixed temporary name and renamed; there is no fsync, since the master's loop must not
 * wait for a disk, and a report that a power cut takes is no loss.  Workers may run as the same user, so what lies in the
 * folder is hostile: no link is followed, only regular files of a bounded length are read, and nothing waits on a pipe.
 * Called by store.c.  Must not know what a report says, nor how many are kept. */
#include "daemon/crash/store_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "daemon/crash/crash_id.h"

#define SUFFIX   ".json"
#define NEW_NAME "new.tmp" /* no id: left-overs of a master that was killed are overwritten */

enum { NAME_SIZE = CRASH_ID_MAX + sizeof(SUFFIX) };

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Opens the folder, made together with its parent where they are missing. */
static int open_or_make_folder(const char *path)
{
    int folder = open_folder(path);
    if (folder >= 0 || errno != ENOENT) {
        return folder;
    }
    if (mkdir(path, 0700) != 0 && errno == ENOENT) {
        char *parent = strdup(path);
        char *slash = parent == NULL ? NULL : strrchr(parent, '/');
        if (slash != NULL) {
            *slash = '\0';
            (void)mkdir(parent, 0700);
        }
        free(parent);
        (void)mkdir(path, 0700); /* the open tells whether it worked */
    }
    return open_folder(path);
}

static int write_new(int folder, const char *text, size_t len)
{
    (void)unlinkat(folder, NEW_NAME, 0);
    int fd = openat(folder, NEW_NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -errno;
    }
    int result = fd_write_all(fd, text, len);
    fd_close(&fd);
    return result;
}

int store_folder_write(const char *path, const char *id, const char *text, size_t len,
                       struct fsd_err *err)
{
    int folder = open_or_make_folder(path);
    if (folder < 0) {
        return fsd_err_set(err, errno, "cannot open folder \"%s\": %s", path, strerror(errno));
    }
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "%s" SUFFIX, id);
    int result = write_new(folder, text, len);
    if (result == 0 && renameat(folder, NEW_NAME, folder, name) != 0) {
        result = -errno;
    }
    if (result < 0) {
        (void)unlinkat(folder, NEW_NAME, 0);
        result =
            fsd_err_set(err, -result, "cannot write \"%s/%s\": %s", path, name, strerror(-result));
    }
    fd_close(&folder);
    return result;
}

/* A descriptor of a regular file of bearable length, or a negative errno. */
static int open_report(const char *path, const char *id, size_t *ret_len)
{
    int folder = open_folder(path);
    if (folder < 0) {
        return -errno;
    }
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "%s" SUFFIX, id);
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int result = fd < 0 ? -errno : fd;
    fd_close(&folder);
    struct stat info;
    if (fd >= 0 && fstat(fd, &info) != 0) {
        result = -errno;
    } else if (fd >= 0 && (!S_ISREG(info.st_mode) || info.st_size > STORE_FOLDER_FILE_MAX)) {
        result = -EBADMSG;
    } else if (fd >= 0) {
        *ret_len = (size_t)info.st_size;
    }
    if (result < 0) {
        fd_close(&fd);
    }
    return result;
}

char *store_folder_read(const char *path, const char *id, size_t *ret_len, struct fsd_err *err)
{
    size_t len = 0;
    int fd = open_report(path, id, &len);
    char *text = fd < 0 ? NULL : malloc(len + 1);
    int error = fd < 0 ? -fd : ENOMEM;
    if (text != NULL) {
        ssize_t took = read(fd, text, len); /* a regular file: all of it, or the rest is missing */
        error = took < 0 ? errno : 0;
        len = took < 0 ? 0 : (size_t)took;
        text[len] = '\0';
    }
    fd_close(&fd);
    if (error != 0) {
        (void)fsd_err_set(err, error, "cannot read \"%s/%s" SUFFIX "\": %s", path, id,
                          error == EBADMSG ? "it is no report" : strerror(error));
        free(text);
        return NULL;
    }
    *ret_len = len;
    return text;
}

int store_folder_remove(const char *path, const char *id)
{
    int folder = open_folder(path);
    if (folder < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof(name), "%s" SUFFIX, id);
    int result = unlinkat(folder, name, 0) != 0 && errno != ENOENT ? -errno : 0;
    fd_close(&folder);
    return result;
}

/* Cuts the suffix off the name of a file; false when what remains is no id. */
static int cut_suffix(const char *name, char id[CRASH_ID_MAX])
{
    size_t len = strlen(name);
    size_t suffix = strlen(SUFFIX);
    if (len < suffix || len - suffix >= CRASH_ID_MAX || strcmp(name + len - suffix, SUFFIX) != 0) {
        return 0;
    }
    memcpy(id, name, len - suffix);
    id[len - suffix] = '\0';
    return crash_id_is_valid(id);
}

void store_folder_scan(const char *path, void (*on_found)(void *owner, const char *id), void *owner)
{
    int fd = open_folder(path);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (folder == NULL) {
        fd_close(&fd);
        return;
    }
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        char id[CRASH_ID_MAX];
        if (cut_suffix(entry->d_name, id)) {
            on_found(owner, id);
        }
    }
    (void)closedir(folder); /* closes fd; nothing was written */
}
