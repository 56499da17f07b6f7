/* cookies.c - what clients keep for us, as the packages cookie and cookie-parser do it for Express:
 *   req.cookies  req.signed_cookies
 *   res:cookie(name, value [, options])  res:clear_cookie(name [, options])      -> res
 * Owns nothing.  A value that begins with "j:" is JSON, one with "s:" is signed (cookie_sign.c): signed ones are in
 * req.signed_cookies only, false when the signature is wrong.  text/cookie_text.c reads and writes, and refuses what could end a header.
 * Called from Lua, through the classes that request.c and response.c make. */
#include "worker/http/cookies.h"

#include <h2o.h>
#include <lauxlib.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "common/clock.h"
#include "common/err.h"
#include "worker/core/error.h"
#include "worker/core/json/json.h"
#include "worker/core/options.h"
#include "worker/http/cookie_sign.h"
#include "worker/http/exchange.h"
#include "worker/http/request/request_headers.h"
#include "worker/http/response/response.h"
#include "worker/http/response/response_headers.h"
#include "worker/http/service.h"
#include "worker/http/text/cookie_text.h"
#include "worker/http/text/http_date.h"

enum { OPTIONS = 4, EXPIRES_MAX = HTTP_DATE_LEN + 1 };

static bool begins_with(struct parameter_text text, const char *prefix)
{
    return text.len >= 2 && memcmp(text.bytes, prefix, 2) == 0;
}

/* Pushes a value; one that is JSON is decoded.  As in cookie-parser, JSON that is null, false, 0 or "" stays what it was. */
static void push_value(lua_State *L, struct parameter_text text)
{
    struct fsd_err err;
    if (begins_with(text, "j:") && json_decode(L, text.bytes + 2, text.len - 2, NULL, &err) == 0) {
        bool is_empty = !lua_toboolean(L, -1) ||
                        (lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == 0) ||
                        (lua_type(L, -1) == LUA_TSTRING && lua_rawlen(L, -1) == 0);
        if (!is_empty) {
            return;
        }
        lua_pop(L, 1);
    }
    lua_pushlstring(L, text.bytes, text.len);
}

static void push_signed(lua_State *L, int secrets, struct parameter_text text)
{
    struct parameter_text value = {.bytes = text.bytes + 2, .len = 0};
    if (cookie_sign_check(L, secrets, value.bytes, text.len - 2, &value.len)) {
        push_value(L, value);
    } else {
        lua_pushboolean(L, 0);
    }
}

/* Pushes the table of those that are signed, or of those that are not; secrets 0: none is known, so none is signed. */
static void push_table(lua_State *L, const struct exchange *exchange, int secrets, bool is_signed)
{
    size_t len;
    const char *header = request_push_header_text(L, exchange, "cookie", &len);
    lua_newtable(L);
    int table = lua_gettop(L);
    if (header == NULL) {
        return;
    }
    char *room = lua_newuserdatauv(L, len + 1, 0);
    struct cookie_text cookies;
    struct parameter_text name;
    struct parameter_text value;
    cookie_text_init(&cookies, header, len);
    while (cookie_text_next(&cookies, &name, &value)) {
        value.len = cookie_text_decode(value.bytes, value.len, room);
        value.bytes = room;
        bool has_signature = secrets != 0 && begins_with(value, "s:");
        lua_pushlstring(L, name.bytes, name.len);
        lua_pushvalue(L, -1);
        bool is_first = lua_rawget(L, table) == LUA_TNIL;
        lua_pop(L, 1);
        if (is_first && has_signature == is_signed) {
            has_signature ? push_signed(L, secrets, value) : push_value(L, value);
            lua_rawset(L, table);
        }
        lua_settop(L, table + 1);
    }
    lua_settop(L, table);
}

/* Leaves the table alone above the two that are at index 1 and 2 and what stood above. */
static void push_cookies(lua_State *L, const struct exchange *exchange, bool is_signed)
{
    int base = lua_gettop(L) + 1;
    bool has_secret = cookie_sign_push_secrets(L, exchange);
    if (is_signed && !has_secret) {
        luaL_error(L, "req.signed_cookies needs a secret: app:set(\"secret\", text)");
    }
    push_table(L, exchange, has_secret ? base : 0, is_signed);
    lua_replace(L, base);
    lua_settop(L, base);
}

void cookies_push(lua_State *L, struct exchange *exchange)
{
    push_cookies(L, exchange, false);
}

void cookies_push_signed(lua_State *L, struct exchange *exchange)
{
    push_cookies(L, exchange, true);
}

