/* text.c - makes text of others (workers, the bundle tool) harmless for terminals, logs and JSON.
 * Owns nothing.  Everything goes through one strict UTF-8 reader (RFC 3629: no surrogates, no overlong forms, nothing above
 * U+10FFFF), so that the log and the control socket can't disagree about what is text.
 * Called by log_line.c, proc.c and bundler.c.  Pure. */
#include "daemon/log/text.h"

#include <string.h>

#include "common/terminal.h"

/* One row a length: which first bytes, the smallest code point that needs it. */
struct shape {
    unsigned char mask;
    unsigned char bits;
    int32_t smallest;
};

static const struct shape shapes[] = {
    {0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
enum { SHAPE_COUNT = sizeof(shapes) / sizeof(shapes[0]) };

/* The code point of the count bytes at at, -1 when they are none. */
static int32_t decode(const unsigned char *at, size_t count)
{
    const struct shape *shape = &shapes[count - 1];
    int32_t code = at[0] & (unsigned char)~shape->mask;
    for (size_t i = 1; i < count; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return -1;
        }
        code = (int32_t)((uint32_t)code << 6 | (at[i] & 0x3fU));
    }
    int is_surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < shape->smallest || code > 0x10ffff || is_surrogate ? -1 : code;
}

size_t text_next(const char *at, size_t len, int32_t *ret_code)
{
    unsigned char bytes[SHAPE_COUNT] = {0};
    memcpy(bytes, at, len < sizeof(bytes) ? len : sizeof(bytes));
    *ret_code = -1;
    for (size_t count = 1; count <= SHAPE_COUNT && count <= len; count++) {
        if ((bytes[0] & shapes[count - 1].mask) == shapes[count - 1].bits) {
            *ret_code = decode(bytes, count);
            return *ret_code < 0 ? 1 : count;
        }
    }
    return 1;
}

int text_is_control(int32_t code)
{
    return code != '\n' && terminal_is_unsafe((uint32_t)code);
}

size_t text_clean(char *copy, size_t size, const char *text, size_t len)
{
    size_t used = 0;
    while (len > 0 && used + 1 < size) {
        int32_t code;
        size_t took = text_next(text, len, &code);
        int is_bad = code < 0 || text_is_control(code);
        if (used + took >= size) {
            break; /* never half a character */
        }
        if (is_bad) {
            copy[used++] = code == '\t' ? ' ' : '?';
        } else {
            memcpy(copy + used, text, took);
            used += took;
        }
        text += took;
        len -= took;
    }
    while (used > 0 && (copy[used - 1] == '\n' || copy[used - 1] == ' ')) {
        used--;
    }
    copy[used] = '\0';
    return used;
}
