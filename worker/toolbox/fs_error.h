#ifndef FSD_WORKER_TOOLBOX_FS_ERROR_H
#define FSD_WORKER_TOOLBOX_FS_ERROR_H

#include <lua.h>

/* Raises an FsError: `cannot VERB "PATH": reason`, with a code that belongs to the errno. */
_Noreturn void fs_error_raise(lua_State *L, int error, const char *verb, const char *path);
/* The path at index; raises when it is none: no string, empty, or with a zero byte in it. */
const char *fs_check_path(lua_State *L, int index);

#endif