static int refuse(lua_State *L, const char *name, const char *reason)
{
    return luaL_error(L, "cannot set cookie \"%s\": %s", name, reason);
}

/* Pushes an option and returns its type, nil without options. */
static int push_option(lua_State *L, const char *option)
{
    if (lua_type(L, OPTIONS) != LUA_TTABLE) {
        lua_pushnil(L);
        return LUA_TNIL;
    }
    return lua_getfield(L, OPTIONS, option);
}

static struct parameter_text read_text(lua_State *L, const char *name, const char *option,
                                       const char *otherwise)
{
    int type = push_option(L, option);
    if (type == LUA_TNIL) {
        return (struct parameter_text){.bytes = otherwise, .len = strlen(otherwise)};
    }
    if (type != LUA_TSTRING) {
        refuse(L, name, lua_pushfstring(L, "%s must be a string", option));
    }
    size_t len;
    const char *text = lua_tolstring(L, -1, &len); /* the options hold it */
    return (struct parameter_text){.bytes = text, .len = len};
}

static bool read_flag(lua_State *L, const char *option)
{
    (void)push_option(L, option);
    bool is_set = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    return is_set;
}

/* One of some words, in any case; 0: it was not given, or false. */
static int read_word(lua_State *L, const char *name, const char *option, const char *const *words)
{
    (void)push_option(L, option);
    if (!lua_toboolean(L, -1)) {
        return 0;
    }
    const char *given = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
    for (int i = 1; words[i] != NULL; i++) {
        if (strcasecmp(given, words[i]) == 0) {
            return i;
        }
    }
    return refuse(L, name,
                  lua_pushfstring(L, "%s must be \"%s\", \"%s\" or \"%s\"", option, words[1],
                                  words[2], words[3]));
}

static void read_attributes(lua_State *L, const char *name, struct cookie_text_set *set)
{
    static const char *const same_sites[] = {"", "lax", "strict", "none", NULL};
    static const char *const priorities[] = {"", "low", "medium", "high", NULL};
    set->domain = read_text(L, name, "domain", "");
    set->path = read_text(L, name, "path", "/");
    set->is_http_only = read_flag(L, "http_only");
    set->is_secure = read_flag(L, "secure");
    set->is_partitioned = read_flag(L, "partitioned");
    set->priority = (enum cookie_text_priority)read_word(L, name, "priority", priorities);
    if (push_option(L, "same_site") == LUA_TBOOLEAN && lua_toboolean(L, -1)) {
        set->same_site = COOKIE_TEXT_SAME_SITE_STRICT;
    } else {
        set->same_site = (enum cookie_text_same_site)read_word(L, name, "same_site", same_sites);
    }
}

static void set_expires(struct cookie_text_set *set, int64_t seconds, char text[EXPIRES_MAX])
{
    http_date_format(seconds, text);
    set->expires = (struct parameter_text){.bytes = text, .len = HTTP_DATE_LEN};
}

/* max_age goes before expires; both are said then, for browsers that know only one. */
static void read_times(lua_State *L, const char *name, struct cookie_text_set *set,
                       char text[EXPIRES_MAX])
{
    const lua_Number most = 1e12; /* 30,000 years, and exact as a double */
    int type = push_option(L, "max_age");
    if (type == LUA_TNIL) {
        type = push_option(L, "expires");
        set->has_max_age = false;
    } else {
        set->has_max_age = true;
    }
    if (type == LUA_TNIL) {
        return;
    }
    lua_Number seconds = type == LUA_TNUMBER ? lua_tonumber(L, -1) : (lua_Number)NAN;
    if (!(seconds >= -most && seconds <= most)) {
        refuse(L, name, "max_age is a number of seconds, and expires a time as of os.time()");
    }
    set->max_age_s = (int64_t)floor(seconds);
    set_expires(set, set->max_age_s + (set->has_max_age ? (int64_t)(clock_wall_us() / 1000000) : 0),
                text);
}

/* Pushes what value stands for: the value at index 3 as text, tables as JSON. */
static struct parameter_text push_plain(lua_State *L, struct exchange *exchange, const char *name)
{
    struct parameter_text plain;
    if (lua_type(L, 3) == LUA_TTABLE) {
        struct json_buf *buf = &exchange->service->json;
        struct fsd_err err;
        buf->len = 0;
        if (json_encode(L, 3, buf, &err) != 0) {
            refuse(L, name, err.text);
        }
        lua_pushliteral(L, "j:");
        lua_pushlstring(L, buf->data, buf->len);
        lua_concat(L, 2);
    } else {
        (void)luaL_tolstring(L, 3, NULL);
    }
    plain.bytes = lua_tolstring(L, -1, &plain.len);
    if (plain.len > COOKIE_TEXT_MAX) {
        refuse(L, name, "it is longer than 4096 bytes, and browsers would drop it");
    }
    return plain;
}

