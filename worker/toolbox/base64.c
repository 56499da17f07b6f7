/* base64.c - bytes as text, and back.
 * Owns nothing.  Writing is OpenSSL's; reading is not, because what OpenSSL reads may be cut off, carry lost bits or spaces: of each
 * value there is one text only, so that a text that was signed or compared can't be another.  Pure.  Called by mod_base64.c, mod_crypto.c
 * and whoever reads tokens.  Must not know where a text comes from. */
#include "worker/toolbox/base64.h"

#include <assert.h>
#include <limits.h>
#include <openssl/evp.h>

enum {
    ONLY_STANDARD = 0x40,
    ONLY_URL = 0x80,
    INVALID = ONLY_STANDARD | ONLY_URL,
    GROUP_CHARACTERS = 4,
    CHARACTER_BITS = 6,
};

/* The value of each character, and which alphabets it does not belong to. */
static const uint8_t values[256] = {
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0x7e, 0xc0, 0xbe, 0xc0, 0x7f,
    0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
    0xc0, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,
    0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0xc0, 0xc0, 0xc0, 0xc0, 0xbf,
    0xc0, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28,
    0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
    0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0, 0xc0,
};

size_t base64_encode(const uint8_t *bytes, size_t len, enum base64_alphabet alphabet,
                     bool is_padded, char *text)
{
    assert(len <= INT_MAX);
    size_t written = (size_t)EVP_EncodeBlock((unsigned char *)text, bytes, (int)len);
    if (alphabet != BASE64_URL) {
        return written;
    }
    for (size_t i = 0; i < written; i++) {
        text[i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
    }
    while (!is_padded && written > 0 && text[written - 1] == '=') {
        text[--written] = '\0';
    }
    return written;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* One character that is no padding; false: it has no place here. */
static bool take_character(struct base64_reader *reader, uint8_t value)
{
    bool is_wrong =
        reader->alphabet == BASE64_ANY
            ? (value & INVALID) == INVALID
            : (value & (reader->alphabet == BASE64_URL ? ONLY_STANDARD : ONLY_URL)) != 0;
    if (is_wrong || reader->padding > 0) {
        return false;
    }
    reader->bits = reader->bits << CHARACTER_BITS | (value & ~(unsigned)INVALID);
    reader->count++;
    return true;
}

/* It may stand behind two characters of a group, and behind three. */
static bool take_padding(struct base64_reader *reader)
{
    if (reader->count < 2 || (reader->alphabet == BASE64_URL && !reader->is_padded)) {
        return false;
    }
    reader->bits <<= CHARACTER_BITS;
    reader->padding++;
    reader->count++;
    return true;
}

static void put_group(struct base64_reader *reader, uint8_t *bytes, size_t *ret_len)
{
    bytes[(*ret_len)++] = (uint8_t)(reader->bits >> 16);
    bytes[(*ret_len)++] = (uint8_t)(reader->bits >> 8);
    bytes[(*ret_len)++] = (uint8_t)reader->bits;
    reader->bits = 0;
    reader->count = 0;
}

/* Whole groups of one alphabet without padding, which is nearly all of a text; returns how much that was. */
static size_t read_groups(const struct base64_reader *reader, const char *text, size_t len,
                          uint8_t *bytes, size_t *ret_len)
{
    unsigned refused = reader->alphabet == BASE64_URL ? ONLY_STANDARD : ONLY_URL;
    size_t at = 0;
    while (len - at >= GROUP_CHARACTERS) {
        unsigned a = values[(uint8_t)text[at]];
        unsigned b = values[(uint8_t)text[at + 1]];
        unsigned c = values[(uint8_t)text[at + 2]];
        unsigned d = values[(uint8_t)text[at + 3]];
        if (((a | b | c | d) & refused) != 0) {
            break;
        }
        uint32_t bits = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
        bytes[(*ret_len)++] = (uint8_t)(bits >> 16);
        bytes[(*ret_len)++] = (uint8_t)(bits >> 8);
        bytes[(*ret_len)++] = (uint8_t)bits;
        at += GROUP_CHARACTERS;
    }
    return at;
}

/* One character wherever it stands; false: it has no place here. */
static bool take(struct base64_reader *reader, char c)
{
    if (reader->alphabet == BASE64_ANY && is_space(c)) {
        return true;
    }
    if (reader->count == GROUP_CHARACTERS) {
        return false; /* the padding was the end */
    }
    return c == '=' ? take_padding(reader) : take_character(reader, values[(uint8_t)c]);
}

size_t base64_read(struct base64_reader *reader, const char *text, size_t len, uint8_t *bytes,
                   size_t *ret_len)
{
    size_t at = 0;
    while (at < len) {
        if (reader->count == 0 && reader->alphabet != BASE64_ANY) {
            at += read_groups(reader, text + at, len - at, bytes, ret_len);
        }
        if (at == len || !take(reader, text[at])) {
            break;
        }
        at++;
        if (reader->count == GROUP_CHARACTERS && reader->padding == 0) {
            put_group(reader, bytes, ret_len);
        }
    }
    return at;
}

bool base64_read_end(struct base64_reader *reader, uint8_t *bytes, size_t *ret_len)
{
    unsigned characters = reader->count - reader->padding;
    bool wants_padding = reader->alphabet == BASE64_STANDARD ||
                         (reader->alphabet == BASE64_URL && reader->is_padded);
    if (characters == 0) {
        return true;
    }
    if (characters == 1 ||
        ((reader->padding > 0 || wants_padding) && reader->count < GROUP_CHARACTERS)) {
        return false;
    }
    uint32_t bits = reader->bits << CHARACTER_BITS * (GROUP_CHARACTERS - reader->count);
    size_t len = characters - 1;
    if ((bits & (0xFFFFFFU >> 8 * len)) != 0) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bytes[(*ret_len)++] = (uint8_t)(bits >> (16 - 8 * i));
    }
    return true;
}
