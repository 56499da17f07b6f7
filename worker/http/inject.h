#ifndef FSD_WORKER_HTTP_INJECT_H
#define FSD_WORKER_HTTP_INJECT_H

#include <lua.h>
#include <stdbool.h>

struct exchange;

/* core.own.inject(app, method, url, {name, value, ...}, body or nil, address or nil, limit)
 *     -> status, {name, value, ...}, body, whether it is complete; waits for the answer.
 * Raises for what cannot stand in a request, and an Error "inject.too.large" when the answer has more bytes than limit, or
 * "inject.too.deep" in the 16th of those that led to each other; what was left to a task counts as well. */
int inject_request(lua_State *L);
/* Makes the exchange of a request that was injected one of the application that was asked, in HTTP/1.1; false: it came from outside. */
bool inject_fit(struct exchange *exchange);

#endif
