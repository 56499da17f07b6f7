/* settings.c - what app:set can be told, and what each setting may be.
 * Owns the rows: a name, the check of its value, and where in struct settings C finds it.  A setting is checked when it is set, so that
 * a mistake is told with its line; names that are not in the rows are the application's own, as in Express.
 * Called by app_settings.c while an application loads, and when it is mounted.  Must not know where the Lua values are kept. */
#include "worker/http/settings.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "common/nearest.h"
#include "common/parse.h"
#include "worker/core/runtime.h"
#include "worker/http/trust.h"

enum { VALUE = 3 }; /* the place of the value among the arguments of app:set, for messages */

static void refuse(lua_State *L, const char *name, const char *wanted, int index)
{
    const char *got = lua_type(L, index) == LUA_TSTRING
                          ? lua_pushfstring(L, "\"%s\"", lua_tostring(L, index))
                          : luaL_tolstring(L, index, NULL);
    luaL_argerror(L, VALUE, lua_pushfstring(L, "%s must be %s, got %s", name, wanted, got));
}

static void read_bool(lua_State *L, const char *name, int index, void *ret)
{
    if (!lua_isboolean(L, index)) {
        refuse(L, name, "true or false", index);
    }
    *(bool *)ret = lua_toboolean(L, index) != 0;
}

static bool is_word(lua_State *L, int index, const char *word)
{
    return lua_type(L, index) == LUA_TSTRING && strcmp(lua_tostring(L, index), word) == 0;
}

static bool is_bool(lua_State *L, int index, bool value)
{
    return lua_isboolean(L, index) && (lua_toboolean(L, index) != 0) == value;
}

static void read_etag(lua_State *L, const char *name, int index, void *ret)
{
    enum settings_etag *etag = ret;
    if (lua_isfunction(L, index)) {
        *etag = SETTINGS_ETAG_FUNCTION;
    } else if (is_bool(L, index, true) || is_word(L, index, "weak")) {
        *etag = SETTINGS_ETAG_WEAK;
    } else if (is_word(L, index, "strong")) {
        *etag = SETTINGS_ETAG_STRONG;
    } else if (is_bool(L, index, false)) {
        *etag = SETTINGS_ETAG_OFF;
    } else {
        refuse(L, name, "\"weak\", \"strong\", false or a function", index);
    }
}

static void read_query_parser(lua_State *L, const char *name, int index, void *ret)
{
    enum settings_query_parser *parser = ret;
    if (lua_isfunction(L, index)) {
        *parser = SETTINGS_QUERY_FUNCTION;
    } else if (is_bool(L, index, true) || is_word(L, index, "simple")) {
        *parser = SETTINGS_QUERY_SIMPLE;
    } else if (is_word(L, index, "extended")) {
        *parser = SETTINGS_QUERY_EXTENDED;
    } else if (is_bool(L, index, false)) {
        *parser = SETTINGS_QUERY_OFF;
    } else {
        refuse(L, name, "\"simple\", \"extended\", false or a function", index);
    }
}

static void read_spaces(lua_State *L, const char *name, int index, void *ret)
{
    char *spaces = ret;
    size_t len;
    if (lua_isinteger(L, index)) {
        lua_Integer count = lua_tointeger(L, index);
        if (count < 0 || count > SETTINGS_SPACES_MAX) {
            refuse(L, name, "0 to 10, or a text of up to 10 bytes", index);
        }
        memset(spaces, ' ', (size_t)count);
        spaces[count] = '\0';
        return;
    }
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : NULL;
    if (text == NULL || len > SETTINGS_SPACES_MAX || strspn(text, " \t\r\n") != len) {
        refuse(L, name, "0 to 10, or up to 10 blanks and tabs", index);
        return;
    }
    memcpy(spaces, text, len + 1);
}

static void read_callback(lua_State *L, const char *name, int index, void *ret)
{
    size_t len;
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &len) : NULL;
    if (text == NULL || len == 0 || len > SETTINGS_CALLBACK_MAX || strlen(text) != len) {
        refuse(L, name, "the name of a query parameter", index);
        return;
    }
    memcpy(ret, text, len + 1);
}

