#ifndef FSD_WORKER_CORE_JSON_JSON_TEXT_H
#define FSD_WORKER_CORE_JSON_JSON_TEXT_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What JSON's reader and writer both must know about the bytes of strings.  Pure. */

#define JSON_TEXT_EVERY(byte) (UINT64_C(0x0101010101010101) * (byte))

/* A mark (a set high bit) for each of the eight bytes that is no plain ASCII: a control character, a
 * quote, a backslash, or above 0x7f.  The lowest mark is exact, those above it may be false.
 * A byte minus a bound borrows only if it is below it.  Inline: it is the innermost loop of JSON. */
static inline uint64_t json_text_special(const char *bytes)
{
    uint64_t word = 0;
    memcpy(&word, bytes, sizeof(word));
    word = le64toh(word);
    uint64_t quote = word ^ JSON_TEXT_EVERY('"');
    uint64_t backslash = word ^ JSON_TEXT_EVERY('\\');
    uint64_t below = (word - JSON_TEXT_EVERY(0x20)) & ~word;
    uint64_t equal =
        ((quote - JSON_TEXT_EVERY(1)) & ~quote) | ((backslash - JSON_TEXT_EVERY(1)) & ~backslash);
    return (word | below | equal) & JSON_TEXT_EVERY(0x80);
}

/* How many bytes at the start are plain ASCII in that sense. */
size_t json_text_plain_len(const char *at, const char *end);
/* Length (2..4) of the UTF-8 sequence that begins at at with a byte above 0x7f; 0 when it is not valid: cut, overlong, a
 * surrogate, or above U+10FFFF. */
unsigned json_text_utf8_len(const char *at, const char *end);

#endif
