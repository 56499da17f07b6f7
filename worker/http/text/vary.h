#ifndef FSD_WORKER_HTTP_TEXT_VARY_H
#define FSD_WORKER_HTTP_TEXT_VARY_H

#include <stddef.h>

/* What vary_add writes at most. */
#define VARY_MAX(header_len, fields_len) ((header_len) + (fields_len)*2 + 2)
/* Writes the header Vary with the names of fields ("Accept, Origin") added that are not in it yet; "*" swallows all others.
 * Returns the length, or -EINVAL when fields has something that is no header's name. */
int vary_add(const char *header, size_t header_len, const char *fields, size_t fields_len,
             char *out, size_t *ret_len);

#endif
