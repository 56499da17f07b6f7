#ifndef FSD_WORKER_HTTP_TEXT_COMPRESSIBLE_H
#define FSD_WORKER_HTTP_TEXT_COMPRESSIBLE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a content type is of a kind that compresses well: text, JSON, XML, JavaScript, SVG, WebAssembly, fonts that are not
 * compressed already. */
bool compressible_is_type(const char *type, size_t len);
/* Whether a Cache-Control header forbids to change the body on its way. */
bool compressible_is_forbidden(const char *cache_control, size_t len);
/* Whether a client whose Accept-Encoding that is takes gzip, and would not rather have the body as it is; text NULL: it does not. */
bool compressible_is_accepted(const char *accept_encoding, size_t len);

#endif
