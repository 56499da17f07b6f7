/* scan.c - reads which files an application's code consists of, and has their folders watched.
 * Owns nothing after it returns.  Walks the folders as the bundle tool does (hidden ones and those behind symbolic links are left
 * out, so there are no loops), without opening a file; a tree that is too large for that is refused.  A file behind a link is watched
 * where it is.
 * Called by watcher.c, for a developer's daemon only.  Must not know what is done with a change. */
#include "daemon/develop/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/source_name.h"
#include "daemon/develop/sources.h"

enum {
    WATCHED = IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
              IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK,
    WATCHED_FILE = IN_MASK_ADD | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF,
};

struct scan {
    char path[PATH_MAX]; /* the folder, or file, that is looked at */
    size_t root_len;
    int inotify_fd;
    size_t entries;
    size_t folders;
    struct sources *found;
    struct fsd_err *err;
};

bool scan_is_wanted(const char *name, bool is_folder)
{
    return name[0] != '.' && (is_folder || source_name_may_be_code(name));
}

static int refuse_size(struct scan *scan)
{
    scan->path[scan->root_len] = '\0';
    return fsd_err_set(scan->err, EFBIG,
                       "cannot watch \"%s\": more than %d files or %d folders below it; move what "
                       "is not code elsewhere",
                       scan->path, SCAN_ENTRIES_MAX, SCAN_FOLDERS_MAX);
}

static int watch(struct scan *scan)
{
    if (scan->folders++ == SCAN_FOLDERS_MAX) {
        return refuse_size(scan);
    }
    if (inotify_add_watch(scan->inotify_fd, scan->path, WATCHED) >= 0) {
        return 0;
    }
    int error = errno;
    return fsd_err_set(scan->err, error, "cannot watch \"%s\": %s", scan->path,
                       error == ENOSPC ? "fs.inotify.max_user_watches is reached"
                                       : strerror(error));
}

static int64_t to_ns(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* One that is gone again is none. */
static int add_file(struct scan *scan, int folder, const char *name)
{
    struct stat info;
    if (fstatat(folder, name, &info, 0) != 0 || !S_ISREG(info.st_mode)) {
        return 0;
    }
    struct source_stamp stamp = {info.st_ino, info.st_size, to_ns(&info.st_mtim),
                                 to_ns(&info.st_ctim)};
    if (sources_add(scan->found, scan->path + scan->root_len + 1, &stamp) < 0) {
        return fsd_err_set(scan->err, ENOMEM, "cannot watch the files: out of memory");
    }
    return 0;
}

static bool is_folder(int parent, const struct dirent *entry)
{
    if (entry->d_type != DT_UNKNOWN) {
        return entry->d_type == DT_DIR;
    }
    struct stat info;
    return fstatat(parent, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode);
}

static int walk(struct scan *scan, int depth);

static int visit(struct scan *scan, int folder, const struct dirent *entry, int depth)
{
    bool enters = is_folder(folder, entry);
    if (!scan_is_wanted(entry->d_name, enters)) {
        return 0;
    }
    size_t len = strlen(scan->path);
    int added = snprintf(scan->path + len, sizeof(scan->path) - len, "/%s", entry->d_name);
    int error = 0;
    if ((size_t)added >= sizeof(scan->path) - len || (enters && depth == SCAN_DEPTH_MAX)) {
        scan->path[len] = '\0';
        return fsd_err_set(scan->err, ELOOP, "cannot watch below \"%s\": the folders are too deep",
                           scan->path);
    }
    if (!enters && !source_name_is_code(scan->path + scan->root_len + 1)) {
        scan->path[len] = '\0';
        return 0;
    }
    if (entry->d_type == DT_LNK) {
        (void)inotify_add_watch(scan->inotify_fd, scan->path,
                                WATCHED_FILE); /* it may lead nowhere */
    }
    if (enters) {
        error = walk(scan, depth + 1);
        /* one that has gone meanwhile is none */
        error = error == -ENOENT || error == -ENOTDIR ? 0 : error;
    } else {
        error = add_file(scan, folder, entry->d_name);
    }
    scan->path[len] = '\0';
    return error;
}

/* The folder scan->path; it is watched before it is read. */
static int walk(struct scan *scan, int depth)
{
    int error = watch(scan);
    if (error < 0) {
        return error;
    }
    int fd = open(scan->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        error = errno;
        fd_close(&fd);
        return fsd_err_set(scan->err, error, "cannot read \"%s\": %s", scan->path, strerror(error));
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL && error == 0;
         entry = readdir(dir)) {
        error = scan->entries++ == SCAN_ENTRIES_MAX ? refuse_size(scan)
                                                    : visit(scan, dirfd(dir), entry, depth);
    }
    (void)closedir(dir); /* was only read */
    return error;
}

int scan_folder(const char *root, int inotify_fd, struct sources *ret, struct fsd_err *err)
{
    struct sources found = {.rows = NULL};
    struct scan scan = {.inotify_fd = inotify_fd, .found = &found, .err = err};
    scan.root_len = strlen(root);
    if (scan.root_len >= sizeof(scan.path)) {
        return fsd_err_set(err, ENAMETOOLONG, "cannot watch the files: the path is too long");
    }
    memcpy(scan.path, root, scan.root_len + 1);
    int error = walk(&scan, 0);
    if (error < 0) {
        sources_fini(&found);
        return error;
    }
    sources_sort(&found);
    *ret = found;
    return 0;
}
