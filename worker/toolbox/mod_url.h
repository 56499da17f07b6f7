#ifndef FSD_WORKER_TOOLBOX_MOD_URL_H
#define FSD_WORKER_TOOLBOX_MOD_URL_H

#include <lua.h>

/* Opener of "fsd.url.core". */
int luaopen_fsd_url_core(lua_State *L);

#endif
