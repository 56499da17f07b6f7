#ifndef FSD_WORKER_CORE_ROOM_H
#define FSD_WORKER_CORE_ROOM_H

#include <lua.h>
#include <stddef.h>

/* Memory for one long string, taken from the kernel in pieces, between which others run: to be given 10 MB by the kernel takes
 * three milliseconds and more, and to copy them there two. */

/* Returns then(L, LUA_OK, context), with what room_lend takes on the top of the stack: room for a string of len bytes.  Calls it
 * later if the coroutine is put aside meanwhile; so what it needs stands below on the stack.  Nothing is prepared for a short string. */
int room_prepare(lua_State *L, size_t len, lua_KContext context, lua_KFunction then);
/* The string that is pushed or joined next by collector.h is put there. */
void room_lend(lua_State *L, int index);
/* The end of a C function, `return room_join(L, count)`: concatenates count strings on the top, in room of their own. */
int room_join(lua_State *L, int count);

#endif
