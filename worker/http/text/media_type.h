#ifndef FSD_WORKER_HTTP_TEXT_MEDIA_TYPE_H
#define FSD_WORKER_HTTP_TEXT_MEDIA_TYPE_H

#include <stdbool.h>
#include <stddef.h>

/* What type a body has: Content-Type, and whether it is one of those expected.  Pure. */

enum { MEDIA_TYPE_MAX = 256 }; /* 127 bytes, a /, 127 bytes, and a NUL */

/* The type of a Content-Type header in lower case, without its parameters.  Returns its length; 0 when it is none (ret_type is
 * then ""). */
size_t media_type_parse(const char *text, size_t len, char ret_type[MEDIA_TYPE_MAX]);
/* Whether a type (as media_type_parse gives it) is what is expected: "text/html", "text" "/" "*", "*" "/" "json" or, for a suffix,
 * "*" "/" "*+json".  Case counts. */
bool media_type_matches(const char *type, const char *expected);

#endif
