#ifndef FSD_WORKER_HTTP_APP_RULE_H
#define FSD_WORKER_HTTP_APP_RULE_H

#include <stddef.h>

#include "worker/http/app/handler.h"

struct app;

enum app_rule_kind { RULE_ROUTE, RULE_MIDDLEWARE, RULE_MOUNT };

enum { RULE_PLACE_MAX = 64 };

/* What one call of app:get or app:use has registered for one path, in the order of these calls. */
struct app_rule {
    struct app_rule *next; /* owned list */
    enum app_rule_kind kind;
    const char *method; /* route: owned, in this block; NULL: any */
    const char *name;   /* route: owned, in this block; NULL: none */
    char *path;         /* owned, in this block */
    size_t path_len;
    unsigned call;  /* rules of one call, with several paths, have the same number */
    unsigned group; /* what next("route") leaves: that, or all rules of one app:route() */
    struct app *
        mounted; /* mount: borrowed from the Lua value at mounted_index of the application's array */
    int mounted_index;
    char where[RULE_PLACE_MAX];   /* of the call: "app.lua:12" */
    struct app_handlers handlers; /* owned; none in a mount */
};

/* What a rule is made of; everything is copied. */
struct rule_text {
    enum app_rule_kind kind;
    const char *method;
    const char *name;
    const char *path;
    size_t path_len;
};

/* A new rule behind the others of the application.  Dies on no memory. */
struct app_rule *rule_add(struct app *app, const struct rule_text *text);
void rule_free_all(struct app_rule *first);

#endif
