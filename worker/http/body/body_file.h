#ifndef FSD_WORKER_HTTP_BODY_BODY_FILE_H
#define FSD_WORKER_HTTP_BODY_BODY_FILE_H

#include <lua.h>

/* Files that bodies are written to, for lua/fsd/http: see body_file.c. */
int body_file_create(lua_State *L);
int body_file_temporary(lua_State *L);
int body_file_write(lua_State *L);
int body_file_close(lua_State *L);
int body_file_keep(lua_State *L);

#endif
