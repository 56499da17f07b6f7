#ifndef FSD_WORKER_TOOLBOX_RANDOM_H
#define FSD_WORKER_TOOLBOX_RANDOM_H

#include <lua.h>
#include <stddef.h>

/* Bytes of the kernel's generator.  Raises a CryptoError when it refuses. */
void random_fill(lua_State *L, void *bytes, size_t len);

#endif
