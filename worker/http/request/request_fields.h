#ifndef FSD_WORKER_HTTP_REQUEST_REQUEST_FIELDS_H
#define FSD_WORKER_HTTP_REQUEST_REQUEST_FIELDS_H

#include <lua.h>

struct exchange;

/* Fields of req that are texts and flags; each pushes its value. */

void request_push_method(lua_State *L, struct exchange *exchange);
void request_push_path(lua_State *L, struct exchange *exchange);
void request_push_url(lua_State *L, struct exchange *exchange);
void request_push_base_url(lua_State *L, struct exchange *exchange);
void request_push_original_url(lua_State *L, struct exchange *exchange);
void request_push_id(lua_State *L, struct exchange *exchange);
void request_push_version(lua_State *L, struct exchange *exchange);
void request_push_log(lua_State *L, struct exchange *exchange);
void request_push_aborted(lua_State *L, struct exchange *exchange);
void request_push_xhr(lua_State *L, struct exchange *exchange);
void request_push_deadline(lua_State *L, struct exchange *exchange);

#endif
