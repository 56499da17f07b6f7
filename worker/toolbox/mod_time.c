/* mod_time.c - what fsd.time (lua/fsd/time.lua) has in C.
 *   core.parse(text) -> seconds, offset or nil     nil when it is no date
 *   core.seconds(year, month, day) -> seconds      of the begin of a day that there is; nil
 * Owns nothing; moment.c reads dates. */
#include "worker/toolbox/mod_time.h"

#include <lauxlib.h>

#include "worker/toolbox/moment.h"

static int parse(lua_State *L)
{
    struct moment moment;
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    if (!moment_parse(text, len, &moment)) {
        return 0;
    }
    if (moment.nanoseconds == 0) {
        lua_pushinteger(L, moment.seconds);
    } else {
        lua_pushnumber(L, (lua_Number)moment.seconds + moment.nanoseconds / 1e9);
    }
    if (!moment.has_offset) {
        return 1;
    }
    lua_pushinteger(L, moment.offset);
    return 2;
}

static int seconds(lua_State *L)
{
    lua_Integer year = luaL_checkinteger(L, 1);
    lua_Integer month = luaL_checkinteger(L, 2);
    lua_Integer day = luaL_checkinteger(L, 3);
    if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1 ||
        day > moment_days_in((int)year, (int)month)) {
        return 0;
    }
    lua_pushinteger(L, moment_of_day((int)year, (int)month, (int)day));
    return 1;
}

static const luaL_Reg functions[] = {{"parse", parse}, {"seconds", seconds}, {NULL, NULL}};

int luaopen_fsd_time_core(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
