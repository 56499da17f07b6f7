#ifndef FSD_WORKER_HTTP_APP_EVENTS_ROUTE_H
#define FSD_WORKER_HTTP_APP_EVENTS_ROUTE_H

#include <lua.h>

/* app:sse */
int events_route_add(lua_State *L);

#endif
