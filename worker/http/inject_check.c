/* inject_check.c - the arguments of own.inject: what cannot stand in a request is refused before anything is made.
 * Owns nothing.
 * Called by inject.c.  Must not know how the request is run. */
#include "worker/http/inject_check.h"

#include <lauxlib.h>
#include <netinet/in.h>
#include <string.h>

#include "common/address.h"
#include "worker/core/runtime.h"
#include "worker/http/text/header_text.h"

static void check_target(lua_State *L, int index)
{
    size_t len;
    const char *text = luaL_checklstring(L, index, &len);
    luaL_argcheck(L, len > 0 && (text[0] == '/' || strcmp(text, "*") == 0), index,
                  "url must begin with a /");
    for (size_t i = 0; i < len; i++) {
        luaL_argcheck(L, (unsigned char)text[i] > 0x20 && text[i] != 0x7f, index,
                      "url has a blank or a control character");
    }
}

/* A flat list of names and values. */
static void check_headers(lua_State *L, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);
    for (lua_Integer i = 1; i < count; i += 2) {
        size_t len;
        size_t value_len;
        lua_rawgeti(L, index, i);
        lua_rawgeti(L, index, i + 1);
        luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING, index,
                      "headers are strings");
        const char *name = lua_tolstring(L, -2, &len);
        const char *value = lua_tolstring(L, -1, &value_len);
        luaL_argcheck(L, header_text_is_name(name, len) && header_text_is_value(value, value_len),
                      index, "a header has a character that a request can't have");
        lua_pop(L, 2);
    }
}

static void read_peer(lua_State *L, int index, struct sockaddr_storage *ret_peer)
{
    struct address address;
    size_t len;
    const char *text = luaL_optlstring(L, index, "127.0.0.1", &len);
    luaL_argcheck(L, address_parse(text, len, &address) == 0, index,
                  "remote_address must be an IP address");
    *ret_peer = (struct sockaddr_storage){.ss_family = AF_INET6};
    struct sockaddr_in6 *in6 = (void *)ret_peer;
    struct sockaddr_in *in = (void *)ret_peer;
    if (memchr(text, ':', len) != NULL) {
        memcpy(&in6->sin6_addr, address.bytes, sizeof(address.bytes));
    } else {
        ret_peer->ss_family = AF_INET;
        memcpy(&in->sin_addr, address.bytes + 12, 4);
    }
}

void inject_check(lua_State *L, struct sockaddr_storage *ret_peer)
{
    size_t len;
    const char *method = luaL_checklstring(L, 2, &len);
    luaL_argcheck(L, header_text_is_name(method, len), 2, "method must be a word");
    check_target(L, 3);
    check_headers(L, 4);
    (void)luaL_optlstring(L, 5, NULL, NULL);
    read_peer(L, 6, ret_peer);
    luaL_argcheck(L, luaL_checkinteger(L, 7) >= 0, 7, "a limit cannot be negative");
    luaL_argcheck(L, runtime_of(L)->http != NULL, 1, "this worker serves no requests");
}
