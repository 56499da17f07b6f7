#ifndef FSD_WORKER_HTTP_BODY_MOD_BODY_CORE_H
#define FSD_WORKER_HTTP_BODY_MOD_BODY_CORE_H

#include <lua.h>

/* require "fsd.body.core": for lua/fsd/http only. */
int luaopen_fsd_body_core(lua_State *L);

#endif
