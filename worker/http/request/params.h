#ifndef FSD_WORKER_HTTP_REQUEST_PARAMS_H
#define FSD_WORKER_HTTP_REQUEST_PARAMS_H

#include <lua.h>
#include <stddef.h>

struct exchange;

/* Pushes req.params of the handler that runs, a new table; req is at index 1.  Raises 400 "params.decode" for a bad %-escape. */
void params_push(lua_State *L, struct exchange *exchange);
/* Raises the same before a handler runs. */
void params_check(lua_State *L, const struct exchange *exchange);
/* How many bytes of the path belong to where the handler that runs is mounted: req.base_url. */
size_t params_base_len(const struct exchange *exchange);

/* For lua/fsd/http/runner.lua, which calls what app:param was given.  own.param_get(req, key, index) -> text, or nil when there is none or
 * that one is done;  own.param_keep(req, key, text, value): done, and the value takes its place. */
int params_get(lua_State *L);
int params_keep(lua_State *L);

#endif
