#ifndef FSD_WORKER_HTTP_EVENT_STREAM_H
#define FSD_WORKER_HTTP_EVENT_STREAM_H

#include <lua.h>

struct service;

/* res:sse([options]) -> events */
int event_stream_open(lua_State *L);
/* The worker leaves: ends all of them, each with a hint when to come back, so that not all come at once. */
void event_stream_dismiss_all(struct service *service);
/* The class; once a state. */
void event_stream_register(lua_State *L);

#endif
