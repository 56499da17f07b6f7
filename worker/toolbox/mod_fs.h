#ifndef FSD_WORKER_TOOLBOX_MOD_FS_H
#define FSD_WORKER_TOOLBOX_MOD_FS_H

#include <lua.h>

/* Opener of "fsd.fs.core". */
int luaopen_fsd_fs_core(lua_State *L);

#endif
