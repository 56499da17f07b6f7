#ifndef FSD_WORKER_LIB_MOD_CONFIG_H
#define FSD_WORKER_LIB_MOD_CONFIG_H

#include <lua.h>

/* require "fsd.config"; its functions are defined in lua/meta/config.lua. */
int luaopen_fsd_config(lua_State *L);

#endif
