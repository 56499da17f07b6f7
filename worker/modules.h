#ifndef FSD_WORKER_MODULES_H
#define FSD_WORKER_MODULES_H

#include <lua.h>
#include <stdio.h>

/* Makes every module in C findable by require, and the ones in Lua below lua_dir (where fsd/init.lua lies). */
void modules_register(lua_State *L, const char *lua_dir);
/* One line a module: its name and what it is for. */
void modules_print(FILE *file);

#endif
