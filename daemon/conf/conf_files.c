/*
 * conf_files.c - which files make up the configuration.
 *
 * Owns the rule: the named file first, then *.yaml in the folder conf.d beside it, in the byte
 * order of their names whatever the locale is.  Hidden files are left out, as a shell's *.yaml
 * does; that also skips the "..data" links of mounted volumes.
 *
 * Called by conf.c.  Must not look into the texts.
 */
#include "daemon/conf/conf_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "daemon/conf/file.h"
#include "daemon/conf/problem.h"
#include "daemon/conf/source.h"

static const char suffix[] = ".yaml";

/* For scandir. */
static int is_part(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    size_t suffix_len = sizeof(suffix) - 1;

    return entry->d_name[0] != '.' && len > suffix_len &&
           strcmp(entry->d_name + len - suffix_len, suffix) == 0;
}

static int compare_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool read_one(const char *path, struct source *sources[CONF_FILES_MAX], size_t *count,
                     struct problem_list *list)
{
    struct fsd_err err;

    if (*count == CONF_FILES_MAX) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "cannot read \"%s\": more than %d files", path,
                          CONF_FILES_MAX);
        return false;
    }
    if (source_read(path, &sources[*count], &err) < 0) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", err.text);
        return false;
    }
    (*count)++;
    list->files_count++;
    return true;
}

/* "etc/fsd.yaml" -> "etc/conf.d", "fsd.yaml" -> "conf.d" */
static bool format_folder(const char *file, char folder[FILE_PATH_MAX])
{
    const char *slash = strrchr(file, '/');
    int prefix_len = slash == NULL ? 0 : (int)(slash + 1 - file);
    int len = snprintf(folder, FILE_PATH_MAX, "%.*sconf.d", prefix_len, file);

    return len > 0 && len < FILE_PATH_MAX;
}

static bool read_part(const char *folder, const char *name, struct source *sources[CONF_FILES_MAX],
                      size_t *count, struct problem_list *list)
{
    char path[FILE_PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s/%s", folder, name);

    if (len < 0 || (size_t)len >= sizeof(path)) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "cannot read \"%s\" in \"%s\": %s", name,
                          folder, strerror(ENAMETOOLONG));
        return false;
    }
    return read_one(path, sources, count, list);
}

bool conf_files_read(const char *file, struct source *ret_sources[CONF_FILES_MAX],
                     size_t *ret_count, struct problem_list *list)
{
    char folder[FILE_PATH_MAX];
    struct dirent **entries = NULL;

    *ret_count = 0;
    bool done = read_one(file, ret_sources, ret_count, list);
    if (!format_folder(file, folder)) {
        return false; /* too long for the file as well: reported */
    }
    int count = scandir(folder, &entries, is_part, compare_bytes);
    if (count < 0 && errno != ENOENT) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "cannot read the folder \"%s\": %s", folder,
                          strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        done = read_part(folder, entries[i]->d_name, ret_sources, ret_count, list) && done;
        free(entries[i]);
    }
    free(entries);
    return done;
}
