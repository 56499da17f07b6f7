#ifndef FSD_WORKER_CORE_BUNDLE_H
#define FSD_WORKER_CORE_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

struct fsd_err;

/* The bundle: all Lua files and templates (common/source_name.h) of one application as they were at one moment, in a sealed memfd.  The format, written by
 * tool/bundle.c and read here, is BUNDLE_MAGIC and one MessagePack map:
 *   root (str: absolute folder), main (str: name of the main file), files (array of [name, source], sorted by name).
 * Names are relative to root, with '/'. */
#define BUNDLE_MAGIC "fsd-bundle 1\n"

enum {
    BUNDLE_FILES_MAX = 10000,
    BUNDLE_BYTES_MAX = 64 * 1024 * 1024, /* sources of one application */
    BUNDLE_PATH_MAX = 4096,
};

struct bundle_file {
    const char *name; /* borrowed from the bundle's bytes, not NUL-terminated, as source */
    size_t name_len;
    const char *source;
    size_t source_len;
};

struct bundle {
    const void *bytes; /* owned mapping */
    size_t len;
    struct bundle_file *files; /* owned, sorted by name */
    size_t file_count;
    const char *root; /* borrowed from bytes, as main: the folder it was read from, absolute */
    size_t root_len;
    const char *main;
    size_t main_len;
};

/* Maps and checks a bundle.  0, or a negative errno with a sentence; the descriptor may be closed then. */
int bundle_open(struct bundle *bundle, int fd, struct fsd_err *err);
void bundle_close(struct bundle *bundle); /* a zeroed one is allowed */
/* NULL when there is no such file. */
const struct bundle_file *bundle_find(const struct bundle *bundle, const char *name, size_t len);

#endif
