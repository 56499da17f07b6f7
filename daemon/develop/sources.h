#ifndef FSD_DAEMON_DEVELOP_SOURCES_H
#define FSD_DAEMON_DEVELOP_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What changes when a file is written, or another one takes its place. */
struct source_stamp {
    uint64_t inode;
    int64_t size;
    int64_t modified_ns;
    int64_t changed_ns;
};

struct source_row {
    char *name; /* owned; relative to the root, with '/' */
    struct source_stamp stamp;
};

/* The code of an application as it was at one moment; all zero is none. */
struct sources {
    struct source_row *rows; /* owned array */
    size_t count;
    size_t capacity;
    int64_t newest_ns; /* the last change of any of them, since 1970 */
};

/* name is copied; 0 or -ENOMEM. */
int sources_add(struct sources *sources, const char *name, const struct source_stamp *stamp);
/* By name, as the other functions want them. */
void sources_sort(struct sources *sources);
const struct source_row *sources_find(const struct sources *sources, const char *name);
/* How many files are new, gone or changed; text gets up to three names and the number of the others ("" for none), cut at size. */
size_t sources_compare(const struct sources *before, const struct sources *after, char *text,
                       size_t size);
/* One number for all names and stamps, never 0: the same files give the same one, also in another process. */
uint64_t sources_digest(const struct sources *sources);
void sources_fini(struct sources *sources);

#endif
