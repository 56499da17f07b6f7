/* request_negotiate.c - what the client likes, and what it sends:
 *   req:accepts([type...]) -> the best of them as it was given, or false; without types the list of what is accepted
 *   req:accepts_charsets  req:accepts_encodings  req:accepts_languages                       in the same way
 *   req:is([type...]) -> the type that the body has, or false; nil without a body
 * Owns nothing; text/accept.c and text/media_type.c know the rules.  Types may be given by short names ("json"), and all of them in one
 * list.  Called from Lua, through the class that request.c makes. */
#include "worker/http/request/request_negotiate.h"

#include <h2o.h>
#include <lauxlib.h>
#include <string.h>

#include "worker/core/value.h"
#include "worker/http/exchange.h"
#include "worker/http/request/request.h"
#include "worker/http/request/request_headers.h"
#include "worker/http/text/accept.h"
#include "worker/http/text/header_text.h"
#include "worker/http/text/media_type.h"
#include "worker/http/text/type_text.h"

enum { OFFERS_MAX = 64 };

static const char *const headers[] = {
    [ACCEPT_TYPE] = "accept",
    [ACCEPT_CHARSET] = "accept-charset",
    [ACCEPT_ENCODING] = "accept-encoding",
    [ACCEPT_LANGUAGE] = "accept-language",
};

/* Puts the arguments on the stack one by one: they, or the one list they are.  Returns how many there are, from index 2 on. */
static int spread_arguments(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TTABLE) {
        luaL_argcheck(L, lua_rawlen(L, 2) <= OFFERS_MAX, 2, "more than 64 of them");
        lua_settop(L, 2);
        luaL_checkstack(L, OFFERS_MAX + LUA_MINSTACK, NULL);
        int count = (int)lua_rawlen(L, 2);
        for (int i = 1; i <= count; i++) {
            lua_rawgeti(L, 2, i);
            luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 2, "a list of strings expected");
        }
        lua_remove(L, 2);
        return count;
    }
    int count = lua_gettop(L) - 1;
    luaL_argcheck(L, count <= OFFERS_MAX, OFFERS_MAX + 2, "more than 64 of them");
    for (int i = 0; i < count; i++) {
        luaL_checktype(L, i + 2, LUA_TSTRING);
    }
    return count;
}

/* A type without its parameters; the short name of one means that. */
static struct parameter_text find_type(const char *word, size_t len)
{
    if (memchr(word, '/', len) != NULL) {
        return (struct parameter_text){.bytes = word, .len = len};
    }
    const char *type = header_text_find_type(word[0] == '.' ? word + 1 : word);
    if (type == NULL) {
        return (struct parameter_text){.bytes = NULL, .len = 0};
    }
    return (struct parameter_text){.bytes = type, .len = type_text_essence_len(type, strlen(type))};
}

static int push_all(lua_State *L, struct accept *accept)
{
    unsigned count = accept_sort(accept);
    lua_createtable(L, (int)count, 0);
    for (unsigned i = 0; i < count; i++) {
        lua_pushlstring(L, accept->entries[i].value.bytes, accept->entries[i].value.len);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    value_push_array_mark(L);
    lua_setmetatable(L, -2);
    return 1;
}

/* The offers at index 2 and behind; a word that means no type is passed over. */
static int push_best(lua_State *L, const struct accept *accept, int count)
{
    struct parameter_text offers[OFFERS_MAX];
    int places[OFFERS_MAX];
    size_t known = 0;
    for (int i = 0; i < count; i++) {
        size_t len;
        const char *text = lua_tolstring(L, i + 2, &len);
        struct parameter_text offer = {.bytes = text, .len = len};
        if (accept->kind == ACCEPT_TYPE) {
            offer = find_type(text, len);
        }
        if (offer.bytes != NULL) {
            offers[known] = offer;
            places[known++] = i + 2;
        }
    }
    int chosen = accept_choose(accept, offers, known);
    if (chosen < 0) {
        lua_pushboolean(L, 0);
    } else {
        lua_pushvalue(L, places[chosen]);
    }
    return 1;
}

static int negotiate(lua_State *L, enum accept_kind kind)
{
    struct exchange *exchange = request_check(L);
    int count = spread_arguments(L);
    size_t len;
    const char *header = request_push_header_text(L, exchange, headers[kind], &len);
    if (kind == ACCEPT_TYPE && len == 0 && count > 0) { /* no wish: the first */
        lua_pushvalue(L, 2);
        return 1;
    }
    struct accept accept;
    accept_parse(&accept, kind, header, len);
    return count == 0 ? push_all(L, &accept) : push_best(L, &accept, count);
}

static int request_accepts(lua_State *L)
{
    return negotiate(L, ACCEPT_TYPE);
}

static int request_accepts_charsets(lua_State *L)
{
    return negotiate(L, ACCEPT_CHARSET);
}

static int request_accepts_encodings(lua_State *L)
{
    return negotiate(L, ACCEPT_ENCODING);
}

static int request_accepts_languages(lua_State *L)
{
    return negotiate(L, ACCEPT_LANGUAGE);
}

/* Whether the body's type is what the word at index means: a type, "json", "multipart", "urlencoded", "+json". */
static bool is_type(lua_State *L, const char *type, int index)
{
    size_t len;
    const char *word = lua_tolstring(L, index, &len);
    if (strcmp(word, "multipart") == 0) {
        return media_type_matches(type, "multipart/*");
    }
    if (word[0] == '+') {
        return media_type_matches(type, lua_pushfstring(L, "*/*%s", word));
    }
    struct parameter_text expected =
        strcmp(word, "urlencoded") == 0 ? find_type("form", 4) : find_type(word, len);
    return expected.bytes != NULL &&
           media_type_matches(type, lua_pushlstring(L, expected.bytes, expected.len));
}

static int request_is(lua_State *L)
{
    struct exchange *exchange = request_check(L);
    int count = spread_arguments(L);
    const struct view *view = &exchange->view;
    char type[MEDIA_TYPE_MAX];
    char scratch[VIEW_SCRATCH_MAX];
    if (!view->has_content_length && !view->has_transfer_encoding) {
        lua_pushnil(L);
        return 1;
    }
    h2o_iovec_t header = view_header(view, H2O_STRLIT("content-type"), scratch);
    if (header.base == NULL || media_type_parse(header.base, header.len, type) == 0) {
        lua_pushboolean(L, 0);
        return 1;
    }
    bool found = count == 0;
    const char *word = "*";
    for (int i = 0; i < count && !found; i++) {
        found = is_type(L, type, i + 2);
        lua_settop(L, count + 1);
        word = lua_tostring(L, i + 2);
    }
    if (!found) {
        lua_pushboolean(L, 0);
    } else {
        bool is_pattern = word[0] == '+' || strchr(word, '*') != NULL;
        lua_pushstring(L, is_pattern ? type : word);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"accepts", request_accepts},
    {"accepts_charsets", request_accepts_charsets},
    {"accepts_encodings", request_accepts_encodings},
    {"accepts_languages", request_accepts_languages},
    {"is", request_is},
    {NULL, NULL},
};

void request_negotiate_register(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}
