/* source_tree.c - reads an application's Lua files and templates from the disk.
 * Owns the names and texts that it read.  Walks the folder of the main file once, with the limits of a bundle, and sorts
 * by name, so that the same files always give the same bundle.  The folder is found once, symbolic links resolved, and all is read
 * below that: when a link on the way is turned to another release meanwhile, nothing of that one is mixed in.
 * Called by tool/bundle.c only: a serving worker never reads application code from the disk.  Must not know Lua. */
#include "worker/tool/source_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/err.h"
#include "common/fd.h"
#include "common/source_name.h"
#include "worker/core/bundle.h"

enum { DEPTH_MAX = 32, MIB = 1024 * 1024 };

static int read_all(int fd, char *text, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = read(fd, text + done, len - done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? -errno : -EIO; /* it became shorter while we read */
        }
        done += (size_t)got;
    }
    return 0;
}

static int grow(struct source_tree *tree)
{
    if (tree->count % 64 != 0) {
        return 0;
    }
    struct source_file *files = realloc(tree->files, (tree->count + 64) * sizeof(*files));
    if (files == NULL) {
        return -ENOMEM;
    }
    tree->files = files;
    return 0;
}

/* Counts a file.  Above the limits nothing more is read, but all is counted, so that a person is told how much it is. */
static int count_file(struct source_tree *tree, const char *name, size_t len)
{
    tree->found++;
    tree->found_bytes = len > SIZE_MAX - tree->found_bytes ? SIZE_MAX : tree->found_bytes + len;
    if (tree->largest == NULL || len > tree->largest_bytes) {
        char *copy = strdup(name);
        if (copy == NULL) {
            return -ENOMEM;
        }
        free(tree->largest);
        tree->largest = copy;
        tree->largest_bytes = len;
    }
    return 0;
}

static bool is_too_large(const struct source_tree *tree)
{
    return tree->found > BUNDLE_FILES_MAX || tree->found_bytes > BUNDLE_BYTES_MAX;
}

static int add_text(struct source_tree *tree, const char *name, int fd, size_t len)
{
    if (count_file(tree, name, len) != 0) {
        return -ENOMEM;
    }
    if (is_too_large(tree)) {
        return 0;
    }
    if (grow(tree) != 0) {
        return -ENOMEM;
    }
    struct source_file file = {.name = strdup(name), .text = malloc(len + 1), .len = len};
    int error = file.name == NULL || file.text == NULL ? -ENOMEM : read_all(fd, file.text, len);
    if (error != 0) {
        free(file.name);
        free(file.text);
        return error;
    }
    file.text[len] = '\0';
    tree->files[tree->count++] = file;
    tree->bytes += len;
    return 0;
}

