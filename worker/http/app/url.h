#ifndef FSD_WORKER_HTTP_APP_URL_H
#define FSD_WORKER_HTTP_APP_URL_H

#include <lua.h>

/* app:url(name [, params [, query]]) -> string      app:routes() -> list */
int url_of(lua_State *L);
int url_list_routes(lua_State *L);
/* own.freeze(app): as when its generation has loaded; for `fsd routes`. */
int url_freeze(lua_State *L);

#endif
