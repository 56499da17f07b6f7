#ifndef FSD_WORKER_HTTP_TEXT_MIME_H
#define FSD_WORKER_HTTP_TEXT_MIME_H

#include <stdbool.h>
#include <stddef.h>

/* Content types of files.  Pure. */

/* What goes out as a file whose type is not known. */
#define MIME_UNKNOWN "application/octet-stream"

/* The type of files that end in "." and this word, in any case: "text/html; charset=utf-8" for "html".  NULL: not known. */
const char *mime_find(const char *ending, size_t len);
/* The same by a file's name, which may have folders before it; NULL also when it has no ending, as ".html". */
const char *mime_of_name(const char *name, size_t len);

#endif
