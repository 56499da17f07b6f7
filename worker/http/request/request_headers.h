#ifndef FSD_WORKER_HTTP_REQUEST_REQUEST_HEADERS_H
#define FSD_WORKER_HTTP_REQUEST_REQUEST_HEADERS_H

#include <lua.h>
#include <stddef.h>

struct exchange;

/* Pushes a header, given by its lower-case name, as req:get gives it: several of one name joined by ", " (cookie: "; "); nil when
 * there is none.  Returns the type. */
int request_push_header(lua_State *L, const struct exchange *exchange, const char *name,
                        size_t len);
/* The same for a literal name, as text that the stack keeps alive; NULL when there is none. */
const char *request_push_header_text(lua_State *L, const struct exchange *exchange,
                                     const char *name, size_t *ret_len);
/* Adds req:get and its like to the class on the top. */
void request_headers_register(lua_State *L);

#endif
