#ifndef FSD_WORKER_TOOLBOX_MOD_HEX_H
#define FSD_WORKER_TOOLBOX_MOD_HEX_H

#include <lua.h>

/* Opener of "fsd.hex". */
int luaopen_fsd_hex(lua_State *L);

#endif