static void read_count(lua_State *L, const char *name, int index, void *ret)
{
    if (!lua_isinteger(L, index) || lua_tointeger(L, index) < 0) {
        refuse(L, name, "a whole number, 0 or more", index);
    }
    *(uint64_t *)ret = (uint64_t)lua_tointeger(L, index);
}

/* Seconds, as everywhere in Lua. */
static void read_seconds(lua_State *L, const char *name, int index, void *ret)
{
    lua_Number seconds = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : 0;
    if (!(seconds >= 0.001 && seconds <= 86400)) {
        refuse(L, name, "seconds, 0.001 to 86400", index);
    }
    *(uint64_t *)ret = (uint64_t)llround(seconds * 1000);
}

static void read_bytes(lua_State *L, const char *name, int index, void *ret)
{
    uint64_t bytes = 0;
    if (lua_isinteger(L, index) && lua_tointeger(L, index) > 0) {
        bytes = (uint64_t)lua_tointeger(L, index);
    } else if (lua_type(L, index) == LUA_TSTRING) {
        (void)parse_size_bytes(lua_tostring(L, index), &bytes);
    }
    if (bytes == 0) {
        refuse(L, name, "bytes, or a text such as \"2MiB\"", index);
    }
    *(uint64_t *)ret = bytes;
}

static void read_text(lua_State *L, const char *name, int index, void *ret)
{
    (void)ret;
    if (lua_type(L, index) != LUA_TSTRING || lua_rawlen(L, index) == 0) {
        refuse(L, name, "a text", index);
    }
}

/* One text or a list of them. */
static void read_texts(lua_State *L, const char *name, int index, void *ret)
{
    if (!lua_istable(L, index)) {
        read_text(L, name, index, ret);
        return;
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, index);
    bool is_list = count > 0;
    for (lua_Integer i = 1; i <= count; i++) {
        is_list = is_list && lua_rawgeti(L, index, i) == LUA_TSTRING && lua_rawlen(L, -1) > 0;
    }
    lua_settop(L, index);
    if (!is_list) {
        refuse(L, name, "a text or a list of texts", index);
    }
}

static void read_truth(lua_State *L, const char *name, int index, void *ret)
{
    bool ignored;
    (void)ret;
    read_bool(L, name, index, &ignored);
}

static void read_trust(lua_State *L, const char *name, int index, void *ret)
{
    struct fsd_err err;
    if (trust_read(L, index, ret, &err) != 0) {
        luaL_argerror(L, VALUE,
                      lua_pushfstring(L,
                                      "%s must be true, false, a number of hops, addresses or a "
                                      "function: %s",
                                      name, err.text));
    }
}

static void read_elsewhere(lua_State *L, const char *name, int index, void *ret)
{
    (void)index;
    (void)ret;
    luaL_error(
        L,
        "%s is no setting of applications: the head is read before any of their code runs; see "
        "limits.header_bytes of the configuration",
        name);
}

/* A size of 0: only Lua has it. */
#define AT(field) offsetof(struct settings, field), sizeof(((struct settings *)0)->field)
static const struct row {
    const char *name;
    void (*read)(lua_State *L, const char *name, int index, void *ret);
    size_t offset;
    size_t size;
} rows[] = {
    {"case_sensitive_routing", read_bool, AT(case_sensitive_routing)},
    {"strict_routing", read_bool, AT(strict_routing)},
    {"method_not_allowed", read_bool, AT(method_not_allowed)},
    {"x_powered_by", read_bool, AT(x_powered_by)},
    {"etag", read_etag, AT(etag)},
    {"json_escape", read_bool, AT(json_escape)},
    {"json_spaces", read_spaces, AT(json_spaces)},
    {"jsonp_callback_name", read_callback, AT(jsonp_callback_name)},
    {"query_parser", read_query_parser, AT(query_parser)},
    {"subdomain_offset", read_count, AT(subdomain_offset)},
    {"request_timeout", read_seconds, AT(request_timeout_ms)},
    {"body_limit", read_bytes, AT(body_limit_bytes)},
    {"env", read_text, 0, 0},
    {"trust_proxy", read_trust, AT(trust)},
    {"views", read_texts, 0, 0},
    {"view_cache", read_truth, 0, 0},
    {"view_engine", read_text, 0, 0},
    {"secret", read_texts, 0, 0},
    {"max_header_size", read_elsewhere, 0, 0},
};
enum { ROW_COUNT = sizeof(rows) / sizeof(rows[0]) };
_Static_assert(ROW_COUNT <= 32, "settings.given has a bit for each row");

