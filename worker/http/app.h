#ifndef FSD_WORKER_HTTP_APP_H
#define FSD_WORKER_HTTP_APP_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/http/route/router.h"
#include "worker/http/settings.h"

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

/* The user values of an application: tables. */
enum {
    APP_HANDLERS = 1, /* array of handler values */
    APP_SETTINGS,     /* name -> value */
    APP_VALUES = APP_SETTINGS
};

/* An application: a Lua userdata. */
struct app {
    struct router *router;      /* owned */
    struct app_route *routes;   /* owned list */
    struct app_handler error;   /* app:on_error */
    struct app_handler missing; /* app:not_found */
    size_t middleware_count;    /* handlers of app:use, whatever their path */
    struct settings settings;
    bool frozen;
};

/* The application at index, or NULL when the value there is something else. */
struct app *app_test(lua_State *L, int index);
/* The application at index 1; raises when it was called with a dot.  The second one also when it runs already. */
struct app *app_check(lua_State *L, const char *verb);
struct app *app_check_open(lua_State *L, const char *verb);
/* Ends registration. */
void app_freeze(struct app *app);

/* Adds methods of other areas to the class, before it is registered. */
void app_add_methods(lua_State *L, const luaL_Reg *others);

/* Functions of fsd.http, for mod_http.c. */
int app_new(lua_State *L);       /* fsd.app() */
void app_register(lua_State *L); /* the class; once a state */

#endif