static int add_file(struct source_tree *tree, int folder, const char *entry, const char *name,
                    struct fsd_err *err)
{
    int fd = openat(folder, entry, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        int error = errno;
        fd_close(&fd);
        return fsd_err_set(err, error, "cannot open \"%s/%s\": %s", tree->root, name,
                           strerror(error));
    }
    int error = S_ISREG(info.st_mode) ? add_text(tree, name, fd, (size_t)info.st_size) : 0;
    fd_close(&fd);
    if (error != 0) {
        return fsd_err_set(err, -error, "cannot read \"%s/%s\": %s", tree->root, name,
                           strerror(-error));
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

static int walk(struct source_tree *tree, int folder, const char *prefix, int depth,
                struct fsd_err *err);

static int visit(struct source_tree *tree, DIR *dir, const struct dirent *entry, const char *prefix,
                 int depth, struct fsd_err *err)
{
    if (entry->d_name[0] == '.') {
        return 0;
    }
    char name[BUNDLE_PATH_MAX];
    if (snprintf(name, sizeof(name), "%s%s", prefix, entry->d_name) >= (int)sizeof(name) - 1) {
        return fsd_err_set(err, ENAMETOOLONG, "cannot bundle \"%s/%s\": name too long", tree->root,
                           prefix);
    }
    if (!is_folder(dirfd(dir), entry)) {
        bool wanted = source_name_is_code(name) &&
                      strcmp(name, tree->main) != 0; /* the main file is in already */
        return wanted ? add_file(tree, dirfd(dir), entry->d_name, name, err) : 0;
    }
    if (depth == DEPTH_MAX) {
        return fsd_err_set(err, ELOOP, "cannot bundle \"%s/%s\": more than %d folders deep",
                           tree->root, name, DEPTH_MAX);
    }
    int child = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0) {
        return fsd_err_set(err, errno, "cannot open \"%s/%s\": %s", tree->root, name,
                           strerror(errno));
    }
    size_t len = strlen(name);
    memcpy(name + len, "/", 2); /* room was left for it above */
    return walk(tree, child, name, depth + 1, err);
}

/* Takes folder. */
static int walk(struct source_tree *tree, int folder, const char *prefix, int depth,
                struct fsd_err *err)
{
    DIR *dir = fdopendir(folder);
    if (dir == NULL) {
        int error = errno;
        fd_close(&folder);
        return fsd_err_set(err, error, "cannot read \"%s/%s\": %s", tree->root, prefix,
                           strerror(error));
    }
    int error = 0;
    for (const struct dirent *entry = readdir(dir); entry != NULL && error == 0;
         entry = readdir(dir)) {
        error = visit(tree, dir, entry, prefix, depth, err);
    }
    (void)closedir(dir); /* was only read */
    return error;
}

static int compare_files(const void *left, const void *right)
{
    const struct source_file *a = left;
    const struct source_file *b = right;
    return strcmp(a->name, b->name);
}

static int split(struct source_tree *tree, const char *main_file, struct fsd_err *err)
{
    char resolved[PATH_MAX];
    if (realpath(main_file, resolved) == NULL) {
        return fsd_err_set(err, errno, "cannot open \"%s\": %s", main_file, strerror(errno));
    }
    char *slash = strrchr(resolved, '/');
    tree->main = strdup(slash + 1);
    *(slash == resolved ? slash + 1 : slash) = '\0'; /* "/app.lua" has the root "/" */
    tree->root = strdup(resolved);
    return tree->main == NULL || tree->root == NULL ? fsd_err_set(err, ENOMEM, "out of memory") : 0;
}

/* In tenths of a MiB, rounded up: what is above a limit must not look like it. */
static size_t to_tenths(size_t bytes)
{
    return bytes / MIB * 10 + (bytes % MIB * 10 + MIB - 1) / MIB;
}

static int refuse_size(const struct source_tree *tree, struct fsd_err *err)
{
    size_t all = to_tenths(tree->found_bytes);
    size_t largest = to_tenths(tree->largest_bytes);
    return fsd_err_set(
        err, EFBIG,
        "cannot bundle \"%s\": it has %zu file%s of code with %zu.%zu MiB, the limit is "
        "%d files and %d MiB; move what is not code elsewhere (the largest: "
        "\"%s\", %zu.%zu MiB)",
        tree->root, tree->found, tree->found == 1 ? "" : "s", all / 10, all % 10, BUNDLE_FILES_MAX,
        BUNDLE_BYTES_MAX / MIB, tree->largest, largest / 10, largest % 10);
}

int source_tree_read(struct source_tree *tree, const char *main_file, struct fsd_err *err)
{
    *tree = (struct source_tree){0};
    int error = split(tree, main_file, err);
    if (error != 0) {
        goto out;
    }
    int root = open(tree->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) {
        error = fsd_err_set(err, errno, "cannot open \"%s\": %s", tree->root, strerror(errno));
        goto out;
    }
    error = add_file(tree, root, tree->main, tree->main, err);
    if (error == 0 && tree->found == 0) {
        error = fsd_err_set(err, EISDIR, "cannot open \"%s\": not a file", main_file);
    }
    if (error != 0) {
        fd_close(&root);
        goto out;
    }
    error = walk(tree, root, "", 0, err);
    if (error == 0 && is_too_large(tree)) {
        error = refuse_size(tree, err);
    }
    if (error == 0) {
        qsort(tree->files, tree->count, sizeof(*tree->files), compare_files);
    }
out:
    if (error != 0) {
        source_tree_fini(tree);
    }
    return error;
}

void source_tree_fini(struct source_tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        free(tree->files[i].name);
        free(tree->files[i].text);
    }
    free(tree->files);
    free(tree->root);
    free(tree->main);
    free(tree->largest);
    *tree = (struct source_tree){0};
}
