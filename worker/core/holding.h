#ifndef FSD_WORKER_CORE_HOLDING_H
#define FSD_WORKER_CORE_HOLDING_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

/* What somebody has of malloc's memory; all zero at first. */
struct holding {
    size_t bytes;
    uint32_t account;
    uint32_t serial;
};

/* It is so much now; raises "not enough memory" where Lua would be refused the difference, and leaves it as it was then. */
void holding_set(lua_State *L, struct holding *holding, size_t bytes);
/* It is nothing now. */
void holding_clear(lua_State *L, struct holding *holding);

#endif
