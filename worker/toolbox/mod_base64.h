#ifndef FSD_WORKER_TOOLBOX_MOD_BASE64_H
#define FSD_WORKER_TOOLBOX_MOD_BASE64_H

#include <lua.h>

/* Opener of "fsd.base64". */
int luaopen_fsd_base64(lua_State *L);

#endif
