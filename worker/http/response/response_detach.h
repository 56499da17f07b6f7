#ifndef FSD_WORKER_HTTP_RESPONSE_RESPONSE_DETACH_H
#define FSD_WORKER_HTTP_RESPONSE_RESPONSE_DETACH_H

#include <lua.h>

struct exchange;

/* Method of res: res:detach(). */
int response_detach(lua_State *L);
/* As the last step of the function that has called the handlers: waits for the answer that another task was to give, if it has not
 * come yet.  Raises when the request is cancelled. */
int response_detach_wait(lua_State *L, struct exchange *exchange);
/* The answer stands now: the task that waits for it goes on. */
void response_detach_end(struct exchange *exchange);

#endif
