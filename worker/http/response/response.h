#ifndef FSD_WORKER_HTTP_RESPONSE_RESPONSE_H
#define FSD_WORKER_HTTP_RESPONSE_RESPONSE_H

#include <lua.h>
#include <stdbool.h>

struct exchange;

#define RESPONSE_METATABLE "fsd.Response"

/* Pushes the res object of an exchange that begins; its req stands on the top. */
void response_push(lua_State *L, struct exchange *exchange);
/* Answers, unless that has been done, with the value on the top of the stack, which a handler returned: as res:send does, a
 * whole number from 200 to 599 as a status.  nil is no answer, and neither is res itself, which its setters return: so
 * `return res:status(404)` counts as not answering.  May raise. */
void response_take_result(lua_State *L, struct exchange *exchange);
/* Whether that value is a table, which may be long: whoever can go on later sends it by response_send_table. */
bool response_result_is_table(lua_State *L, const struct exchange *exchange);
/* The exchange of the res object at index 1; raises when something else stands there, or the request is over. */
struct exchange *response_check(lua_State *L);
/* For what changes the answer: raises when it was given already.  False when the client has gone. */
bool response_is_open(lua_State *L, const struct exchange *exchange);
/* The class; once a state. */
void response_register(lua_State *L);

#endif
