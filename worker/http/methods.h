#ifndef FSD_WORKER_HTTP_METHODS_H
#define FSD_WORKER_HTTP_METHODS_H

#include <lua.h>
#include <stdbool.h>

/* core.methods(class): see methods.c.  Raises for another class. */
int methods_get(lua_State *L);
/* Whether one of the classes has a method of that name. */
bool methods_have(lua_State *L, const char *name);
/* core.own.option_fault(options, what, {names}), core.own.reason(status). */
int methods_find_option_fault(lua_State *L);
int methods_get_reason(lua_State *L);

#endif
