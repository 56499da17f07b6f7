#ifndef FSD_WORKER_HTTP_APP_APP_H
#define FSD_WORKER_HTTP_APP_APP_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "worker/http/app/handler.h"
#include "worker/http/settings.h"

struct app_param;
struct app_rule;
struct fsd_err;
struct plan;

#define APP_FROZEN                                                                                 \
    "cannot add to an application that is running: register routes while the application loads"
#define APP_METATABLE    "fsd.App"
#define ROUTER_METATABLE "fsd.Router"

/* The user values of an application or router.  Those of the second group are made when they are first asked for. */
enum {
    APP_HANDLERS = 1, /* array of handler values, and of what is mounted */
    APP_SETTINGS,     /* name -> value */
    APP_PLAN,         /* the plan's array of values; nil before it is frozen */
    APP_LOCALS,       /* app.locals */
    APP_REQUEST,      /* app.request: what req has in addition */
    APP_RESPONSE,     /* app.response */
    APP_OWN,          /* what the application stores in it: app.name = value */
    APP_PARENT,       /* the application or router that it was mounted in last */
    APP_MOUNTPATH,    /* and where */
    APP_ROOT, /* the application that it is a part of the plan of; nil before that is frozen */
    APP_VALUES = APP_ROOT
};

enum app_hook {
    APP_HOOK_REQUEST,
    APP_HOOK_PRE_HANDLER,
    APP_HOOK_SEND,
    APP_HOOK_RESPONSE,
    APP_HOOKS
};

/* An application or a router: a Lua userdata.  What it was told while it loads; what requests use is a plan (app/plan.h). */
struct app {
    bool is_router;
    bool frozen; /* complete: it runs, or is part of one that does */
    bool
        merges_params; /* router: its handlers see the parameters of the path that it is mounted at */
    bool is_case_sensitive, is_strict; /* router; of an application these are settings */
    struct app_rule *rules;            /* owned list */
    struct app_rule *last_rule;
    struct app_handlers errors;           /* app:on_error, in their order */
    struct app_handler missing;           /* app:not_found */
    struct app_handlers hooks[APP_HOOKS]; /* app:hook */
    struct app_param *params;             /* owned list: app:param */
    size_t middleware_count;              /* handlers of app:use, whatever their path */
    unsigned calls;                       /* of app:get and app:use so far */
    unsigned routes;                      /* of app:route so far */
    struct settings settings;
    struct plan *
        plan; /* owned; of an application that was frozen by itself, not as a part of another one */
};

/* The application at index, or NULL when the value there is something else.  The second one also takes a router. */
struct app *app_test(lua_State *L, int index);
struct app *app_test_any(lua_State *L, int index);
/* The application at index 1; raises when it was called with a dot.  The others also take a router, or raise when it runs already. */
struct app *app_check(lua_State *L, const char *verb);
struct app *app_check_open(lua_State *L, const char *verb);
struct app *app_check_any(lua_State *L, const char *verb);
struct app *app_check_any_open(lua_State *L, const char *verb);
/* Pushes a user value of the application or router at index, a table; a new one when it has none. */
void app_push_table(lua_State *L, int index, int value);

/* Ends registration of the application at index and works out its plan, once.  0; -EINVAL with a sentence. */
int app_freeze(lua_State *L, int index, struct fsd_err *err);

/* Adds methods of other areas to the class, before it is registered. */
void app_add_methods(lua_State *L, const luaL_Reg *others);

/* Functions of fsd.http, for mod_http.c. */
int app_new(lua_State *L);        /* fsd.app([options]) */
int app_new_router(lua_State *L); /* fsd.router([options]) */
void app_register(lua_State *L);  /* the classes; once a state */

#endif
