/* methods.c - what can be asked of the daemon over the control socket, one row a method.
 * Owns nothing.  A method checks its parameters and calls the module that does it; reload answers later, by itself.
 * Called by control.c for each request.  Must not know sockets or JSON-RPC. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "daemon/state.h"

/* A misspelt parameter must not do the opposite of what was meant.  False: there is another one than name (NULL: any at all), and
 * the call is answered. */
static bool has_only(struct control_call *call, const json_t *params, const char *name)
{
    /* jansson iterates over const objects through a pointer that is not */
    union {
        const json_t *in;
        json_t *out;
    } object = {.in = params};
    for (void *at = json_object_iter(object.out); at != NULL;
         at = json_object_iter_next(object.out, at)) {
        const char *key = json_object_iter_key(at);
        if (name == NULL || strcmp(key, name) != 0) {
            char message[128];
            (void)snprintf(message, sizeof(message), "unknown parameter \"%.64s\"%s%s%s", key,
                           name != NULL ? "; there is only \"" : "", name != NULL ? name : "",
                           name != NULL ? "\"" : "");
            control_fail(call, CONTROL_BAD_PARAMS, message);
            return false;
        }
    }
    return true;
}

/* Absent means false.  -1: it is there and no boolean, or there is something else; the call is answered then. */
static int get_flag(struct control_call *call, const json_t *params, const char *name)
{
    if (!has_only(call, params, name)) {
        return -1;
    }
    const json_t *value = json_object_get(params, name);
    if (value == NULL || json_is_boolean(value)) {
        return json_is_true(value) ? 1 : 0;
    }
    char message[64];
    (void)snprintf(message, sizeof(message), "\"%s\" must be true or false", name);
    control_fail(call, CONTROL_BAD_PARAMS, message);
    return -1;
}

static void run_status(void *owner, struct control_call *call, const json_t *params)
{
    if (!has_only(call, params, NULL)) {
        return;
    }
    json_t *result = status_describe(owner);
    if (result == NULL) {
        control_fail(call, CONTROL_FAILED, "out of memory");
    } else {
        control_answer(call, result);
    }
}

static void run_reload(void *owner, struct control_call *call, const json_t *params)
{
    int restart = get_flag(call, params, "restart");
    if (restart >= 0) {
        reload_start(owner, call, restart == 1);
    }
}

static void run_stop(void *owner, struct control_call *call, const json_t *params)
{
    int now = get_flag(call, params, "now");
    if (now >= 0) {
        control_answer(call, json_pack("{s:b}", "stopping", 1));
        master_stop(owner, now == 1);
    }
}

static void run_events(void *owner, struct control_call *call, const json_t *params)
{
    const struct master *master = owner;
    stream_run_events(master->streams, call, params);
}

/* A misspelt pool would be taken for a quiet one. */
static bool is_pool(const struct master *master, const char *name)
{
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        if (strcmp(master->inventory.conf->pools[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void run_logs(void *owner, struct control_call *call, const json_t *params)
{
    const struct master *master = owner;
    const char *pool = json_string_value(json_object_get(params, "pool"));
    if (pool != NULL && *pool != '\0' && !is_pool(master, pool)) {
        char message[128];
        (void)snprintf(message, sizeof(message), "there is no pool \"%.64s\"", pool);
        control_fail(call, CONTROL_BAD_PARAMS, message);
        return;
    }
    stream_run_logs(master->streams, call, params);
}

static void run_logs_reopen(void *owner, struct control_call *call, const json_t *params)
{
    struct master *master = owner;
    struct fsd_err err;
    if (!has_only(call, params, NULL)) {
        return;
    }
    int reopened = log_reopen(&master->log, &err);
    if (reopened < 0) {
        control_fail(call, CONTROL_FAILED, err.text);
    } else {
        control_answer(call, json_pack("{s:b}", "reopened", reopened));
    }
}

static const struct control_method methods[] = {
    {"status", "what runs: listeners, pools, workers", run_status},
    {"reload", "bring new code to every worker; {\"restart\": true} replaces the processes",
     run_reload},
    {"events", "what happened to the service; {\"follow\": true} goes on with what will",
     run_events},
    {"logs", "the last records of the log; {\"follow\": true} goes on with those to come",
     run_logs},
    {"logs.reopen", "open the file of log.path anew, after it was moved away", run_logs_reopen},
    {"stop", "let requests finish and end; {\"now\": true} ends at once", run_stop},
};

const struct control_method *methods_get(size_t *ret_count)
{
    *ret_count = sizeof(methods) / sizeof(methods[0]);
    return methods;
}
