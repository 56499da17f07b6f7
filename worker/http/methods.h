#ifndef FSD_WORKER_HTTP_METHODS_H
#define FSD_WORKER_HTTP_METHODS_H

#include <lua.h>

/* core.methods(class): see methods.c.  Raises for another class. */
int methods_get(lua_State *L);

#endif
