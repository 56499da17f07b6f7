#ifndef FSD_WORKER_LIB_MOD_TEXT_H
#define FSD_WORKER_LIB_MOD_TEXT_H

#include <lua.h>

/* The module fsd.text.core, see the .c. */
int luaopen_fsd_text_core(lua_State *L);

#endif
