#ifndef FSD_WORKER_CORE_STDLIB_UNICODE_H
#define FSD_WORKER_CORE_STDLIB_UNICODE_H

#include <lua.h>

/* utf8.len and utf8.offset: closures with Lua's own function as their upvalue, which does a piece of a long string at a time. */
int unicode_len(lua_State *L);
int unicode_offset(lua_State *L);

#endif
