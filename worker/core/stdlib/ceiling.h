#ifndef FSD_WORKER_CORE_STDLIB_CEILING_H
#define FSD_WORKER_CORE_STDLIB_CEILING_H

#include <lua.h>

/* Closures with Lua's own function as their upvalue, which runs unless the format at index 1 is so long that it takes too long:
 * os.date, string.unpack and string.packsize; and string.pack, where a format also asks for padding. */
int ceiling_format(lua_State *L);
int ceiling_pack(lua_State *L);

#endif
