/* methods_params.c - the parameters of control methods, checked.
 * Owns nothing.  Each function looks at one thing and answers the call itself when that is not as it should be, so that a method is a
 * row of questions and then the deed.  Called by the methods.  Must not know what a method does. */
#include "daemon/method/methods_params.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/method/params.h"
#include "daemon/state.h"

static bool is_one_of(const char *key, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcmp(key, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

bool methods_has_only_these(struct control_call *call, const json_t *params,
                            const char *const *names)
{
    for (void *at = params_first(params); at != NULL; at = params_next(params, at)) {
        const char *key = json_object_iter_key(at);
        if (!is_one_of(key, names)) {
            char message[192];
            int len = snprintf(message, sizeof(message), "unknown parameter \"%.64s\"", key);
            if (names[0] != NULL && names[1] == NULL) {
                (void)snprintf(message + len, sizeof(message) - (size_t)len,
                               "; there is only \"%s\"", names[0]);
            }
            control_fail(call, CONTROL_BAD_PARAMS, message);
            return false;
        }
    }
    return true;
}

bool methods_has_only(struct control_call *call, const json_t *params, const char *name)
{
    const char *const names[] = {name, NULL};
    return methods_has_only_these(call, params, names);
}

bool methods_get_bool(struct control_call *call, const json_t *params, const char *name,
                      bool *value)
{
    const json_t *given = json_object_get(params, name);
    if (given == NULL || json_is_boolean(given)) {
        *value = given == NULL ? *value : json_is_true(given);
        return true;
    }
    char message[64];
    (void)snprintf(message, sizeof(message), "\"%s\" must be true or false", name);
    control_fail(call, CONTROL_BAD_PARAMS, message);
    return false;
}

int methods_get_flag(struct control_call *call, const json_t *params, const char *name)
{
    bool value = false;
    if (!methods_has_only(call, params, name) || !methods_get_bool(call, params, name, &value)) {
        return -1;
    }
    return value ? 1 : 0;
}

bool methods_get_int(struct control_call *call, const json_t *params, const char *name,
                     const struct methods_range *range, int64_t *ret)
{
    const json_t *value = json_object_get(params, name);
    json_int_t number = json_integer_value(value);
    if (value == NULL && range->is_optional) {
        *ret = 0;
        return true;
    }
    if (json_is_integer(value) && number >= range->min && number <= range->max) {
        *ret = number;
        return true;
    }
    char message[128];
    (void)snprintf(message, sizeof(message),
                   "\"%s\" must be a whole number from %" PRId64 " to %" PRId64, name, range->min,
                   range->max);
    control_fail(call, CONTROL_BAD_PARAMS, message);
    return false;
}

struct pool *methods_get_pool(struct master *master, struct control_call *call,
                              const json_t *params)
{
    const char *name = json_string_value(json_object_get(params, "pool"));
    struct pool *pool = name == NULL ? NULL : inventory_find_pool(&master->inventory, name);
    if (pool == NULL) {
        char message[128];
        (void)snprintf(message, sizeof(message),
                       name == NULL ? "\"pool\" must name a pool" : "there is no pool \"%.64s\"",
                       name);
        control_fail(call, CONTROL_BAD_PARAMS, message);
    }
    return pool;
}

bool methods_find_app(const struct master *master, struct control_call *call, const json_t *params,
                      struct app **ret)
{
    const json_t *value = json_object_get(params, "app");
    const char *name = json_string_value(value);
    *ret = NULL;
    for (size_t i = 0; name != NULL && i < master->inventory.conf->app_count; i++) {
        if (strcmp(master->inventory.apps[i]->name, name) == 0) {
            *ret = master->inventory.apps[i];
        }
    }
    if (value != NULL && *ret == NULL) {
        char message[128];
        (void)snprintf(message, sizeof(message),
                       name == NULL ? "\"app\" must name an app" : "there is no app \"%.64s\"",
                       name);
        control_fail(call, CONTROL_BAD_PARAMS, message);
        return false;
    }
    return true;
}
