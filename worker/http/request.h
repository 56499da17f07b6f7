#ifndef FSD_WORKER_HTTP_REQUEST_H
#define FSD_WORKER_HTTP_REQUEST_H

#include <lua.h>

struct exchange;

#define REQUEST_METATABLE "fsd.Request"

/* Pushes the req object of an exchange that begins. */
void request_push(lua_State *L, struct exchange *exchange);
/* Takes over the X-Request-Id that the client sent, when it is a short token. */
void request_find_id(struct exchange *exchange);
/* The request's id: X-Request-Id when it is a short token, else made. */
const char *request_id(struct exchange *exchange);
/* The class; once a state. */
void request_register(lua_State *L);

#endif
