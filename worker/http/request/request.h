#ifndef FSD_WORKER_HTTP_REQUEST_REQUEST_H
#define FSD_WORKER_HTTP_REQUEST_REQUEST_H

#include <lua.h>

struct exchange;

#define REQUEST_METATABLE "fsd.Request"

/* Pushes the req object of an exchange that begins. */
void request_push(lua_State *L, struct exchange *exchange);
/* Tells the req at one index which res goes with it. */
void request_set_response(lua_State *L, int request, int response);
/* The exchange of the req at index 1; raises when that is something else, or over. */
struct exchange *request_check(lua_State *L);
/* Pushes the table of what belongs to the req at index 1 in Lua, made when first needed: what was made lazily, and what
 * the application has stored under names of its own. */
void request_push_store(lua_State *L);
/* The class; once a state. */
void request_register(lua_State *L);

/* core.own.set_method(req, name): what routes behind it see; for a form that can only POST. */
int request_set_method(lua_State *L);

#endif
