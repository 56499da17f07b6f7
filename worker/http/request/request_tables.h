#ifndef FSD_WORKER_HTTP_REQUEST_REQUEST_TABLES_H
#define FSD_WORKER_HTTP_REQUEST_REQUEST_TABLES_H

#include <lua.h>

struct exchange;

/* Each pushes one table made from the request; for request.c.  All may raise. */

/* Names to values, as the setting query_parser says.  Raises 413 "parameters.too.many" above 1000. */
void request_push_query(lua_State *L, struct exchange *exchange);
/* Lower-case names to values; repeated ones are joined as RFC 9110 §5.3 says, cookies by "; ". */
void request_push_headers(lua_State *L, struct exchange *exchange);
/* The list of name, value, name, value ..., as they were sent. */
void request_push_raw_headers(lua_State *L, struct exchange *exchange);

#endif
