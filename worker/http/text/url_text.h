#ifndef FSD_WORKER_HTTP_TEXT_URL_TEXT_H
#define FSD_WORKER_HTTP_TEXT_URL_TEXT_H

#include <stddef.h>

/* What url_text_escape writes for so many bytes at most. */
#define URL_TEXT_MAX(len) ((len)*3)
/* Writes a URL so that it can stand in a header: what cannot stand in a URL becomes %XX, and so does a '%' that begins no escape.
 * Returns the length. */
size_t url_text_escape(const char *url, size_t len, char *out);

#endif
