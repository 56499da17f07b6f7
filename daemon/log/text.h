#ifndef FSD_DAEMON_LOG_TEXT_H
#define FSD_DAEMON_LOG_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Reads one character of UTF-8 (len is at least 1).  Returns the bytes it takes, 1 to 4; *ret_code is its code point, or -1
 * for a byte that is not UTF-8 (then 1 is returned). */
size_t text_next(const char *at, size_t len, int32_t *ret_code);
/* Is it a character that a terminal might obey (common/terminal.h), newline excepted? */
int text_is_control(int32_t code);
/* Copies text of somebody else, cut at size - 1 bytes, NUL-terminated: valid UTF-8, control characters but newlines replaced
 * by '?', trailing newlines and spaces removed.  Returns the length. */
size_t text_clean(char *copy, size_t size, const char *text, size_t len);

#endif
