#ifndef FSD_WORKER_TOOLBOX_MOD_JWT_H
#define FSD_WORKER_TOOLBOX_MOD_JWT_H

#include <lua.h>

/* Opener of "fsd.jwt.core". */
int luaopen_fsd_jwt_core(lua_State *L);

#endif
