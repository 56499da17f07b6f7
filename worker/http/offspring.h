#ifndef FSD_WORKER_HTTP_OFFSPRING_H
#define FSD_WORKER_HTTP_OFFSPRING_H

#include <lua.h>

struct exchange;

/* own.adopt(req, task): the task belongs to the request, which waits for it. */
int offspring_adopt(lua_State *L);
/* As the last step of the function that has called the handlers (`return offspring_join(L, exchange)`): waits for the tasks of the
 * request, raises what one of them raised, and goes on with response_detach_wait.  req is at index 1. */
int offspring_join(lua_State *L, struct exchange *exchange);
/* When the request has failed: its tasks are not needed any more.  Raises nothing. */
void offspring_cancel(lua_State *L, struct exchange *exchange);

#endif
