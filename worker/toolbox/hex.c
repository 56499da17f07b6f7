/* hex.c - bytes as hexadecimal digits, and back.
 * Owns nothing.  OpenSSL's own writes colons and capitals, and reads them.  Pure.  Called by mod_hex.c, mod_crypto.c and uuid.c. */
#include "worker/toolbox/hex.h"

enum { NO_DIGIT = 16 };

void hex_encode(const uint8_t *bytes, size_t len, char *text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static unsigned value_of(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    char small = (char)(c | 0x20);
    return small >= 'a' && small <= 'f' ? (unsigned)(small - 'a' + 10) : NO_DIGIT;
}

size_t hex_decode(const char *text, size_t len, uint8_t *bytes)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        unsigned high = value_of(text[i]);
        unsigned low = value_of(text[i + 1]);
        if ((high | low) >= NO_DIGIT) {
            return i;
        }
        *bytes++ = (uint8_t)(high << 4 | low);
    }
    return len & ~(size_t)1;
}
