/* mod_config.c - fsd.config: the application's part of the configuration.
 *   config.settings (table)   config.env (table of strings)   config.app, config.pool (names)
 * Owns nothing; the master's message stands in core/config.c and is decoded at the first require. */
#include "worker/lib/mod_config.h"

#include <lauxlib.h>

#include "common/msgpack.h"
#include "worker/core/runtime.h"
#include "worker/core/value.h"

static void set_map(lua_State *L, const char *key, const void *bytes, size_t len)
{
    struct msgpack_reader reader;
    msgpack_reader_init(&reader, bytes, len);
    if (bytes == NULL) {
        lua_newtable(L);
    } else if (value_push(L, &reader) != 0) {
        luaL_error(L, "cannot read %s of the configuration", key);
    }
    lua_setfield(L, -2, key);
}

int luaopen_fsd_config(lua_State *L)
{
    const struct config *config = &runtime_of(L)->config;
    lua_createtable(L, 0, 4);
    set_map(L, "settings", config->settings, config->settings_len);
    set_map(L, "env", config->env, config->env_len);
    lua_pushstring(L, config->app);
    lua_setfield(L, -2, "app");
    lua_pushstring(L, config->pool);
    lua_setfield(L, -2, "pool");
    return 1;
}
