#ifndef FSD_WORKER_HTTP_FAILURE_H
#define FSD_WORKER_HTTP_FAILURE_H

#include <lua.h>

struct exchange;

/* Where things stand on the coroutine's stack while dispatch_main runs. */
enum { AT_EXCHANGE = 1, AT_TRACEBACK, AT_REQUEST, AT_RESPONSE };

/* Ends a coroutine's main function (`return failure_answer(L, exchange)`) with the error on the top of the stack: logs it,
 * lets app:on_error answer or gives the default page.  May yield. */
int failure_answer(lua_State *L, struct exchange *exchange);

/* One record: what ("error in request"), then what the Error at index error says.  Raises nothing but for memory, leaves the stack. */
void failure_log(lua_State *L, struct exchange *exchange, const char *what, int error);

#endif
