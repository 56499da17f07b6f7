/* uuid.c - UUIDs as bytes and as text.
 * Owns nothing.  Those of version 7 begin with the time in milliseconds; within one, and when the clock is set back, the 12 bits behind it
 * count on, and the time is moved on when these are used up.  The count begins somewhere in its lower half, so that it tells nothing.
 * Pure.  Called by mod_uuid.c. */
#include "worker/toolbox/uuid.h"

#include <string.h>

#include "worker/toolbox/hex.h"

enum { COUNTER_MAX = 0xFFF, COUNTER_BEGIN_MAX = 0x7FF };

static const uint8_t hyphens[] = {8, 13, 18, 23};

static void set_version(uint8_t bytes[UUID_BYTES], unsigned version)
{
    bytes[6] = (uint8_t)((bytes[6] & 0x0F) | version << 4);
    bytes[8] = (uint8_t)((bytes[8] & 0x3F) | 0x80);
}

void uuid_make_v4(uint8_t bytes[UUID_BYTES])
{
    set_version(bytes, 4);
}

void uuid_make_v7(struct uuid_order *order, uint64_t now_ms, uint8_t bytes[UUID_BYTES])
{
    if (now_ms > order->at_ms || order->at_ms == 0) {
        order->at_ms = now_ms;
        order->counter = ((unsigned)bytes[6] << 8 | bytes[7]) & COUNTER_BEGIN_MAX;
    } else if (++order->counter > COUNTER_MAX) {
        order->at_ms++;
        order->counter = 0;
    }
    for (unsigned i = 0; i < 6; i++) {
        bytes[i] = (uint8_t)(order->at_ms >> (40 - 8 * i));
    }
    bytes[6] = (uint8_t)(order->counter >> 8);
    bytes[7] = (uint8_t)order->counter;
    set_version(bytes, 7);
}

void uuid_format(const uint8_t bytes[UUID_BYTES], char text[UUID_TEXT_LEN])
{
    char digits[2 * UUID_BYTES];
    size_t from = 0;
    hex_encode(bytes, UUID_BYTES, digits);
    for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
        bool is_hyphen = memchr(hyphens, (int)i, sizeof(hyphens)) != NULL;
        text[i] = '-';
        if (!is_hyphen) {
            text[i] = digits[from++];
        }
    }
}

bool uuid_parse(const char *text, size_t len, uint8_t bytes[UUID_BYTES])
{
    char digits[2 * UUID_BYTES];
    size_t to = 0;
    if (len != UUID_TEXT_LEN) {
        return false;
    }
    for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
        if (memchr(hyphens, (int)i, sizeof(hyphens)) == NULL) {
            digits[to++] = text[i];
        } else if (text[i] != '-') {
            return false;
        }
    }
    return hex_decode(digits, sizeof(digits), bytes) == sizeof(digits);
}
