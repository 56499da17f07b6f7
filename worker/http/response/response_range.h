#ifndef FSD_WORKER_HTTP_RESPONSE_RESPONSE_RANGE_H
#define FSD_WORKER_HTTP_RESPONSE_RESPONSE_RANGE_H

#include <h2o.h>
#include <lua.h>

struct exchange;

/* Answers with the parts of the body that the request asks for, when the handler allows it (Accept-Ranges: bytes, status 200, GET);
 * else with all of it.  Raises 416 "range_not_satisfiable" when the body has none of them. */
void response_range_answer(lua_State *L, struct exchange *exchange, h2o_iovec_t body);

#endif
