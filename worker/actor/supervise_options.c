/* supervise_options.c - what a supervisor and its children shall be, from tables of Lua's to those of common/supervise.
 * Owns nothing.  Numbers are seconds there and milliseconds here.  The tables were made by lua/fsd/supervisor/spec.lua, which
 * has judged what an application gave it.
 * Called by mod_supervise.c.  Must not know what becomes of them. */
#include "worker/actor/supervise_options.h"

#include <lauxlib.h>
#include <math.h>

enum {
    INTENSITY_MAX = 1 << 20, /* more is the same as no limit */
    MS_MAX = INT32_MAX,
};

/* The field of the table at index as one of the words. */
static int read_word(lua_State *L, int index, const char *field, const char *const words[])
{
    lua_getfield(L, index, field);
    int word = luaL_checkoption(L, -1, NULL, words);
    lua_pop(L, 1);
    return word;
}

static bool read_bool(lua_State *L, int index, const char *field)
{
    lua_getfield(L, index, field);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* The field as milliseconds, at most MS_MAX; no limit for math.huge. */
static uint32_t read_ms(lua_State *L, int index, const char *field)
{
    lua_getfield(L, index, field);
    double seconds = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    if (seconds == HUGE_VAL) {
        return SUPERVISE_INFINITY;
    }
    return (uint32_t)fmin(ceil(fmax(seconds, 0) * 1000), MS_MAX);
}

static uint32_t read_intensity(lua_State *L, int index)
{
    lua_getfield(L, index, "intensity");
    double intensity = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return intensity > INTENSITY_MAX ? SUPERVISE_UNLIMITED : (uint32_t)fmax(intensity, 0);
}

struct supervise_flags supervise_options_flags(lua_State *L, int index)
{
    static const char *const strategies[] = {"one_for_one", "one_for_all", "rest_for_one", NULL};
    static const char *const shutdowns[] = {"never", "any_significant", "all_significant", NULL};
    struct supervise_flags flags = {
        .strategy = (enum supervise_strategy)read_word(L, index, "strategy", strategies),
        .is_simple = read_bool(L, index, "simple"),
        .intensity = read_intensity(L, index),
        .period_ms = read_ms(L, index, "period"),
        .auto_shutdown =
            (enum supervise_auto_shutdown)read_word(L, index, "auto_shutdown", shutdowns),
    };
    flags.period_ms = flags.period_ms == 0 ? 1 : flags.period_ms;
    return flags;
}

struct supervise_spec supervise_options_spec(lua_State *L, int index)
{
    static const char *const restarts[] = {"permanent", "transient", "temporary", NULL};
    luaL_checktype(L, index, LUA_TTABLE);
    return (struct supervise_spec){
        .restart = (enum supervise_restart)read_word(L, index, "restart", restarts),
        .shutdown_ms = read_ms(L, index, "shutdown"),
        .is_supervisor = read_bool(L, index, "supervisor"),
        .is_significant = read_bool(L, index, "significant"),
    };
}
