#ifndef FSD_WORKER_HTTP_HINT_H
#define FSD_WORKER_HTTP_HINT_H

#include <lua.h>

/* Pushes a message and, behind it, what fsd calls a method that Express knows by another name ("...; fsd has \"send_file\""), or what is
 * missing where Express has something else. */
const char *hint_push(lua_State *L, const char *message);

#endif
