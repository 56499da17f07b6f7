#ifndef FSD_WORKER_LIB_MOD_JSON_H
#define FSD_WORKER_LIB_MOD_JSON_H

#include <lua.h>

/* require "fsd.json"; its functions are defined in lua/meta/json.lua. */
int luaopen_fsd_json(lua_State *L);

#endif
