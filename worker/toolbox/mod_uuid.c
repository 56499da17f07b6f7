/* mod_uuid.c - require "fsd.uuid":
 *   uuid.v4() -> text        uuid.v7() -> text         uuid.is(value) -> boolean
 *   uuid.parse(text) -> {text, bytes, version [, time]} uuid.format(bytes) -> text
 * Owns, for a lua_State, the order of the UUIDs of version 7, and random bytes for several UUIDs, which cost one call of the kernel.
 * A text that is none raises a UuidError with status 400. */
#include "worker/toolbox/mod_uuid.h"

#include <lauxlib.h>
#include <string.h>

#include "common/clock.h"
#include "worker/core/error.h"
#include "worker/toolbox/random.h"
#include "worker/toolbox/uuid.h"

enum { STOCK_BYTES = 32 * UUID_BYTES, STATUS_BAD_REQUEST = 400 };

struct uuid_source {
    struct uuid_order order;
    size_t left; /* of the stock */
    uint8_t stock[STOCK_BYTES];
};

static void take_random(lua_State *L, struct uuid_source *source, uint8_t bytes[UUID_BYTES])
{
    if (source->left == 0) {
        random_fill(L, source->stock, STOCK_BYTES);
        source->left = STOCK_BYTES;
    }
    source->left -= UUID_BYTES;
    memcpy(bytes, source->stock + source->left, UUID_BYTES);
    memset(source->stock + source->left, 0, UUID_BYTES);
}

static int push_text(lua_State *L, const uint8_t bytes[UUID_BYTES])
{
    char text[UUID_TEXT_LEN];
    uuid_format(bytes, text);
    lua_pushlstring(L, text, sizeof(text));
    return 1;
}

static int v4(lua_State *L)
{
    uint8_t bytes[UUID_BYTES];
    take_random(L, lua_touserdata(L, lua_upvalueindex(1)), bytes);
    uuid_make_v4(bytes);
    return push_text(L, bytes);
}

static int v7(lua_State *L)
{
    struct uuid_source *source = lua_touserdata(L, lua_upvalueindex(1));
    uint8_t bytes[UUID_BYTES];
    take_random(L, source, bytes);
    uuid_make_v7(&source->order, clock_wall_us() / 1000, bytes);
    return push_text(L, bytes);
}

static int is_uuid(lua_State *L)
{
    uint8_t bytes[UUID_BYTES];
    size_t len = 0;
    luaL_checkany(L, 1);
    const char *text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &len) : NULL;
    lua_pushboolean(L, text != NULL && uuid_parse(text, len, bytes));
    return 1;
}

static int parse(lua_State *L)
{
    uint8_t bytes[UUID_BYTES];
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    if (!uuid_parse(text, len, bytes)) {
        error_raise(L, "UuidError", "uuid.parse", STATUS_BAD_REQUEST, "that is no UUID");
    }
    unsigned version = bytes[6] >> 4;
    lua_createtable(L, 0, 4);
    (void)push_text(L, bytes);
    lua_setfield(L, -2, "text");
    lua_pushlstring(L, (const char *)bytes, UUID_BYTES);
    lua_setfield(L, -2, "bytes");
    lua_pushinteger(L, (lua_Integer)version);
    lua_setfield(L, -2, "version");
    if (version == 7) {
        uint64_t at_ms = 0;
        for (unsigned i = 0; i < 6; i++) {
            at_ms = at_ms << 8 | bytes[i];
        }
        lua_pushnumber(L, (lua_Number)at_ms / 1000);
        lua_setfield(L, -2, "time");
    }
    return 1;
}

static int format(lua_State *L)
{
    size_t len;
    const char *bytes = luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, len == UUID_BYTES, 1, "must be 16 bytes");
    return push_text(L, (const uint8_t *)bytes);
}

static const luaL_Reg functions[] = {
    {"v4", v4}, {"v7", v7}, {"is", is_uuid}, {"parse", parse}, {"format", format}, {NULL, NULL},
};

int luaopen_fsd_uuid(lua_State *L)
{
    luaL_newlibtable(L, functions);
    struct uuid_source *source = lua_newuserdatauv(L, sizeof(*source), 0);
    *source = (struct uuid_source){0};
    luaL_setfuncs(L, functions, 1);
    return 1;
}
