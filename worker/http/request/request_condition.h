#ifndef FSD_WORKER_HTTP_REQUEST_REQUEST_CONDITION_H
#define FSD_WORKER_HTTP_REQUEST_REQUEST_CONDITION_H

#include <lua.h>

struct exchange;

/* req.fresh and req.stale: whether the client's copy is as good as the answer whose headers stand so far. */
void request_push_fresh(lua_State *L, struct exchange *exchange);
void request_push_stale(lua_State *L, struct exchange *exchange);
/* Adds req:range to the class on the top. */
void request_condition_register(lua_State *L);

#endif
