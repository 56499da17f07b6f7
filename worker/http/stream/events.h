#ifndef FSD_WORKER_HTTP_STREAM_EVENTS_H
#define FSD_WORKER_HTTP_STREAM_EVENTS_H

#include <lua.h>

struct exchange;

/* res:sse([options]) -> events */
int events_open(lua_State *L);
/* The exchange is over, and so are its events, if there are any. */
void events_close_all(struct exchange *exchange);
/* The class; once a state. */
void events_register(lua_State *L);

#endif
