#ifndef FSD_WORKER_TOOLBOX_PASSWORD_H
#define FSD_WORKER_TOOLBOX_PASSWORD_H

#include <lua.h>

/* crypto.password_hash(password [, options]) -> hash */
int password_hash(lua_State *L);
/* crypto.password_verify(hash, password [, options]) -> boolean, needs_rehash */
int password_verify(lua_State *L);

#endif
