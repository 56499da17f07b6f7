#ifndef FSD_DAEMON_CRASH_MASK_KEY_H
#define FSD_DAEMON_CRASH_MASK_KEY_H

#include <stdbool.h>
#include <stddef.h>

/* A part of a text that is to be hidden; empty when from == to. */
struct mask_range {
    size_t from;
    size_t to;
};

/* What begins at text[at], the first byte of a word (mask_key_is_word, the byte before is none): a key whose value is secret, or
 * "Bearer TOKEN".  Returns the value's range, or an empty one. */
struct mask_range mask_key_find(const char *text, size_t len, size_t at);
/* The same for text[at] == ':': the password of "://user:password@". */
struct mask_range mask_key_find_url(const char *text, size_t len, size_t at);
/* Is it a byte that keys consist of? */
bool mask_key_is_word(char byte);

#endif
