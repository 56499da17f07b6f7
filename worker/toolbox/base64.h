#ifndef FSD_WORKER_TOOLBOX_BASE64_H
#define FSD_WORKER_TOOLBOX_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Base64 (RFC 4648), in pieces.  Pure. */

enum base64_alphabet {
    BASE64_STANDARD, /* + and /, padded with = */
    BASE64_URL,      /* - and _ */
    BASE64_ANY,      /* for reading: both, with or without padding, whitespace between */
};

/* What so many bytes become, padding counted, and one more byte. */
#define BASE64_TEXT_ROOM(len) (((len) + 2) / 3 * 4 + 1)
/* What so much text becomes at most. */
#define BASE64_BYTES_ROOM(len) (((len) + 3) / 4 * 3)

/* Writes text, and a NUL; returns its length.  Of a piece that is not the last one, len is a multiple of 3. */
size_t base64_encode(const uint8_t *bytes, size_t len, enum base64_alphabet alphabet,
                     bool is_padded, char *text);

/* Reads text piece by piece; zeroed but for the alphabet. */
struct base64_reader {
    enum base64_alphabet alphabet;
    bool
        is_padded; /* BASE64_URL: padding must be there, else it must not; BASE64_STANDARD: it must */
    uint32_t bits;  /* of the characters that do not make three bytes yet */
    unsigned count; /* how many these are, padding counted */
    unsigned padding;
};

/* Adds bytes behind *ret_len.  Returns how much of text it took: less than len when the next character is wrong there. */
size_t base64_read(struct base64_reader *reader, const char *text, size_t len, uint8_t *bytes,
                   size_t *ret_len);
/* The text has ended: the last bytes.  False: it is cut off, its padding is wrong, or bits of its last character are lost. */
bool base64_read_end(struct base64_reader *reader, uint8_t *bytes, size_t *ret_len);

#endif
