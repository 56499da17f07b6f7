#ifndef FSD_WORKER_HTTP_BODY_REQUEST_BODY_H
#define FSD_WORKER_HTTP_BODY_REQUEST_BODY_H

#include <lua.h>

/* Adds the methods in C that read a request's body to the table on the top; once a state. */
void request_body_register(lua_State *L);
/* Goes on in the function of that name of lua/fsd/http/body.lua, with the same arguments: `return request_body_call(...)`. */
int request_body_call(lua_State *L, const char *name);

#endif