void settings_init(struct settings *settings)
{
    *settings = (struct settings){
        .method_not_allowed = true,
        .jsonp_callback_name = "callback",
        .subdomain_offset = 2,
    };
}

/* Express's own spelling, "trust proxy", would set something that nobody reads. */
static void check_spelling(lua_State *L, const char *name)
{
    const char *own = luaL_gsub(L, name, " ", "_");
    for (size_t i = 0; strcmp(own, name) != 0 && i < ROW_COUNT; i++) {
        if (strcmp(own, rows[i].name) == 0) {
            luaL_error(L, "there is no setting \"%s\"; write \"%s\"", name, own);
        }
    }
    lua_pop(L, 1);
}

static const struct row *find_row(const char *name)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *settings_find_nearest(const char *name)
{
    enum { LEN_MIN = 4, CUT_MAX = 2 }; /* shorter names are near to something by chance */
    const char *names[ROW_COUNT];
    size_t len = strlen(name);
    if (len < LEN_MIN || find_row(name) != NULL) {
        return NULL;
    }
    for (size_t i = 0; i < ROW_COUNT; i++) {
        names[i] = rows[i].name;
    }
    const char *found = nearest_find(name, names, ROW_COUNT);
    /* "body" is no body_limit that was cut short */
    return found != NULL && strlen(found) <= len + CUT_MAX ? found : NULL;
}

void settings_set(lua_State *L, struct settings *settings, const char *name, int index)
{
    const struct row *row = find_row(name);
    if (row == NULL) {
        check_spelling(L, name);
        return;
    }
    uint32_t bit = UINT32_C(1) << (row - rows);
    char *field = (char *)settings + row->offset;
    if (lua_isnil(L, index)) {
        struct settings defaults;
        settings_init(&defaults);
        memcpy(field, (const char *)&defaults + row->offset, row->size);
        settings->given &= ~bit;
        return;
    }
    row->read(L, name, index, field);
    settings->given |= bit;
}

void settings_inherit(struct settings *child, const struct settings *parent)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if ((child->given & UINT32_C(1) << i) == 0) {
            memcpy((char *)child + rows[i].offset, (const char *)parent + rows[i].offset,
                   rows[i].size);
        }
    }
}

static const struct truth {
    const char *name;
    bool value;
} truths[] = {
    {"case_sensitive_routing", false},
    {"strict_routing", false},
    {"method_not_allowed", true},
    {"x_powered_by", false},
    {"json_escape", false},
    {"trust_proxy", false},
    {"view_cache", true}, /* in development, too: files of a generation don't change */
};

int settings_push_default(lua_State *L, const char *name)
{
    for (size_t i = 0; i < sizeof(truths) / sizeof(truths[0]); i++) {
        if (strcmp(truths[i].name, name) == 0) {
            lua_pushboolean(L, truths[i].value);
            return LUA_TBOOLEAN;
        }
    }
    if (strcmp(name, "env") == 0) {
        bool develops = runtime_of(L)->config.refreshes != 0;
        lua_pushstring(L, develops ? "development" : "production");
    } else if (strcmp(name, "etag") == 0) {
        lua_pushliteral(L, "weak");
    } else if (strcmp(name, "query_parser") == 0) {
        lua_pushliteral(L, "simple");
    } else if (strcmp(name, "jsonp_callback_name") == 0) {
        lua_pushliteral(L, "callback");
    } else if (strcmp(name, "subdomain_offset") == 0) {
        lua_pushinteger(L, 2);
    } else if (strcmp(name, "views") == 0) {
        lua_pushliteral(L, "views");
    } else {
        lua_pushnil(L);
    }
    return lua_type(L, -1);
}
