#ifndef FSD_WORKER_CORE_STDLIB_STDLIB_H
#define FSD_WORKER_CORE_STDLIB_STDLIB_H

#include <lua.h>

/* Replaces those functions of Lua's libraries whose work in C has no end that one could wait for: in the tables string and
 * table, and so for s:find() too.  Once a lua_State, after its libraries were opened. */
void stdlib_replace(lua_State *L);

enum {
    /* No string that one call makes is longer. */
    STDLIB_STRING_MAX = 64 * 1024 * 1024,
};

#endif
