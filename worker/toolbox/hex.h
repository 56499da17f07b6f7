#ifndef FSD_WORKER_TOOLBOX_HEX_H
#define FSD_WORKER_TOOLBOX_HEX_H

#include <stddef.h>
#include <stdint.h>

/* Bytes as hexadecimal digits.  Pure. */

/* Writes 2 * len digits, in small letters, without a NUL. */
void hex_encode(const uint8_t *bytes, size_t len, char *text);
/* Reads pairs of digits of either case; len is even.  Returns how much of text it took: less than len when one of the next two is
 * no digit. */
size_t hex_decode(const char *text, size_t len, uint8_t *bytes);

#endif
