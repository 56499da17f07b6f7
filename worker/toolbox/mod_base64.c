/* mod_base64.c - require "fsd.base64":
 *   base64.encode(data) -> text          base64.encode_url(data [, {padding = true}]) -> text
 *   base64.decode(text [, {strict = false}]) -> data
 *   base64.decode_url(text [, {strict = false, padding = true}]) -> data
 * Owns nothing; base64.c knows the characters.  A text that is none raises a Base64Error with status 400. */
#include "worker/toolbox/mod_base64.h"

#include <lauxlib.h>

#include "worker/core/error.h"
#include "worker/toolbox/convert.h"
#include "worker/toolbox/option.h"

enum {
    PIECE_BYTES = 192 * 1024, /* a multiple of 3 and of 4 */
    STATUS_BAD_REQUEST = 400,
};

static size_t encode_room(size_t len)
{
    return BASE64_TEXT_ROOM(len);
}

static size_t decode_room(size_t len)
{
    return BASE64_BYTES_ROOM(len);
}

static void encode_run(lua_State *L, struct convert *convert, const char *text, size_t len,
                       char *out)
{
    (void)L;
    convert->len += base64_encode((const uint8_t *)text, len, convert->reader.alphabet,
                                  convert->reader.is_padded, out + convert->len);
}

static void decode_run(lua_State *L, struct convert *convert, const char *text, size_t len,
                       char *out)
{
    size_t taken = base64_read(&convert->reader, text, len, (uint8_t *)out, &convert->len);
    if (taken < len) {
        error_raise(L, "Base64Error", "base64.decode", STATUS_BAD_REQUEST,
                    "invalid base64 at byte %I",
                    (lua_Integer)convert->done + (lua_Integer)taken + 1);
    }
}

static void decode_end(lua_State *L, struct convert *convert, char *out)
{
    if (!base64_read_end(&convert->reader, (uint8_t *)out, &convert->len)) {
        error_raise(L, "Base64Error", "base64.decode", STATUS_BAD_REQUEST,
                    "invalid base64: it is cut off at byte %I, or its padding is wrong",
                    (lua_Integer)convert->done);
    }
}

static const struct convert_kind encoding = {PIECE_BYTES, encode_room, encode_run, NULL};
static const struct convert_kind decoding = {PIECE_BYTES, decode_room, decode_run, decode_end};

static int encode(lua_State *L)
{
    struct convert convert = {.kind = &encoding,
                              .reader = {.alphabet = BASE64_STANDARD, .is_padded = true}};
    return convert_string(L, &convert);
}

static int encode_url(lua_State *L)
{
    static const char *const names[] = {"padding", NULL};
    option_check(L, 2, "base64.encode_url", names);
    struct convert convert = {
        .kind = &encoding,
        .reader = {.alphabet = BASE64_URL, .is_padded = option_boolean(L, 2, "padding", false)}};
    return convert_string(L, &convert);
}

static int decode(lua_State *L)
{
    static const char *const names[] = {"strict", NULL};
    option_check(L, 2, "base64.decode", names);
    bool is_strict = option_boolean(L, 2, "strict", true);
    struct convert convert = {
        .kind = &decoding,
        .reader = {.alphabet = is_strict ? BASE64_STANDARD : BASE64_ANY, .is_padded = true}};
    return convert_string(L, &convert);
}

static int decode_url(lua_State *L)
{
    static const char *const names[] = {"strict", "padding", NULL};
    option_check(L, 2, "base64.decode_url", names);
    bool is_strict = option_boolean(L, 2, "strict", true);
    struct convert convert = {.kind = &decoding,
                              .reader = {.alphabet = is_strict ? BASE64_URL : BASE64_ANY,
                                         .is_padded = option_boolean(L, 2, "padding", false)}};
    return convert_string(L, &convert);
}

static const luaL_Reg functions[] = {
    {"encode", encode}, {"encode_url", encode_url}, {"decode", decode}, {"decode_url", decode_url},
    {NULL, NULL},
};

int luaopen_fsd_base64(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
