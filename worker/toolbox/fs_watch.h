#ifndef FSD_WORKER_TOOLBOX_FS_WATCH_H
#define FSD_WORKER_TOOLBOX_FS_WATCH_H

#include <lua.h>

/* Makes the class fsd.fs.Watcher; once a lua_State. */
void fs_watch_register(lua_State *L);
/* core.watch(path) -> watcher */
int fs_watch_new(lua_State *L);

#endif
