#ifndef FSD_WORKER_HTTP_TEXT_ETAG_H
#define FSD_WORKER_HTTP_TEXT_ETAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Entity tags (RFC 9110 §8.8.3): made, and compared with what a request names.  Pure. */

enum { ETAG_MAX = 48 };

/* 64 bits that two different bodies hardly have in common; the same in each worker, and on each machine of one byte order.  No secret:
 * who writes bodies on purpose can make two with one hash. */
uint64_t etag_hash(const void *bytes, size_t len);
/* W/"5-1c8d0e..." or "5-1c8d0e...": length and hash of a body.  Returns the tag's length, NUL behind it. */
size_t etag_from_body(const void *bytes, size_t len, bool is_weak, char text[ETAG_MAX]);
/* W/"size-mtime": of a file; weak, because it may change twice within one tick of its clock. */
size_t etag_from_file(uint64_t size, int64_t mtime_s, uint32_t mtime_ns, char text[ETAG_MAX]);
/* A whole entity tag and nothing else: "..." with visible characters but the quote, or W/"...". */
bool etag_is_valid(const char *text, size_t len);
/* Whether a list, as If-Match and If-None-Match have it, names the tag ("*" is no list: etag_is_any).  Weak comparison does not
 * ask for W/ on either side, strong wants it on neither.  What is no tag is passed over. */
bool etag_is_listed(const char *list, size_t list_len, const char *etag, size_t len,
                    bool is_strong);
/* "*", with blanks around. */
bool etag_is_any(const char *list, size_t len);

#endif
