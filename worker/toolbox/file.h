#ifndef FSD_WORKER_TOOLBOX_FILE_H
#define FSD_WORKER_TOOLBOX_FILE_H

#include <lua.h>

#define FILE_METATABLE "fsd.fs.File"

/* Makes the class fsd.fs.File; once a lua_State. */
void file_register(lua_State *L);
/* core.open(path, how, mode) -> file */
int file_open(lua_State *L);
/* core.temporary(folder, prefix, mode) -> file, path */
int file_temporary(lua_State *L);
/* core.read_all(file, max) -> data; its size is known to be at most max */
int file_read_all(lua_State *L);
/* core.copy_all(from, to): what is in one behind the other */
int file_copy_all(lua_State *L);
/* Pushes a closed file whose path is the string on the top, which stays below it; the result is where its descriptor goes. */
int *file_push(lua_State *L);
/* The descriptor of the file at index; raises when it is closed. */
int file_check(lua_State *L, int index);

#endif
