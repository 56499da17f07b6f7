#ifndef FSD_WORKER_HTTP_RELATION_H
#define FSD_WORKER_HTTP_RELATION_H

#include <lua.h>
#include <stdbool.h>

struct exchange;

/* req.app and res.app: the application that the handler which runs belongs to. */
void relation_push_app(lua_State *L, struct exchange *exchange);
/* req.route: a table with path, method and name of the route whose handler runs; nil in middleware. */
void relation_push_route(lua_State *L, struct exchange *exchange);
/* What app.request, or app.response, has under the key at index 2: of that application, then of those around it; else nil. */
void relation_push_extension(lua_State *L, const struct exchange *exchange, bool is_response);

#endif
