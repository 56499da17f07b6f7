#ifndef FSD_DAEMON_CONF_SOURCE_H
#define FSD_DAEMON_CONF_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct fsd_err;

enum { SOURCE_BYTES_MAX = 1024 * 1024 };

/* One configuration text and where it came from. */
struct source {
    char *path;   /* owned; its name: messages show this */
    char *folder; /* owned; absolute: relative paths inside the text start here */
    char *text;   /* owned; NUL-terminated */
    size_t len;
    size_t *steps; /* owned; see source_offset */
    size_t character_count;
};

/* Copies the text; path need not exist.  NULL: no memory, or the working directory is gone. */
struct source *source_new(const char *path, const char *text, size_t len);
/* Reads a file of at most SOURCE_BYTES_MAX that not everybody may write.  name is what it is called
 * from then on.  err: `cannot read "file": reason`. */
int source_read(const char *file, const char *name, struct source **ret_source,
                struct fsd_err *err);
void source_free(struct source *source);
/* The line (1-based) without its end, or NULL when the text has fewer.  Not NUL-terminated. */
const char *source_line(const struct source *source, unsigned line, size_t *ret_len);
/* Where a character (counted from 0) begins; len when the text has fewer.  Takes the same time anywhere. */
size_t source_offset(const struct source *source, size_t character);
/* path as an absolute one, which the caller frees; NULL: no memory. */
char *source_resolve(const struct source *source, const char *path);

#endif
