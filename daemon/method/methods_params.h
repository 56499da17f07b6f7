#ifndef FSD_DAEMON_METHOD_METHODS_PARAMS_H
#define FSD_DAEMON_METHOD_METHODS_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/control/control.h"

struct app;
struct master;
struct pool;

/* What methods ask of their parameters.  Where one says no, the call is answered with what is wrong. */

/* A misspelt parameter must not do the opposite of what was meant: there is none but name (NULL: none at all), or those in a
 * list that ends with NULL. */
bool methods_has_only(struct control_call *call, const json_t *params, const char *name);
bool methods_has_only_these(struct control_call *call, const json_t *params,
                            const char *const *names);
/* The only parameter, true or false; absent means false.  -1: no. */
int methods_get_flag(struct control_call *call, const json_t *params, const char *name);
/* One of several; absent: *value stays. */
bool methods_get_bool(struct control_call *call, const json_t *params, const char *name,
                      bool *value);
struct methods_range {
    int64_t min;
    int64_t max;
    bool is_optional; /* absent: *ret is 0 */
};
bool methods_get_int(struct control_call *call, const json_t *params, const char *name,
                     const struct methods_range *range, int64_t *ret);
/* The pool that "pool" names; NULL: no. */
struct pool *methods_get_pool(struct master *master, struct control_call *call,
                              const json_t *params);
/* The app that "app" names; without it *ret is NULL.  False: there is none. */
bool methods_find_app(const struct master *master, struct control_call *call, const json_t *params,
                      struct app **ret);

#endif
