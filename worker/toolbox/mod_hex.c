/* mod_hex.c - require "fsd.hex":
 *   hex.encode(data) -> text     hex.decode(text) -> data
 * Owns nothing; hex.c knows the digits.  A text that is none raises a HexError with status 400. */
#include "worker/toolbox/mod_hex.h"

#include <lauxlib.h>

#include "worker/core/error.h"
#include "worker/toolbox/convert.h"
#include "worker/toolbox/hex.h"

enum { PIECE_BYTES = 256 * 1024, STATUS_BAD_REQUEST = 400 };

static size_t encode_room(size_t len)
{
    return 2 * len;
}

static size_t decode_room(size_t len)
{
    return len / 2;
}

static void encode_run(lua_State *L, struct convert *convert, const char *text, size_t len,
                       char *out)
{
    (void)L;
    hex_encode((const uint8_t *)text, len, out + convert->len);
    convert->len += 2 * len;
}

static void decode_run(lua_State *L, struct convert *convert, const char *text, size_t len,
                       char *out)
{
    size_t taken = hex_decode(text, len, (uint8_t *)out + convert->len);
    convert->len += taken / 2;
    if (taken < len) {
        error_raise(L, "HexError", "hex.decode", STATUS_BAD_REQUEST,
                    len - taken == 1
                        ? "invalid hexadecimal text: it ends with half a byte at byte %I"
                        : "invalid hexadecimal text at byte %I",
                    (lua_Integer)convert->done + (lua_Integer)taken + 1);
    }
}

static int hex_mod_encode(lua_State *L)
{
    static const struct convert_kind kind = {PIECE_BYTES, encode_room, encode_run, NULL};
    return convert_string(L, &(struct convert){.kind = &kind});
}

static int hex_mod_decode(lua_State *L)
{
    static const struct convert_kind kind = {PIECE_BYTES, decode_room, decode_run, NULL};
    return convert_string(L, &(struct convert){.kind = &kind});
}

static const luaL_Reg functions[] = {
    {"encode", hex_mod_encode},
    {"decode", hex_mod_decode},
    {NULL, NULL},
};

int luaopen_fsd_hex(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
