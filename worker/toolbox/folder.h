#ifndef FSD_WORKER_TOOLBOX_FOLDER_H
#define FSD_WORKER_TOOLBOX_FOLDER_H

#include <lua.h>

/* What fsd.fs does with names; each is a function for Lua, see mod_fs.c. */
int folder_list(lua_State *L);
int folder_stat(lua_State *L);
int folder_make(lua_State *L);
int folder_remove(lua_State *L);
int folder_remove_at(lua_State *L);
int folder_open_at(lua_State *L);
int folder_rename(lua_State *L);
int folder_replace(lua_State *L);
int folder_set_mode(lua_State *L);
int folder_real_path(lua_State *L);

#endif
