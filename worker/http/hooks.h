#ifndef FSD_WORKER_HTTP_HOOKS_H
#define FSD_WORKER_HTTP_HOOKS_H

#include <lua.h>
#include <stdbool.h>

struct exchange;

/* Ends a coroutine's main function (`return hooks_finish(L, exchange)`) when its answer stands: runs app:hook("send") and ("response"), if
 * the application has any, and cuts req and res off.  May yield. */
int hooks_finish(lua_State *L, struct exchange *exchange);
/* Before the head of a stream is fixed: runs app:hook("send").  res is at index 1. */
void hooks_before_stream(lua_State *L, struct exchange *exchange);
/* Whether the answer that stands must wait for app:hook("send"). */
bool hooks_hold(const struct exchange *exchange);

/* For lua/fsd/http/runner.lua.  own.seal(req): the hooks have had their turn, the answer is what it was unless one of them gave another. */
int hooks_seal(lua_State *L);

#endif
