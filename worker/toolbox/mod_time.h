#ifndef FSD_WORKER_TOOLBOX_MOD_TIME_H
#define FSD_WORKER_TOOLBOX_MOD_TIME_H

#include <lua.h>

/* Opener of "fsd.time.core". */
int luaopen_fsd_time_core(lua_State *L);

#endif
