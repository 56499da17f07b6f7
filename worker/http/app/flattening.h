#ifndef FSD_WORKER_HTTP_APP_FLATTENING_H
#define FSD_WORKER_HTTP_APP_FLATTENING_H

#include <lua.h>
#include <stddef.h>

struct app;
struct app_handlers;
struct app_route;
struct fsd_err;
struct pattern;
struct plan;

/* Between flatten.c and flattening.c only. */

/* One call of flatten: where things stand on the stack. */
struct flattening {
    lua_State *L;
    struct plan *plan;
    int root;   /* the application */
    int values; /* the plan's array of values */
    int offsets; /* application (a light userdata) -> what is added to the numbers of its own array */
    size_t entry_count;
    struct fsd_err *err;
};

/* Zeroed; dies on no memory. */
void *flattening_take(size_t size);
/* Appends the value on the top, which is popped, to the plan's, and returns its number. */
int flattening_add_value(const struct flattening *f);
/* What is added to the numbers of the application's own array. */
int flattening_get_offset(const struct flattening *f, const struct app *app);
/* Pushes a list of the functions of these handlers. */
void flattening_push_functions(const struct flattening *f, const struct app_handlers *handlers);
/* Calls a function of lua/fsd/http/runner.lua with the value on the top, and leaves what it returns there.  -EINVAL when it fails. */
int flattening_call_runner(const struct flattening *f, const char *name);
/* Puts a handler that runner.lua makes of the list on the top before the others of the route. */
int flattening_insert_runner(const struct flattening *f, struct app_route *route, const char *name);
/* What app:param says of the names in the route's path: each counts where its part of the path was registered. */
int flattening_add_params(const struct flattening *f, struct app_route *route,
                          const struct pattern *pattern);

#endif
