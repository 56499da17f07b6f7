#ifndef FSD_WORKER_HTTP_RESPONSE_RESPONSE_VALIDATE_H
#define FSD_WORKER_HTTP_RESPONSE_RESPONSE_VALIDATE_H

#include <h2o.h>
#include <lua.h>

struct exchange;

/* Answers with a body that lives in the request's pool (base NULL: none at all): gives it an ETag as the setting wants it, and sends what the conditions of
 * the request leave of it - all, 304 without it, or the parts that are asked for.  Raises 412 "precondition_failed", 416
 * "range_not_satisfiable", and what a function for ETags raises. */
void response_validate_and_answer(lua_State *L, struct exchange *exchange, h2o_iovec_t body);

#endif
