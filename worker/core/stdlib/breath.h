#ifndef FSD_WORKER_CORE_STDLIB_BREATH_H
#define FSD_WORKER_CORE_STDLIB_BREATH_H

#include <lua.h>

/* Prepares breath_take; once a lua_State. */
void breath_open(lua_State *L);
/* A place where a long loop in C may be preempted: calls an empty function of Lua, in which the hook that ends a slice runs if
 * it was armed.  Returns when nothing was; if the coroutine was put aside, next(L, LUA_YIELD, context) is called when it goes
 * on.  So what the loop needs stands in context and on the stack, and not in C variables. */
void breath_take(lua_State *L, lua_KContext context, lua_KFunction next);

#endif
