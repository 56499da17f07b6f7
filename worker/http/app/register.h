#ifndef FSD_WORKER_HTTP_APP_REGISTER_H
#define FSD_WORKER_HTTP_APP_REGISTER_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct app;

/* Adds app:get and its like, app:all, app:method and app:route to the table of methods on the top. */
void register_add_verbs(lua_State *L);
/* app:get and its like with the arguments that are on the stack; a NULL method is any.  Raises for what is wrong in the name of the verb. */
int register_verb(lua_State *L, const char *verb, const char *method);
/* The class "fsd.Route"; once a state. */
void register_open(lua_State *L);

/* Appends the handlers that the value at index is, one or a list of them, lists within lists too, to the list at into.  Raises for what
 * is no handler; applications and routers are some if is_use. */
void register_gather(lua_State *L, int index, int into, bool is_use);
/* Raises unless the value at index is a path, or a list of paths; returns how many there are. */
int register_check_paths(lua_State *L, int index);
/* Pushes the i-th (from 1) of the paths at index; the string lives as long as the value. */
const char *register_push_path(lua_State *L, int index, int i, size_t *ret_len);
/* Where in the application's code the call stands: "app.lua:12", "" when that is not known. */
void register_describe_call(lua_State *L, char *text, size_t room);

#endif
