#ifndef FSD_WORKER_HTTP_MOD_HTTP_H
#define FSD_WORKER_HTTP_MOD_HTTP_H

#include <lua.h>

/* require "fsd.http"; its functions are defined in lua/meta/http.lua. */
int luaopen_fsd_http(lua_State *L);

#endif
