#ifndef FSD_WORKER_TOOLBOX_MOD_PROCESS_H
#define FSD_WORKER_TOOLBOX_MOD_PROCESS_H

#include <lua.h>

/* Opener of "fsd.process". */
int luaopen_fsd_process(lua_State *L);

#endif
