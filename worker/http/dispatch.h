#ifndef FSD_WORKER_HTTP_DISPATCH_H
#define FSD_WORKER_HTTP_DISPATCH_H

#include <lua.h>

struct exchange;

/* The main function of a request's coroutine: runs the handlers that match, in order, and sees to it that something is
 * answered.  Its argument is the exchange as light userdata. */
int dispatch_main(lua_State *L);
/* Cuts req and res off from the exchange: what Lua still holds of them raises from now on. */
void dispatch_close(struct exchange *exchange);

#endif
