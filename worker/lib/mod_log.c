/* mod_log.c - fsd.log: structured log records from Lua.
 *   log:error|warning|notice|info|debug(message [, fields])    or (fields) alone
 *   log:with(fields) -> log             a child that adds these fields to every record
 * Owns the class "fsd.Log": a table whose "fields" entry is a table or nil.  A record is built and sent in C, below the level
 * nothing is built at all.  req.log is such a child with the request's id.
 * Called by applications, and by print.  Must not know where records go (logger.c). */
#include "worker/lib/mod_log.h"

#include <lauxlib.h>
#include <string.h>

#include "worker/core/runtime.h"

#define LOG_METATABLE "fsd.Log"

/* Adds every pair of the table at index whose key is a string. */
static void add_fields(struct logger_record *record, lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_type(L, -2) == LUA_TSTRING) {
            size_t len;
            const char *key = lua_tolstring(L, -2, &len);
            logger_field_value(record, key, len, L, -1);
        }
        lua_pop(L, 1);
    }
}

static void check_self(lua_State *L, const char *verb)
{
    if (lua_type(L, 1) != LUA_TTABLE || !lua_getmetatable(L, 1)) {
        luaL_error(L, "call log:%s(...) with a colon", verb);
    }
    lua_pop(L, 1);
}

/* Upvalues: the level, its name. */
static int log_write(lua_State *L)
{
    check_self(L, lua_tostring(L, lua_upvalueindex(2)));
    int has_message = lua_type(L, 2) != LUA_TTABLE;
    int fields = has_message ? 3 : 2;
    if (has_message) {
        luaL_tolstring(L, 2, NULL);
        lua_replace(L, 2);
    }
    if (!lua_isnoneornil(L, fields)) {
        luaL_checktype(L, fields, LUA_TTABLE);
    }
    lua_settop(L, 3);
    lua_getfield(L, 1, "fields"); /* 4 */
    enum log_level level = (enum log_level)lua_tointeger(L, lua_upvalueindex(1));
    struct logger *logger = &runtime_of(L)->logger;
    if (!logger_takes(logger, level)) {
        return 0;
    }
    luaL_checkstack(L, 8, NULL); /* from here on nothing may raise */
    size_t len = 0;
    const char *message = has_message ? lua_tolstring(L, 2, &len) : "";
    struct logger_record record;
    logger_begin(&record, logger, level, message, len);
    if (lua_istable(L, 4)) {
        add_fields(&record, L, 4);
    }
    if (lua_istable(L, fields)) {
        add_fields(&record, L, fields);
    }
    logger_send(&record);
    return 0;
}

static void copy_fields(lua_State *L, int from, int to)
{
    lua_pushnil(L);
    while (lua_next(L, from) != 0) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, to);
    }
}

static int log_with(lua_State *L)
{
    check_self(L, "with");
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_newtable(L); /* 3: the child */
    lua_newtable(L); /* 4: its fields */
    lua_getfield(L, 1, "fields");
    if (lua_istable(L, 5)) {
        copy_fields(L, 5, 4);
    }
    copy_fields(L, 2, 4);
    lua_pushvalue(L, 4);
    lua_setfield(L, 3, "fields");
    lua_getmetatable(L, 1);
    lua_setmetatable(L, 3);
    lua_settop(L, 3);
    return 1;
}

static int log_print(lua_State *L)
{
    int count = lua_gettop(L);
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    for (int i = 1; i <= count; i++) {
        if (i > 1) {
            luaL_addchar(&line, '\t');
        }
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    struct logger *logger = &runtime_of(L)->logger;
    if (logger_takes(logger, LOG_LEVEL_INFO)) {
        size_t len;
        const char *text = lua_tolstring(L, -1, &len);
        struct logger_record record;
        logger_begin(&record, logger, LOG_LEVEL_INFO, text, len);
        logger_send(&record);
    }
    return 0;
}

void log_install_print(lua_State *L)
{
    lua_pushcfunction(L, log_print);
    lua_setglobal(L, "print");
}

int luaopen_fsd_log(lua_State *L)
{
    static const enum log_level levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_NOTICE,
                                            LOG_LEVEL_INFO, LOG_LEVEL_DEBUG};
    lua_newtable(L); /* the root: no fields */
    luaL_newmetatable(L, LOG_METATABLE);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        lua_pushinteger(L, levels[i]);
        lua_pushstring(L, log_level_format(levels[i]));
        lua_pushcclosure(L, log_write, 2);
        lua_setfield(L, -2, log_level_format(levels[i]));
    }
    lua_pushcfunction(L, log_with);
    lua_setfield(L, -2, "with");
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    return 1;
}
