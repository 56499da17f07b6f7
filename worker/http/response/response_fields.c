/* response_fields.c - headers of an answer that have a form of their own.
 *   res:type(word)      res:location(url)      res:vary(names | {names})      res:links{ next = url | {urls} }
 *   res:attachment([filename])      res:no_compress()                                                            -> res
 * Owns nothing.  The forms are those of Express: text/ has them, and here is what Lua gives and libh2o takes.  URLs and file names are
 * escaped; anything else that can't stand in a head raises.
 * Called by response.c and response_redirect.c.  Must not know how an answer is sent. */
#include "worker/http/response/response_fields.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/http/exchange.h"
#include "worker/http/response/compress.h"
#include "worker/http/response/response.h"
#include "worker/http/response/response_headers.h"
#include "worker/http/text/disposition.h"
#include "worker/http/text/header_text.h"
#include "worker/http/text/mime.h"
#include "worker/http/text/url_text.h"
#include "worker/http/text/vary.h"

static int return_self(lua_State *L)
{
    lua_settop(L, 1);
    return 1;
}

int response_fields_type(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    size_t len;
    const char *type = luaL_checklstring(L, 2, &len);
    const char *dot = strchr(type, '/') == NULL ? strrchr(type, '.') : NULL; /* ".html" */
    const char *known = header_text_find_type(dot != NULL ? dot + 1 : type);
    if (known != NULL) { /* a text of ours, which is as it has to be, and stays */
        if (response_headers_are_open(L, exchange)) {
            h2o_req_t *req = exchange->req;
            h2o_set_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, known,
                           strlen(known), 1);
        }
        return return_self(L);
    }
    luaL_argcheck(L, strchr(type, '/') != NULL, 2,
                  "neither a content type nor a name of one, such as \"json\"");
    luaL_argcheck(L, header_text_is_value(type, len), 2, "has control characters");
    if (response_headers_are_open(L, exchange)) {
        response_headers_set_type(L, exchange, type, len);
    }
    return return_self(L);
}

/* Replaces the string at index by the same as a URL that can stand in a head. */
static void escape_url(lua_State *L, int index)
{
    size_t len;
    luaL_Buffer buffer;
    const char *url = luaL_checklstring(L, index, &len);
    char *room = luaL_buffinitsize(L, &buffer, URL_TEXT_MAX(len));
    luaL_pushresultsize(&buffer, url_text_escape(url, len, room));
    lua_replace(L, index);
}

void response_fields_set_location(lua_State *L, struct exchange *exchange, int index)
{
    size_t len;
    lua_pushvalue(L, index);
    escape_url(L, lua_gettop(L));
    const char *url = lua_tolstring(L, -1, &len);
    response_headers_put(exchange->req, "location", h2o_iovec_init(url, len));
}

int response_fields_location(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    luaL_checkstring(L, 2);
    if (response_headers_are_open(L, exchange)) {
        response_fields_set_location(L, exchange, 2);
    }
    return return_self(L);
}

static int add_vary(struct exchange *exchange, const char *names, size_t len)
{
    h2o_iovec_t header = response_headers_join(exchange->req, "vary");
    size_t vary_len;
    char *vary = h2o_mem_alloc_pool(&exchange->req->pool, VARY_MAX(header.len, len));
    int error = vary_add(header.base, header.len, names, len, vary, &vary_len);
    if (error == 0) {
        response_headers_put(exchange->req, "vary", h2o_iovec_init(vary, vary_len));
    }
    return error;
}

void response_fields_add_vary(struct exchange *exchange, const char *names)
{
    (void)add_vary(exchange, names, strlen(names)); /* fails for what is no name only */
}

static void check_vary(lua_State *L, struct exchange *exchange, int index)
{
    size_t len;
    const char *names = luaL_checklstring(L, index, &len);
    if (add_vary(exchange, names, len) != 0) {
        luaL_error(L, "cannot set header \"vary\": what stands there is no header's name");
    }
}

int response_fields_vary(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    bool is_list = lua_type(L, 2) == LUA_TTABLE;
    if (!is_list) {
        luaL_checkstring(L, 2);
    }
    if (!response_headers_are_open(L, exchange)) {
        return return_self(L);
    }
    if (!is_list) {
        check_vary(L, exchange, 2);
        return return_self(L);
    }
    lua_Integer count = luaL_len(L, 2);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, 2, i);
        check_vary(L, exchange, lua_gettop(L));
        lua_pop(L, 1);
    }
    return return_self(L);
}

