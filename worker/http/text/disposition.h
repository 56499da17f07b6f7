#ifndef FSD_WORKER_HTTP_TEXT_DISPOSITION_H
#define FSD_WORKER_HTTP_TEXT_DISPOSITION_H

#include <stddef.h>

/* What disposition_format writes for a name of so many bytes at most. */
#define DISPOSITION_MAX(len) ((len)*11 + 64)
/* Writes the header Content-Disposition that has a file saved under that name: filename, and for a name that is not plain ASCII
 * filename*, too (RFC 6266, RFC 8187).  name NULL: no name.  Returns the length.  Whatever the name is, no control character
 * comes out. */
size_t disposition_format(const char *name, size_t len, char *out);
/* The part of a path behind its last '/'. */
const char *disposition_base_name(const char *path, size_t len, size_t *ret_len);

#endif
