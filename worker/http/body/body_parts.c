/* body_parts.c - the parts of a multipart body, one after the other:
 *   core.parts(req, boundary) -> parts
 *   core.next_part(req, parts, header_pairs) -> first, len, headers, name, filename    nothing behind the last one
 * Owns where the reading stands, a userdata.  A part is offsets into the body, so that none of its bytes is copied before
 * somebody wants them; a long search takes breaths.
 * Called by lua/fsd/http/multipart.lua, which knows the limits.  Must not know the syntax (multipart.c, disposition.c). */
#include "worker/http/body/body_parts.h"

#include <errno.h>
#include <lauxlib.h>

#include "worker/core/error.h"
#include "worker/core/stdlib/breath.h"
#include "worker/http/body/body_bytes.h"
#include "worker/http/body/disposition.h"
#include "worker/http/body/multipart.h"

enum { AT_PARTS = 2, AT_PAIRS, AT_HEADERS, AT_NAME, AT_FILENAME, PIECE = 512 * 1024 };

static const char metatable[] = "fsd.body.parts";

int body_parts(lua_State *L)
{
    size_t len = 0;
    const char *boundary = luaL_checklstring(L, 2, &len);
    struct multipart *multipart = lua_newuserdatauv(L, sizeof(*multipart), 0);
    if (multipart_init(multipart, boundary, len) < 0) {
        error_raise(L, "HttpError", "entity.parse.failed", 400,
                    "the boundary of the multipart body is not valid");
    }
    luaL_newmetatable(L, metatable);
    lua_setmetatable(L, -2);
    return 1;
}

static _Noreturn void refuse(lua_State *L, const char *reason)
{
    error_raise(L, "HttpError", "entity.parse.failed", 400, "the multipart body is malformed: %s",
                reason);
}

static void push_lower(lua_State *L, struct body_text text)
{
    luaL_Buffer buf;
    luaL_buffinit(L, &buf);
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.bytes[i];
        luaL_addchar(&buf, (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte));
    }
    luaL_pushresult(&buf);
}

static void push_optional(lua_State *L, struct body_text text)
{
    if (text.bytes != NULL) {
        lua_pushlstring(L, text.bytes, text.len);
    } else {
        lua_pushnil(L);
    }
}

/* Leaves name and filename at their places. */
static void read_disposition(lua_State *L)
{
    struct disposition found;
    size_t len = 0;
    lua_getfield(L, AT_HEADERS, "content-disposition");
    const char *text = lua_tolstring(L, -1, &len);
    lua_settop(L, AT_FILENAME + 1); /* name, filename: nil until now; and the text */
    if (text == NULL) {
        return;
    }
    char *buf = lua_newuserdatauv(L, 3 * len + 1, 0);
    if (disposition_parse(text, len, buf, &found) < 0) {
        refuse(L, "the Content-Disposition of a part");
    }
    if (found.is_form_data) {
        push_optional(L, found.name);
        lua_replace(L, AT_NAME);
        push_optional(L, found.filename);
        lua_replace(L, AT_FILENAME);
    }
}

/* Fills the table at AT_HEADERS. */
static void read_headers(lua_State *L, struct body_text head, lua_Integer pairs_max)
{
    struct body_text name;
    struct body_text value;
    int r;
    lua_Integer count = 0;
    while ((r = multipart_next_header(&head, &name, &value)) == 1) {
        if (++count > pairs_max) {
            error_raise(L, "HttpError", "LIMIT_HEADER_PAIRS", 413,
                        "a part has more than %I headers", (LUAI_UACINT)pairs_max);
        }
        push_lower(L, name);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, AT_HEADERS) != LUA_TNIL) {
            refuse(L, "a part has the same header twice");
        }
        lua_pop(L, 1);
        lua_pushlstring(L, value.bytes, value.len);
        lua_rawset(L, AT_HEADERS);
    }
    if (r < 0) {
        refuse(L, "a header of a part");
    }
}

static int go_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct multipart *multipart = lua_touserdata(L, AT_PARTS);
    struct multipart_part part;
    int r;
    struct body_text body;
    while ((r = multipart_next(multipart, (body = body_bytes(L)), PIECE, &part)) == -EAGAIN) {
        breath_take(L, 0, go_on);
    }
    if (r < 0) {
        refuse(L, multipart->reason);
    }
    if (r == 0) {
        return 0;
    }
    lua_Integer first = part.data.bytes - body.bytes;
    lua_newtable(L);
    lua_pushnil(L);
    lua_pushnil(L);
    read_headers(L, part.head, lua_tointeger(L, AT_PAIRS));
    read_disposition(L);
    lua_settop(L, AT_FILENAME);
    lua_pushinteger(L, first);
    lua_insert(L, AT_HEADERS);
    lua_pushinteger(L, (lua_Integer)part.data.len);
    lua_insert(L, AT_HEADERS + 1);
    return 5;
}

int body_next_part(lua_State *L)
{
    (void)luaL_checkudata(L, AT_PARTS, metatable);
    (void)luaL_checkinteger(L, AT_PAIRS);
    lua_settop(L, AT_PAIRS);
    return go_on(L, LUA_OK, 0);
}
