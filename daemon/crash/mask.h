#ifndef FSD_DAEMON_CRASH_MASK_H
#define FSD_DAEMON_CRASH_MASK_H

#include <stddef.h>

enum { MASK_SECRET_MIN = 4 }; /* a shorter secret would be found everywhere */

#define MASK_SIGN "***" /* stands for what is hidden */

/* Values that must not be shown wherever they stand; all zero: none is known. */
struct mask {
    const char *const *secrets; /* borrowed */
    size_t count;
};

/* Copies len bytes of text of somebody else, cut at size - 1 bytes, NUL-terminated: valid UTF-8 without control characters but
 * newlines, trailing ones removed.  Hidden are: the secrets of mask (NULL: none), percent-encoded as well, also when the text
 * breaks off in one; values whose key speaks of one (password=..., "api_key": "...", Cookie: ...); Bearer and Basic tokens;
 * passwords in URLs. Returns the length. */
size_t mask_text(const struct mask *mask, const char *text, size_t len, char *copy, size_t size);

#endif
