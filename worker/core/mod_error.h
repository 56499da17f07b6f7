#ifndef FSD_WORKER_CORE_MOD_ERROR_H
#define FSD_WORKER_CORE_MOD_ERROR_H

#include <lua.h>

/* require "fsd.error.core": what lua/fsd/error.lua is built on. */
int luaopen_fsd_error_core(lua_State *L);

#endif
