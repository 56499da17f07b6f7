#ifndef FSD_WORKER_LIB_MOD_LOG_H
#define FSD_WORKER_LIB_MOD_LOG_H

#include <lua.h>

/* require "fsd.log"; its functions are defined in lua/meta/log.lua. */
int luaopen_fsd_log(lua_State *L);
/* Replaces the global print by one that writes a log line of level info. */
void log_install_print(lua_State *L);

#endif
