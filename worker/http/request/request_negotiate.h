#ifndef FSD_WORKER_HTTP_REQUEST_REQUEST_NEGOTIATE_H
#define FSD_WORKER_HTTP_REQUEST_REQUEST_NEGOTIATE_H

#include <lua.h>

/* Adds req:accepts, its like, and req:is to the class on the top. */
void request_negotiate_register(lua_State *L);

#endif
