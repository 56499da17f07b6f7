/* disposition.c - the header Content-Disposition of a download.
 * Owns nothing.  Written as the npm package content-disposition does it: a name of printable ASCII stands in filename, as a token
 * or in quotes; any other name has question marks there, for old clients, and its real form in filename*.  Bytes that are not
 * UTF-8 become U+FFFD.  Pure.  Called by response_fields.c (res:attachment) and for downloads.  Must not know files. */
#include "worker/http/text/disposition.h"

#include <stdbool.h>
#include <string.h>

#include "worker/core/hex_digit.h"
#include "worker/http/text/header_text.h"

struct writer {
    char *at;
};

static void put(struct writer *writer, const char *bytes, size_t len)
{
    memcpy(writer->at, bytes, len);
    writer->at += len;
}

static void put_text(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static bool is_printable(char c)
{
    return c >= 0x20 && c < 0x7f;
}

/* Some clients decode %XX in filename: a name with such a thing needs filename*, too. */
static bool is_plain(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!is_printable(name[i]) || (name[i] == '%' && len - i > 2 && hex_digit_is(name[i + 1]) &&
                                       hex_digit_is(name[i + 2]))) {
            return false;
        }
    }
    return true;
}

/* How many bytes the character at text has; 0 when it is not well-formed UTF-8 (RFC 3629). */
static size_t measure(const unsigned char *text, size_t len)
{
    static const struct {
        unsigned char first, last, low, high; /* of the first byte, and of the second one */
        size_t size;
    } rows[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (text[0] < rows[i].first || text[0] > rows[i].last) {
            continue;
        }
        if (rows[i].size > len ||
            (len > 1 && rows[i].size > 1 && (text[1] < rows[i].low || text[1] > rows[i].high))) {
            return 0;
        }
        for (size_t k = 2; k < rows[i].size; k++) {
            if ((text[k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return rows[i].size;
    }
    return 0;
}

static void put_quoted(struct writer *writer, const char *name, size_t len)
{
    if (header_text_is_name(name, len)) { /* the same characters: a token */
        put(writer, name, len);
        return;
    }
    put_text(writer, "\"");
    for (size_t i = 0; i < len; i++) {
        if (name[i] == '"' || name[i] == '\\') {
            put_text(writer, "\\");
        }
        put(writer, name + i, 1);
    }
    put_text(writer, "\"");
}

/* A character each for what is no printable ASCII. */
static size_t make_ascii(const char *name, size_t len, char *out)
{
    size_t count = 0;
    for (size_t i = 0; i < len;) {
        size_t size = measure((const unsigned char *)name + i, len - i);
        char c = '?';
        if (is_printable(name[i])) {
            c = name[i];
        }
        out[count++] = c;
        i += size > 0 ? size : 1;
    }
    return count;
}

/* What encodeURIComponent of JavaScript leaves stays, but for what RFC 8187 does not allow. */
static void put_escaped(struct writer *writer, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";
    bool is_attr = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                   (c != '\0' && strchr("!-._~", c) != NULL);
    if (is_attr) {
        *writer->at++ = (char)c;
        return;
    }
    *writer->at++ = '%';
    *writer->at++ = digits[c >> 4];
    *writer->at++ = digits[c & 15];
}

static void put_extended(struct writer *writer, const char *name, size_t len)
{
    put_text(writer, "; filename*=UTF-8''");
    for (size_t i = 0; i < len;) {
        size_t size = measure((const unsigned char *)name + i, len - i);
        if (size == 0) {
            put_text(writer, "%EF%BF%BD");
            i++;
        }
        for (size_t k = 0; k < size; k++) {
            put_escaped(writer, (unsigned char)name[i++]);
        }
    }
}

size_t disposition_format(const char *name, size_t len, char *out)
{
    struct writer writer = {out};
    put_text(&writer, "attachment");
    if (name == NULL) {
        return (size_t)(writer.at - out);
    }
    put_text(&writer, "; filename=");
    if (is_plain(name, len)) {
        put_quoted(&writer, name, len);
        return (size_t)(writer.at - out);
    }
    /* in the part of the room that filename* will take: it is written later, and is longer than this */
    char *ascii = out + DISPOSITION_MAX(len) - len;
    put_quoted(&writer, ascii, make_ascii(name, len, ascii));
    put_extended(&writer, name, len);
    return (size_t)(writer.at - out);
}

const char *disposition_base_name(const char *path, size_t len, size_t *ret_len)
{
    const char *slash = memrchr(path, '/', len);
    const char *name = slash != NULL ? slash + 1 : path;
    *ret_len = len - (size_t)(name - path);
    return name;
}
