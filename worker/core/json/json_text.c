/* json_text.c - finds the bytes of a string that JSON treats specially, eight at a time.
 *
 * Owns nothing; pure.  A word of eight bytes is tested by arithmetic, so that the usual ASCII run costs
 * a few instructions per word.  UTF-8 is checked by the ranges of Unicode's table 3-7.
 * Called by json_decode.c and json_encode.c for every string.
 * Must not know Lua or buffers. */
#include "worker/core/json/json_text.h"

size_t json_text_plain_len(const char *at, const char *end)
{
    const char *from = at;
    while (end - at >= 8) {
        uint64_t special = json_text_special(at);
        if (special != 0) {
            return (size_t)(at - from) + (size_t)__builtin_ctzll(special) / 8;
        }
        at += 8;
    }
    while (at < end && *at >= 0x20 && *at != '"' && *at != '\\' && (unsigned char)*at < 0x80) {
        at++;
    }
    return (size_t)(at - from);
}

/* One row for each kind of first byte: the second byte has its own range, the rest 80..BF. */
struct utf8_row {
    unsigned char first_min;
    unsigned char first_max;
    unsigned char second_min;
    unsigned char second_max;
    unsigned char len;
};

static const struct utf8_row utf8_rows[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
    {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
    {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

unsigned json_text_utf8_len(const char *at, const char *end)
{
    const unsigned char *bytes = (const unsigned char *)at;
    const struct utf8_row *row = utf8_rows;
    const struct utf8_row *rows_end = utf8_rows + sizeof(utf8_rows) / sizeof(utf8_rows[0]);
    while (row < rows_end && (bytes[0] < row->first_min || bytes[0] > row->first_max)) {
        row++;
    }
    if (row == rows_end || end - at < row->len) {
        return 0;
    }
    if (bytes[1] < row->second_min || bytes[1] > row->second_max) {
        return 0;
    }
    for (unsigned i = 2; i < row->len; i++) {
        if (bytes[i] < 0x80 || bytes[i] > 0xbf) {
            return 0;
        }
    }
    return row->len;
}
