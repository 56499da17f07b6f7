#ifndef FSD_WORKER_HTTP_APP_PARAM_H
#define FSD_WORKER_HTTP_APP_PARAM_H

#include <lua.h>

#include "worker/http/app/param_kind.h"

struct app;

/* One call of app:param. */
struct app_param {
    struct app_param *next; /* owned list, in the order of the calls */
    enum param_kind kind;   /* PARAM_ANY: a function */
    int index;              /* of the function in the application's array of values; 0: a kind */
    char name[];
};

/* app:param(name, fn | kind) -> app */
int param_add(lua_State *L);
void param_free_all(struct app *app);

#endif
