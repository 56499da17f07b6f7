#ifndef FSD_WORKER_HTTP_RESPONSE_RESPONSE_SEND_H
#define FSD_WORKER_HTTP_RESPONSE_RESPONSE_SEND_H

#include <lua.h>
#include <stddef.h>

#include "worker/core/json/json_turns.h"

struct exchange;

/* Methods of res: res:send, res:json, res:finish, res:send_status. */
int response_send(lua_State *L);
int response_send_json(lua_State *L);
int response_send_finish(lua_State *L);
int response_send_status(lua_State *L);

/* The status at index, which an answer may have; raises for any other value. */
int response_send_check_status(lua_State *L, int index);
/* Answers with the value at index, as res:send does. */
void response_send_value(lua_State *L, struct exchange *exchange, int index);
/* The same for the table on the top, in turns: `return response_send_table(...)`.  on_done gives what it gets to response_send_encoded, if
 * the request is not over by then. */
int response_send_table(lua_State *L, struct exchange *exchange, json_turns_encoded_fn on_done);
void response_send_encoded(lua_State *L, struct exchange *exchange, int result,
                           struct json_buf *buf, const struct fsd_err *err);
/* Answers with a status and its reason as plain text. */
void response_send_reason(lua_State *L, struct exchange *exchange, int status);
/* core.own.encode(res, value, is_script) -> the value as JSON, as the settings want it, and what they call the callback; for
 * res:jsonp.  In a script it has nothing that ends a line of one. */
int response_send_encode(lua_State *L);

#endif
