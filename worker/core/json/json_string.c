/* json_string.c - strings and keys of JSON text, pushed on the Lua stack.
 *
 * Owns nothing that Lua does not.  A string without escapes goes to Lua straight from the text; one
 * with escapes is unescaped into a scratch, on the C stack or, when long, in a userdata.  Keys of up
 * to 15 plain bytes are looked up, as two words, among those met lately, whose Lua strings wait on
 * the stack.
 * Called by json_decode.c; the text is hostile, so every byte is checked (UTF-8, surrogate pairs).
 * Must not know arrays, objects or numbers. */
#include "worker/core/json/json_string.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "worker/core/json/json_decoder.h"
#include "worker/core/json/json_text.h"

enum {
    SCRATCH_BYTES = 512,
    WORD = 8,
    KEY_SPAN = 16, /* bytes that a key row covers with the quote */
};

static int decode_hex4(const struct json_decoder *decoder, const char *at, unsigned *ret_value)
{
    unsigned value = 0;
    if (decoder->end - at < 4) {
        return json_decoder_refuse_at(decoder, at, "incomplete \\u escape");
    }
    for (int i = 0; i < 4; i++) {
        unsigned digit = (unsigned char)at[i];
        unsigned letter = digit | 0x20;
        if (digit >= '0' && digit <= '9') {
            value = value << 4 | (digit - '0');
        } else if (letter >= 'a' && letter <= 'f') {
            value = value << 4 | (letter - 'a' + 10);
        } else {
            return json_decoder_refuse_at(decoder, at + i,
                                          "\\u escape without four hexadecimal digits");
        }
    }
    *ret_value = value;
    return 0;
}

static char *put_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        *out++ = (char)code;
        return out;
    }
    if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
    }
    *out++ = (char)(0x80 | (code & 0x3f));
    return out;
}

/* *at stands behind `\u`; a surrogate must be the first of a pair. */
static int decode_unicode(const struct json_decoder *decoder, const char **at, char **out)
{
    const char *from = *at - 2;
    unsigned code = 0;
    int r = decode_hex4(decoder, *at, &code);
    if (r < 0) {
        return r;
    }
    *at += 4;
    if (code >= 0xd800 && code <= 0xdfff) {
        unsigned low = 0;
        if (code >= 0xdc00 || decoder->end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') {
            return json_decoder_refuse_at(decoder, from, "lone surrogate in a string");
        }
        r = decode_hex4(decoder, *at + 2, &low);
        if (r < 0) {
            return r;
        }
        if (low < 0xdc00 || low > 0xdfff) {
            return json_decoder_refuse_at(decoder, from, "lone surrogate in a string");
        }
        *at += 6;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    *out = put_utf8(*out, code);
    return 0;
}

/* *at stands at the backslash. */
static int decode_escape(const struct json_decoder *decoder, const char **at, char **out)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    _Static_assert(sizeof(names) == sizeof(values), "a value for each name");
    const char *name = *at + 1;
    if (name >= decoder->end) {
        return json_decoder_refuse_at(decoder, decoder->end, "unexpected end in a string");
    }
    if (*name == 'u') {
        *at += 2;
        return decode_unicode(decoder, at, out);
    }
    const char *found = *name != '\0' ? strchr(names, *name) : NULL;
    if (found == NULL) {
        return json_decoder_refuse_at(decoder, *at, "invalid escape in a string");
    }
    *(*out)++ = values[found - names];
    *at += 2;
    return 0;
}

/* Length of the run from at that stands in the text as it is in the value: up to a quote, a backslash
 * or the end.  Refuses control characters and bytes that are not UTF-8. */
static int scan_run(const struct json_decoder *decoder, const char *at, size_t *ret_len)
{
    const char *from = at;
    for (;;) {
        at += json_text_plain_len(at, decoder->end);
        if (at >= decoder->end) {
            return json_decoder_refuse_at(decoder, decoder->end, "unexpected end in a string");
        }
        if (*at == '"' || *at == '\\') {
            *ret_len = (size_t)(at - from);
            return 0;
        }
        unsigned char byte = (unsigned char)*at;
        if (byte < 0x20) {
            return json_decoder_refuse_at(decoder, at, "unescaped control character in a string");
        }
        unsigned len = json_text_utf8_len(at, decoder->end);
        if (len == 0) {
            return json_decoder_refuse_at(decoder, at, "invalid UTF-8 in a string");
        }
        at += len;
    }
}

