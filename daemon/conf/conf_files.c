/*
 * conf_files.c - which files make up the configuration.
 *
 * Owns the rule: the named file first, then *.yaml in the folder conf.d beside it, in the byte
 * order of their names whatever the locale is.  Hidden files are left out, as a shell's *.yaml
 * does; that also skips the "..data" links of mounted volumes.  A replacement takes the place of the
 * file that it is for, even when that is not there yet, so that it can be checked before it is
 * installed.
 *
 * Called by conf.c.  Must not look into the texts.
 */
#include "daemon/conf/conf_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/err.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/file.h"
#include "daemon/conf/problem.h"
#include "daemon/conf/source.h"

static const char suffix[] = ".yaml";

/* What is collected. */
struct reading {
    struct source **sources; /* borrowed; room for CONF_FILES_MAX */
    size_t count;
    struct problem_list *list; /* borrowed */
    bool is_good;              /* nothing failed so far */
};

static bool is_part_name(const char *name)
{
    size_t len = strlen(name);
    size_t suffix_len = sizeof(suffix) - 1;

    return name[0] != '.' && len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

/* For scandir. */
static int is_part(const struct dirent *entry)
{
    return is_part_name(entry->d_name);
}

static int compare_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_one(struct reading *reading, const char *file, const char *name)
{
    struct fsd_err err;

    if (reading->count == CONF_FILES_MAX) {
        (void)problem_add(reading->list, PROBLEM_ERROR, NULL,
                          "cannot read \"%s\": more than %d files", file, CONF_FILES_MAX);
        reading->is_good = false;
        return;
    }
    if (source_read(file, name, &reading->sources[reading->count], &err) < 0) {
        (void)problem_add(reading->list, PROBLEM_ERROR, NULL, "%s", err.text);
        reading->is_good = false;
        return;
    }
    reading->count++;
    reading->list->files_count++;
}

static void read_part(struct reading *reading, const char *folder, const char *name)
{
    char path[FILE_PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", folder, name);

    if (len < 0 || (size_t)len >= sizeof(path)) {
        (void)problem_add(reading->list, PROBLEM_ERROR, NULL, "cannot read \"%s\" in \"%s\": %s",
                          name, folder, strerror(ENAMETOOLONG));
        reading->is_good = false;
        return;
    }
    read_one(reading, path, path);
}

/* "etc/fsd.yaml" -> "etc/conf.d", "fsd.yaml" -> "conf.d" */
static bool format_folder(const char *file, char folder[FILE_PATH_MAX])
{
    const char *slash = strrchr(file, '/');
    int prefix_len = slash == NULL ? 0 : (int)(slash + 1 - file);
    int len = snprintf(folder, FILE_PATH_MAX, "%.*sconf.d", prefix_len, file);

    return len > 0 && len < FILE_PATH_MAX;
}

/* Two names of one thing; of what is not there yet, the names must be alike. */
static bool is_same(const char *a, const char *b)
{
    struct stat info_a;
    struct stat info_b;

    if (stat(a, &info_a) == 0 && stat(b, &info_b) == 0) {
        return info_a.st_dev == info_b.st_dev && info_a.st_ino == info_b.st_ino;
    }
    char *path_a = file_absolute(a);
    char *path_b = file_absolute(b);
    bool is_equal = path_a != NULL && path_b != NULL && strcmp(path_a, path_b) == 0;
    free(path_a);
    free(path_b);
    return is_equal;
}

/* The name in conf.d that path would have; NULL: it is no part. */
static const char *find_part_name(const char *folder, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    char *parent = slash == NULL ? strdup(".") : strndup(path, (size_t)(slash - path));
    bool is_inside = parent != NULL && is_same(parent[0] == '\0' ? "/" : parent, folder);

    free(parent);
    return is_inside && is_part_name(name) ? name : NULL;
}

/* extra is the name that the replacement has in the folder, NULL: it has none. */
static void read_parts(struct reading *reading, const char *folder,
                       const struct conf_replacement *replacement, const char *extra)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_part, compare_bytes);

    if (count < 0 && errno != ENOENT) {
        (void)problem_add(reading->list, PROBLEM_ERROR, NULL, "cannot read the folder \"%s\": %s",
                          folder, strerror(errno));
        reading->is_good = false;
        return;
    }
    for (int i = 0; i < count; i++) {
        int order = extra == NULL ? 1 : strcmp(extra, entries[i]->d_name);
        if (order <= 0) {
            read_one(reading, replacement->file, replacement->path);
            extra = NULL;
        }
        if (order != 0) {
            read_part(reading, folder, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    if (extra != NULL) {
        read_one(reading, replacement->file, replacement->path);
    }
}

bool conf_files_read(const char *file, const struct conf_replacement *replacement,
                     struct source *ret_sources[CONF_FILES_MAX], size_t *ret_count,
                     struct problem_list *list)
{
    char folder[FILE_PATH_MAX];
    struct reading reading = {ret_sources, 0, list, true};
    bool is_main = replacement != NULL && is_same(replacement->path, file);
    const char *extra = NULL;

    *ret_count = 0;
    if (!format_folder(file, folder)) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "cannot read \"%s\": %s", file,
                          strerror(ENAMETOOLONG));
        return false;
    }
    if (replacement != NULL && !is_main) {
        extra = find_part_name(folder, replacement->path);
        if (extra == NULL) {
            (void)problem_add(list, PROBLEM_ERROR, NULL,
                              "\"%s\" would be no part of the configuration, which is \"%s\" and "
                              "\"%s/*.yaml\"",
                              replacement->path, file, folder);
            return false;
        }
    }
    read_one(&reading, is_main ? replacement->file : file, is_main ? replacement->path : file);
    read_parts(&reading, folder, replacement, extra);
    *ret_count = reading.count;
    return reading.is_good;
}
