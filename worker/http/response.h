#ifndef FSD_WORKER_HTTP_RESPONSE_H
#define FSD_WORKER_HTTP_RESPONSE_H

#include <lua.h>

struct exchange;

/* Pushes the res object of an exchange that begins. */
void response_push(lua_State *L, struct exchange *exchange);
/* Answers with the value at index as res:send does, a whole number from 100 to 599 as a status: what a handler returned.
 * May raise. */
void response_send_value(lua_State *L, struct exchange *exchange, int index);
/* The class; once a state. */
void response_register(lua_State *L);

#endif