/* Bytes up to the closing quote: no fewer than the value has. */
static size_t escaped_len(const char *at, const char *end)
{
    const char *from = at;
    while (at < end && *at != '"') {
        at += *at == '\\' ? 2 : 1;
    }
    return (size_t)((at < end ? at : end) - from);
}

/* at stands at the first backslash after run_len plain bytes. */
static int decode_escaped(struct json_decoder *decoder, const char *from, size_t run_len)
{
    lua_State *L = decoder->L;
    char local[SCRATCH_BYTES];
    char *text = local;
    size_t need = escaped_len(from, decoder->end);
    if (need > sizeof(local)) {
        text = lua_newuserdatauv(L, need, 0); /* Lua's, because pushing the string may raise */
    }
    char *out = text;
    const char *at = from;
    for (;;) {
        memcpy(out, at, run_len);
        out += run_len;
        at += run_len;
        if (*at == '"') {
            break;
        }
        int r = decode_escape(decoder, &at, &out);
        if (r == 0) {
            r = scan_run(decoder, at, &run_len);
        }
        if (r < 0) {
            return r;
        }
    }
    decoder->at = at + 1;
    lua_pushlstring(L, text, (size_t)(out - text));
    if (text != local) {
        lua_remove(L, -2);
    }
    return 0;
}

/* The rest of a string whose opening quote is behind from. */
static int decode_slowly(struct json_decoder *decoder, const char *from)
{
    size_t len = 0;
    int r = scan_run(decoder, from, &len);
    if (r < 0) {
        return r;
    }
    if (from[len] == '\\') {
        return decode_escaped(decoder, from, len);
    }
    decoder->at = from + len + 1;
    lua_pushlstring(decoder->L, from, len);
    return 0;
}

int json_string_decode(struct json_decoder *decoder)
{
    const char *from = decoder->at + 1;
    const char *at = from;
    while (decoder->end - at >= WORD) {
        uint64_t special = json_text_special(at);
        if (special != 0) {
            at += (unsigned)__builtin_ctzll(special) / 8;
            break;
        }
        at += WORD;
    }
    if (at >= decoder->end || *at != '"') {
        return decode_slowly(decoder, from);
    }
    decoder->at = at + 1;
    lua_pushlstring(decoder->L, from, (size_t)(at - from));
    return 0;
}

/* The bytes of a word up to its first special one, which must be a quote; 0 when it is not. */
static uint64_t take_word(const char *at, unsigned *ret_len)
{
    uint64_t special = json_text_special(at);
    unsigned len = special != 0 ? (unsigned)__builtin_ctzll(special) / 8 : WORD;
    uint64_t word = 0;
    memcpy(&word, at, WORD);
    word = le64toh(word);
    *ret_len = len;
    if (len == WORD) {
        return word;
    }
    return at[len] == '"' ? word & (UINT64_MAX >> (8 * (WORD - 1 - len))) : 0;
}

static unsigned row_of(const struct json_key_row *key)
{
    uint64_t folded = key->low ^ key->low >> 32 ^ key->high << 1;
    _Static_assert(JSON_KEY_ROWS == 32, "the hash has five bits");
    return (unsigned)(folded * UINT64_C(0x9e3779b97f4a7c15) >> 59); /* 2^64 / phi */
}

int json_string_decode_key(struct json_decoder *decoder)
{
    const char *from = decoder->at + 1;
    struct json_key_row key = {0};
    unsigned len = 0;
    unsigned high_len = 0;
    if (decoder->end - from < KEY_SPAN) {
        return json_string_decode(decoder);
    }
    key.low = take_word(from, &len);
    if (len == WORD) {
        key.high = take_word(from + WORD, &high_len);
    }
    len += high_len;
    if (key.low == 0 || len == KEY_SPAN || (len >= WORD && key.high == 0)) {
        return json_string_decode(decoder);
    }
    lua_State *L = decoder->L;
    decoder->at = from + len + 1;
    unsigned row = row_of(&key);
    int slot = decoder->mark_slot + 1 + (int)row;
    if (decoder->keys[row].low == key.low && decoder->keys[row].high == key.high) {
        lua_pushvalue(L, slot);
        return 0;
    }
    lua_pushlstring(L, from, len);
    lua_copy(L, -1, slot);
    decoder->keys[row] = key;
    return 0;
}
