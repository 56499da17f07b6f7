/* sources: worker/http/file/file_path.c | */
/* A name that is taken has no part that is empty, "." or "..", no NUL and no backslash, and is told to have a dotfile when it has
 * one. */
#include "worker/http/file/file_path.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct file_path *path)
{
    bool has_dotfile = false;
    if (path->len >= FILE_PATH_MAX || strlen(path->name) != path->len ||
        strchr(path->name, '\\') != NULL) {
        abort();
    }
    for (const char *part = path->name; path->len > 0; part++) {
        size_t len = strcspn(part, "/");
        if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0)) {
            abort();
        }
        has_dotfile |= part[0] == '.';
        part += len;
        if (*part == '\0') {
            break;
        }
    }
    if (has_dotfile != path->has_dotfile) {
        abort();
    }
    (void)file_path_find_ending(path->name);
    (void)file_path_has_hash(path->name);
    (void)file_path_is_listed(path, "/.well-known/*");
}

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file_path path;
    if (file_path_decode((const char *)data, size, &path) == FILE_PATH_FINE) {
        check(&path);
    }
    if (file_path_take((const char *)data, size, &path) == FILE_PATH_FINE) {
        check(&path);
    }
    return 0;
}
