#ifndef FSD_WORKER_CORE_XPCALL_H
#define FSD_WORKER_CORE_XPCALL_H

#include <lua.h>

/* Replaces Lua's xpcall by one whose message handler can be put off.  Once a lua_State, after its libraries were opened. */
void xpcall_replace(lua_State *L);
/* In the hook, when an error is about to be raised: the handler of the xpcall that will catch it runs after the stack is unwound. */
void xpcall_put_off(lua_State *L);

#endif
