#ifndef FSD_WORKER_HTTP_RESPONSE_RESPONSE_HEADERS_H
#define FSD_WORKER_HTTP_RESPONSE_RESPONSE_HEADERS_H

#include <h2o.h>
#include <lua.h>
#include <stdbool.h>

struct exchange;

/* Methods of res: res:set (res:header), res:get, res:append, res:unset, res:has. */
int response_headers_set(lua_State *L);
int response_headers_get(lua_State *L);
int response_headers_append(lua_State *L);
int response_headers_unset(lua_State *L);
int response_headers_has(lua_State *L);

/* Whether what is set now can be part of the head: raises when the answer was given already; false when the client has gone, or
 * the head has left in the days of other code (stream/resume.c). */
bool response_headers_are_open(lua_State *L, const struct exchange *exchange);
/* In place of all headers of that (lower-case) name, or beside them.  The text is copied into the request's pool, and must be fit for
 * a head (text/header_text.h): nothing is checked here. */
void response_headers_put(h2o_req_t *req, const char *name, h2o_iovec_t value);
void response_headers_add(h2o_req_t *req, const char *name, h2o_iovec_t value);
/* The first header of that (lower-case) name; base NULL: there is none. */
h2o_iovec_t response_headers_find(const h2o_req_t *req, const char *name);
/* All of them, with commas between; empty, but not NULL, when there is none. */
h2o_iovec_t response_headers_join(h2o_req_t *req, const char *name);
void response_headers_remove(h2o_req_t *req, const char *name);
/* Removes what was said about a body that does not come: an error's page does.  What was said about the answer (security, cookies,
 * cross-origin rules, ids) stays, because browsers need it to judge the page, too. */
void response_headers_drop_content(h2o_req_t *req);
/* Sets the content type as res:set does: text gets a charset.  Raises when the type can't stand in a head. */
void response_headers_set_type(lua_State *L, struct exchange *exchange, const char *type,
                               size_t len);
/* Puts the headers of the table at index, those of an Error; what may not be sent is left out.  Runs no metamethod. */
void response_headers_put_table(lua_State *L, int index, h2o_req_t *req);
/* core.header_fault(table) -> what is wrong with one of its headers, or nil; for http.abort. */
int response_headers_find_fault(lua_State *L);

#endif
