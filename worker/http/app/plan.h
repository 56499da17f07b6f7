#ifndef FSD_WORKER_HTTP_APP_PLAN_H
#define FSD_WORKER_HTTP_APP_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/http/app/app.h"
#include "worker/http/app/handler.h"
#include "worker/http/route/router.h"

struct app_rule;

/* One place where an application or a router is mounted; the running application itself is the outermost one. */
struct scope {
    struct scope *next;         /* owned list */
    const struct scope *parent; /* NULL: the outermost */
    const struct scope *app;    /* the next one outward, or itself, that is an application */
    const struct app *source;   /* borrowed from Lua: what is mounted */
    size_t depth; /* how many are around it; how many parts of its paths are not its own */
    struct settings settings;   /* of an application: with what it inherits */
    struct app_handlers errors; /* owned; on_error */
    struct app_handler missing; /* not_found */
    struct app_handlers
        pre_handler; /* owned; hooks of it and of those around it, outermost first */
    struct app_handlers send;
    struct app_handlers response;
    /* In the plan's array of values; those without a value are 0. */
    int app_value;
    int settings_value;
    int request_value;
    int response_value;
};

/* The value of a router entry: a rule in one scope. */
struct app_route {
    struct app_route *next; /* owned list */
    const struct scope *scope;
    const struct app_rule
        *rule;         /* borrowed from the application; NULL: a hook, or not_found of a scope */
    unsigned group;    /* what next("route") leaves: all of the scope with the same one */
    size_t first_name; /* which names of the entry its handlers see: these and all behind them */
    /* owned; for each name an enum param_kind; NULL: nothing to check */
    uint8_t *param_kinds;
    /* owned; for each name the key of what app:param makes of it, or NULL; NULL: none */
    const char **param_keys;
    bool is_missing; /* not_found of its scope */
    size_t count;
    struct app_handler handlers[];
};

/* An application with all that is mounted in it, as requests use it. */
struct plan {
    struct router *router;    /* owned */
    struct app_route *routes; /* owned list */
    struct scope *scopes;     /* owned list; the outermost is the last one */
    const struct scope *root; /* the outermost */
    bool is_complete;
    bool extends_request; /* some application has used app.request */
    bool extends_response;
    bool has_send_hooks;
    bool has_response_hooks;
};

struct plan *plan_new(void);
void plan_free(struct plan *plan);
/* Which names of an entry's pattern the handlers of a scope see, by where they begin: own is the part that is their own. */
size_t plan_first_name(const struct scope *scope, const struct pattern *pattern, size_t own);
/* Whether scope is inside of outer, or is it. */
bool scope_is_within(const struct scope *scope, const struct scope *outer);

#endif
