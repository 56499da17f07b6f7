/* json_write.c - strings and numbers as JSON text, appended to a buffer.
 *
 * Owns nothing.  Strings are copied in words of eight bytes as long as nothing in them needs an
 * escape or a look at its UTF-8; room for that is reserved before, so that the copying loop has no
 * check.
 * Called by json_encode.c for every scalar.
 * Must not know Lua. */
#include "worker/core/json/json_write.h"

#include <string.h>

#include "worker/core/json/json_number.h"
#include "worker/core/json/json_text.h"

enum {
    WORD = 8,
    ESCAPE_MAX = 6,
};

void json_write_bytes(struct json_buf *buf, const char *bytes, size_t len)
{
    memcpy(json_buf_reserve(buf, len), bytes, len);
    buf->len += len;
}

void json_write_integer(struct json_buf *buf, int64_t value)
{
    buf->len += json_number_format_integer(value, json_buf_reserve(buf, JSON_NUMBER_TEXT_MAX));
}

void json_write_float(struct json_buf *buf, double value)
{
    buf->len += json_number_format_float(value, json_buf_reserve(buf, JSON_NUMBER_TEXT_MAX));
}

/* Writes the escape of a quote, backslash or control character. */
static char *put_escape(char *out, unsigned char byte)
{
    static const char short_names[] = "btn?fr"; /* 0x08 to 0x0d; 0x0b has none */
    static const char hex[] = "0123456789abcdef";
    *out++ = '\\';
    if (byte == '"' || byte == '\\') {
        *out++ = (char)byte;
    } else if (byte >= 0x08 && byte <= 0x0d && byte != 0x0b) {
        *out++ = short_names[byte - 0x08];
    } else {
        *out++ = 'u';
        *out++ = '0';
        *out++ = '0';
        *out++ = hex[byte >> 4];
        *out++ = hex[byte & 0x0f];
    }
    return out;
}

/* Copies the plain bytes at from in whole words while there are any; *out has a word to spare. */
static const char *copy_plain(const char *from, const char *end, char **out)
{
    char *to = *out;
    while (end - from >= WORD) {
        uint64_t special = json_text_special(from);
        memcpy(to, from, WORD);
        if (special != 0) {
            int len = __builtin_ctzll(special) / 8;
            *out = to + len;
            return from + len;
        }
        from += WORD;
        to += WORD;
    }
    while (from < end && *from >= 0x20 && *from != '"' && *from != '\\' &&
           (unsigned char)*from < 0x80) {
        *to++ = *from++;
    }
    *out = to;
    return from;
}

bool json_write_string(struct json_buf *buf, const char *text, size_t len)
{
    const char *from = text;
    const char *end = text + len;
    size_t len_before = buf->len;
    char *out = json_buf_reserve(buf, len + WORD + 2);
    *out++ = '"';
    for (;;) {
        from = copy_plain(from, end, &out);
        if (from == end) {
            break;
        }
        unsigned char byte = (unsigned char)*from;
        if (byte >= 0x80) {
            unsigned sequence_len = json_text_utf8_len(from, end);
            if (sequence_len == 0) {
                buf->len = len_before;
                return false;
            }
            memcpy(out, from, sequence_len);
            out += sequence_len;
            from += sequence_len;
        } else {
            buf->len = (size_t)(out - buf->data);
            out = json_buf_reserve(buf, ESCAPE_MAX + (size_t)(end - from) + WORD + 1);
            out = put_escape(out, byte);
            from++;
        }
    }
    *out++ = '"';
    buf->len = (size_t)(out - buf->data);
    return true;
}
