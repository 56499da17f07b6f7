#ifndef FSD_WORKER_TOOLBOX_SEAL_H
#define FSD_WORKER_TOOLBOX_SEAL_H

#include <lua.h>

/* crypto.seal(data, key [, context]) -> sealed */
int seal_seal(lua_State *L);
/* crypto.open(sealed, key [, context]) -> data, or nil */
int seal_open(lua_State *L);

#endif
