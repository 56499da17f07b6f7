#ifndef FSD_WORKER_TOOLBOX_MOD_CRYPTO_H
#define FSD_WORKER_TOOLBOX_MOD_CRYPTO_H

#include <lua.h>

/* Opener of "fsd.crypto". */
int luaopen_fsd_crypto(lua_State *L);

#endif
