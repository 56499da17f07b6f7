#ifndef FSD_WORKER_SHARED_MOD_SHARED_H
#define FSD_WORKER_SHARED_MOD_SHARED_H

#include <lua.h>

/* The opener of require "fsd.shared". */
int luaopen_fsd_shared(lua_State *L);

#endif
