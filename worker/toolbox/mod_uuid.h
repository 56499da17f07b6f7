#ifndef FSD_WORKER_TOOLBOX_MOD_UUID_H
#define FSD_WORKER_TOOLBOX_MOD_UUID_H

#include <lua.h>

/* Opener of "fsd.uuid". */
int luaopen_fsd_uuid(lua_State *L);

#endif
