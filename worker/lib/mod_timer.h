#ifndef FSD_WORKER_LIB_MOD_TIMER_H
#define FSD_WORKER_LIB_MOD_TIMER_H

#include <lua.h>

/* require "fsd.timer"; its functions are defined in lua/meta/timer.lua. */
int luaopen_fsd_timer(lua_State *L);

#endif
