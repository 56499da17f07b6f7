#ifndef FSD_WORKER_HTTP_APP_ROUTE_OPTIONS_H
#define FSD_WORKER_HTTP_APP_ROUTE_OPTIONS_H

#include <lua.h>
#include <stdbool.h>

/* Whether the value at index is such a table, and no list of handlers. */
bool route_options_test(lua_State *L, int index);
/* Reads the table at options, appends the handlers that check requests to the list at into, and returns the route's name, which the
 * table owns; NULL: it has none.  Raises for what it can't be. */
const char *route_options_read(lua_State *L, int options, int into);

#endif
