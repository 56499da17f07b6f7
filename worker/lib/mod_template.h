#ifndef FSD_WORKER_LIB_MOD_TEMPLATE_H
#define FSD_WORKER_LIB_MOD_TEMPLATE_H

#include <lua.h>

/* The module fsd.template.core, see the .c. */
int luaopen_fsd_template_core(lua_State *L);

#endif