/* Appends `<url>; rel="rel"` to what stands at result; the URL is on the top, and taken. */
static void add_link(lua_State *L, int result, const char *rel)
{
    const char *joint = lua_rawlen(L, result) > 0 ? ", " : "";
    int url = lua_gettop(L);
    if (lua_type(L, url) != LUA_TSTRING) {
        luaL_error(L, "res:links: the link of \"%s\" is a %s, not a URL", rel,
                   luaL_typename(L, url));
    }
    escape_url(L, url);
    lua_pushfstring(L, "%s%s<%s>; rel=\"%s\"", lua_tostring(L, result), joint, lua_tostring(L, url),
                    rel);
    lua_replace(L, result);
    lua_pop(L, 1);
}

/* A relation, or several with blanks between, as it stands in quotes. */
static const char *check_rel(lua_State *L, int index)
{
    size_t len;
    if (lua_type(L, index) != LUA_TSTRING) {
        luaL_error(L, "res:links: a relation's name must be a string");
    }
    const char *rel = lua_tolstring(L, index, &len);
    if (len == 0 || !header_text_is_value(rel, len) || strpbrk(rel, "\"\\") != NULL) {
        luaL_error(L, "res:links: a relation has a character that can't stand in a header");
    }
    return rel;
}

/* A table has no order: the relations are sorted, so that an answer is the same each time.  Pushes the list. */
static lua_Integer push_sorted_keys(lua_State *L, int table)
{
    lua_Integer count = 0;
    lua_newtable(L);
    int list = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        const char *rel = check_rel(L, -1);
        lua_Integer at = ++count;
        for (; at > 1; at--) { /* they are few */
            lua_rawgeti(L, list, at - 1);
            bool is_sorted = strcmp(lua_tostring(L, -1), rel) <= 0;
            if (is_sorted) {
                lua_pop(L, 1);
                break;
            }
            lua_rawseti(L, list, at);
        }
        lua_pushvalue(L, -1);
        lua_rawseti(L, list, at);
    }
    return count;
}

/* Appends the links of all relations to the string at result. */
static void add_links(lua_State *L, int table, int result)
{
    lua_Integer count = push_sorted_keys(L, table);
    int keys = lua_gettop(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, keys, i);
        const char *rel = lua_tostring(L, -1);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, table) != LUA_TTABLE) {
            add_link(L, result, rel);
            lua_settop(L, keys);
            continue;
        }
        int urls = lua_gettop(L);
        lua_Integer url_count = (lua_Integer)lua_rawlen(L, urls);
        for (lua_Integer k = 1; k <= url_count; k++) {
            lua_rawgeti(L, urls, k);
            add_link(L, result, rel);
        }
        lua_settop(L, keys);
    }
    lua_settop(L, keys - 1);
}

int response_fields_links(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    if (!response_headers_are_open(L, exchange)) {
        return return_self(L);
    }
    lua_settop(L, 2);
    h2o_iovec_t link = response_headers_join(exchange->req, "link");
    lua_pushlstring(L, link.base, link.len);
    add_links(L, 2, 3);
    size_t len;
    const char *text = lua_tolstring(L, 3, &len);
    if (len > 0) {
        response_headers_put(exchange->req, "link", h2o_iovec_init(text, len));
    }
    return return_self(L);
}

int response_fields_attachment(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    size_t len = 0;
    const char *path = luaL_optlstring(L, 2, NULL, &len);
    if (!response_headers_are_open(L, exchange)) {
        return return_self(L);
    }
    const char *name = path != NULL ? disposition_base_name(path, len, &len) : NULL;
    char *text = h2o_mem_alloc_pool(&exchange->req->pool, DISPOSITION_MAX(len));
    size_t text_len = disposition_format(name, len, text);
    if (len > 0) {
        const char *known = mime_of_name(name, len);
        const char *type = known != NULL ? known : MIME_UNKNOWN;
        response_headers_set_type(L, exchange, type, strlen(type));
    }
    response_headers_put(exchange->req, "content-disposition", h2o_iovec_init(text, text_len));
    return return_self(L);
}

int response_fields_no_compress(lua_State *L)
{
    struct exchange *exchange = response_check(L);
    if (response_headers_are_open(L, exchange)) {
        compress_forbid(exchange->req);
    }
    return return_self(L);
}
