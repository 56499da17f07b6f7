#ifndef FSD_WORKER_HTTP_EVENTS_H
#define FSD_WORKER_HTTP_EVENTS_H

#include <lua.h>

/* res:sse([options]) -> events */
int events_open(lua_State *L);
/* The class; once a state. */
void events_register(lua_State *L);

#endif
