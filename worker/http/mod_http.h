#ifndef FSD_WORKER_HTTP_MOD_HTTP_H
#define FSD_WORKER_HTTP_MOD_HTTP_H

#include <lua.h>

/* require "fsd.http.core"; most of its functions are defined as those of fsd.http, in lua/meta/http.lua. */
int luaopen_fsd_http_core(lua_State *L);

#endif
