#ifndef FSD_WORKER_HTTP_BODY_REQUEST_BODY_H
#define FSD_WORKER_HTTP_BODY_REQUEST_BODY_H

#include <lua.h>

/* Adds the methods that read a request's body to the table on the top; once a state. */
void request_body_register(lua_State *L);

#endif
