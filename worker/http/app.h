#ifndef FSD_WORKER_HTTP_APP_H
#define FSD_WORKER_HTTP_APP_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/http/route/router.h"

struct native_answer;

#define APP_METATABLE "fsd.App"

/* One function (or one native answer) of a route, a middleware, or the application itself. */
struct app_handler {
    int index;       /* in the application's array of Lua values; 0 = not set */
    bool wants_next; /* takes a third parameter */
    /* borrowed from the Lua value at index; NULL: call that value */
    const struct native_answer *native;
    char where[64]; /* "app.lua:12", for messages */
};

/* The value of a router entry. */
struct app_route {
    struct app_route *next; /* owned list */
    size_t count;
    struct app_handler handlers[];
};

/* An application: a Lua userdata.  Its first user value is the array of handler values. */
struct app {
    struct router *router;      /* owned */
    struct app_route *routes;   /* owned list */
    struct app_handler error;   /* app:on_error */
    struct app_handler missing; /* app:not_found */
    size_t middleware_count;    /* handlers of app:use, whatever their path */
    bool frozen;
};

/* The application at index, or NULL when the value there is something else. */
struct app *app_test(lua_State *L, int index);
/* Ends registration. */
void app_freeze(struct app *app);

/* Adds methods of other areas to the class, before it is registered. */
void app_add_methods(lua_State *L, const luaL_Reg *others);

/* Functions of fsd.http, for mod_http.c. */
int app_new(lua_State *L);       /* fsd.app() */
void app_register(lua_State *L); /* the class; once a state */

#endif
