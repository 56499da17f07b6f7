#ifndef FSD_WORKER_HTTP_APP_MOUNT_H
#define FSD_WORKER_HTTP_APP_MOUNT_H

#include <lauxlib.h>

/* Methods of both classes: use, mount, on_error, not_found. */
extern const luaL_Reg mount_methods[];

#endif
