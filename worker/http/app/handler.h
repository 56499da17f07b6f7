#ifndef FSD_WORKER_HTTP_APP_APP_HANDLER_H
#define FSD_WORKER_HTTP_APP_APP_HANDLER_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct native;

enum { APP_HANDLERS_MAX = 40 }; /* of one route */

/* One function (or one native answer) of a route, a middleware, or the application itself. */
struct app_handler {
    int index; /* in an array of Lua values: the application's, in a plan that of the plan; 0 = not set */
    bool wants_next; /* takes a third parameter */
    /* borrowed from the Lua value at index; NULL: call that value */
    const struct native *native;
    char where[64]; /* "app.lua:12", for messages */
};

/* A list that grows while an application loads. */
struct app_handlers {
    struct app_handler *items; /* owned */
    size_t count;
};

/* core.own.note_factory(value, example): it makes handlers and is none, though it can be called. */
int handler_note_factory(lua_State *L);
/* Raises when the value at index is one of these, with the example of how to call it. */
void handler_refuse_factory(lua_State *L, int index);
/* Raises for a function with more parameters than a handler has: in Express those four are an error handler's. */
void handler_refuse_error_handler(lua_State *L, int index);
/* Whether a value can be a handler by itself: a function, a table that can be called, a native answer. */
bool handler_is(lua_State *L, int index);
/* Fills a handler from the value at index, which is appended to the array at values. */
void handler_init(lua_State *L, struct app_handler *handler, int values, int index);
/* A zeroed handler at the end of the list.  Dies on no memory. */
struct app_handler *handler_add(struct app_handlers *list);
void handler_free_all(struct app_handlers *list);

#endif