/* The text signed, if that is asked for; pushes it. */
static struct parameter_text push_with_signature(lua_State *L, const struct exchange *exchange,
                                                 const char *name, struct parameter_text plain)
{
    if (!read_flag(L, "signed")) {
        return plain;
    }
    char signature[COOKIE_SIGN_MAX];
    if (!cookie_sign_push_secrets(L, exchange)) {
        refuse(L, name, "signed needs a secret: app:set(\"secret\", text)");
    }
    cookie_sign_make(L, lua_gettop(L), plain.bytes, plain.len, signature);
    lua_pushliteral(L, "s:");
    lua_pushlstring(L, plain.bytes, plain.len);
    lua_pushliteral(L, ".");
    lua_pushlstring(L, signature, COOKIE_SIGN_MAX);
    lua_concat(L, 4);
    plain.bytes = lua_tolstring(L, -1, &plain.len);
    return plain;
}

/* Encodes by the application's function, or as encodeURIComponent; pushes the text. */
static struct parameter_text push_encoded(lua_State *L, const char *name,
                                          struct parameter_text plain)
{
    struct parameter_text encoded;
    int type = push_option(L, "encode");
    if (type == LUA_TNIL) {
        char *room = lua_newuserdatauv(L, 3 * plain.len + 1, 0);
        encoded.len = cookie_text_encode(plain.bytes, plain.len, room);
        encoded.bytes = room;
        return encoded;
    }
    if (type != LUA_TFUNCTION) {
        refuse(L, name, "encode must be a function");
    }
    lua_pushlstring(L, plain.bytes, plain.len);
    lua_call(L, 1, 1);
    if (lua_type(L, -1) != LUA_TSTRING) {
        refuse(L, name, "encode must return a string");
    }
    encoded.bytes = lua_tolstring(L, -1, &encoded.len);
    return encoded;
}

static void check_arguments(lua_State *L, const char *what)
{
    static const char *const names[] = {"domain",    "path",   "expires",   "max_age",
                                        "http_only", "secure", "same_site", "partitioned",
                                        "priority",  "signed", "encode"};
    if (!lua_isnoneornil(L, OPTIONS)) {
        luaL_checktype(L, OPTIONS, LUA_TTABLE);
        options_check(L, OPTIONS, what, names, sizeof(names) / sizeof(names[0]));
    }
}

/* Stack: res, name, value, options. */
static int add_cookie(lua_State *L, bool clears)
{
    struct exchange *exchange = response_check(L);
    struct cookie_text_set set = {.has_max_age = false};
    char expires[EXPIRES_MAX];
    char header[COOKIE_TEXT_MAX];
    luaL_checkstack(L, 2 * LUA_MINSTACK, NULL);
    const char *name = luaL_checklstring(L, 2, &set.name.len);
    set.name.bytes = name;
    read_attributes(L, name, &set);
    if (clears) {
        set_expires(&set, 0, expires);
    } else {
        read_times(L, name, &set, expires);
    }
    struct parameter_text plain = push_plain(L, exchange, name);
    set.value = push_encoded(L, name, push_with_signature(L, exchange, name, plain));
    const char *fault = cookie_text_find_fault(&set);
    if (fault != NULL) {
        refuse(L, name, fault);
    }
    size_t len = cookie_text_format(&set, header);
    if (len == 0) {
        refuse(L, name, "it is longer than 4096 bytes, and browsers would drop it");
    }
    if (response_headers_are_open(L, exchange)) {
        response_headers_add(exchange->req, "set-cookie", h2o_iovec_init(header, len));
    }
    lua_settop(L, 1);
    return 1;
}

/* res:cookie(name, value [, options]) */
int cookies_set(lua_State *L)
{
    (void)response_check(L);
    luaL_argcheck(L, !lua_isnoneornil(L, 3), 3,
                  "a value expected; res:clear_cookie takes one away");
    lua_settop(L, OPTIONS);
    check_arguments(L, "res:cookie");
    return add_cookie(L, false);
}

/* res:clear_cookie(name [, options]): domain and path must be those that it was set with */
int cookies_clear(lua_State *L)
{
    (void)response_check(L);
    lua_settop(L, 3);
    lua_pushliteral(L, "");
    lua_insert(L, 3);
    check_arguments(L, "res:clear_cookie");
    return add_cookie(L, true);
}
