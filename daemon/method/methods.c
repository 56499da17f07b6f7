/* methods.c - what can be asked of the daemon over the control socket, one row a method.
 * Owns nothing.  A method checks its parameters and calls the module that does it; reload answers later, by itself.
 * Called by control.c for each request.  Must not know sockets or JSON-RPC. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "daemon/log_files.h"
#include "daemon/method/methods_code.h"
#include "daemon/method/methods_config.h"
#include "daemon/method/methods_params.h"
#include "daemon/state.h"

static void run_status(void *owner, struct control_call *call, const json_t *params)
{
    if (!methods_has_only(call, params, NULL)) {
        return;
    }
    control_answer(call, status_describe(owner));
}

/* For somebody who does not wait for it. */
static void accept_reload(struct master *master, struct control_call *call, bool is_restart)
{
    bool has_to_wait = reload_is_running(master) || deploy_is_running(master);
    const char *obstacle = has_to_wait ? NULL : master_find_obstacle(master);
    if (obstacle != NULL) {
        control_fail(call, CONTROL_BUSY, obstacle);
        return;
    }
    control_answer(call, json_pack("{s:s, s:b}", "schema", "fsd.reload/1", "accepted", 1));
    reload_start(master, NULL, is_restart);
}

static void run_reload(void *owner, struct control_call *call, const json_t *params)
{
    static const char *const names[] = {"restart", "wait", NULL};
    bool is_restart = false;
    bool waits = true;
    if (!methods_has_only_these(call, params, names) ||
        !methods_get_bool(call, params, "restart", &is_restart) ||
        !methods_get_bool(call, params, "wait", &waits)) {
        return;
    }
    if (waits) {
        reload_start(owner, call, is_restart);
    } else {
        accept_reload(owner, call, is_restart);
    }
}

static void run_stop(void *owner, struct control_call *call, const json_t *params)
{
    int now = methods_get_flag(call, params, "now");
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

static void run_logs(void *owner, struct control_call *call, const json_t *params)
{
    const struct master *master = owner;
    const json_t *pool = json_object_get(params, "pool");
    /* a misspelt pool would be taken for a quiet one */
    if (pool != NULL && methods_get_pool(owner, call, params) == NULL) {
        return;
    }
    stream_run_logs(master->streams, call, params);
}

static void run_logs_reopen(void *owner, struct control_call *call, const json_t *params)
{
    struct master *master = owner;
    struct fsd_err err;
    if (!methods_has_only(call, params, NULL)) {
        return;
    }
    int reopened = log_files_reopen(master, &err);
    if (reopened < 0) {
        control_fail(call, CONTROL_FAILED, err.text);
    } else {
        control_answer(call, json_pack("{s:b}", "reopened", reopened));
    }
}

static void run_restart(void *owner, struct control_call *call, const json_t *params)
{
    if (!methods_has_only(call, params, "pool")) {
        return;
    }
    struct pool *pool = methods_get_pool(owner, call, params);
    if (pool != NULL && !deferred_add(owner, run_restart, call, params)) {
        reload_restart(owner, pool, call);
    }
}

/* False: the call is answered. */
static bool is_running(const struct master *master, struct control_call *call)
{
    if (master->phase == MASTER_RUNNING) {
        return true;
    }
    control_fail(call, CONTROL_BUSY,
                 master->phase == MASTER_STOPPING ? "the daemon is stopping"
                                                  : "the daemon is still loading its code");
    return false;
}

static void run_drain(void *owner, struct control_call *call, const json_t *params)
{
    if (methods_has_only(call, params, NULL) && is_running(owner, call)) {
        master_drain(owner);
        waiting_add(owner, &(struct waiting_item){
                               .call = call, .what = WAITING_DRAINED, .word = "drained"});
    }
}

static void run_resume(void *owner, struct control_call *call, const json_t *params)
{
    if (methods_has_only(call, params, NULL) && is_running(owner, call)) {
        master_resume(owner);
        waiting_add(owner,
                    &(struct waiting_item){.call = call, .what = WAITING_READY, .word = "resumed"});
    }
}

static void run_wait(void *owner, struct control_call *call, const json_t *params)
{
    static const char *const names[] = {"for", "number", NULL};
    static const struct {
        const char *word;
        enum waiting_for what;
    } rows[] = {{"ready", WAITING_READY},
                {"drained", WAITING_DRAINED},
                {"config", WAITING_CONFIG},
                {"confirmed", WAITING_CONFIRMED}};
    const char *word = json_string_value(json_object_get(params, "for"));
    int64_t number = 0;
    if (!methods_has_only_these(call, params, names)) {
        return;
    }
    for (size_t i = 0; word != NULL && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(word, rows[i].word) != 0) {
            continue;
        }
        struct methods_range range = {1, INT64_MAX, rows[i].what != WAITING_CONFIG};
        if (methods_get_int(call, params, "number", &range, &number)) {
            waiting_add(owner, &(struct waiting_item){.call = call,
                                                      .what = rows[i].what,
                                                      .number = (uint64_t)number,
                                                      .word = rows[i].word,
                                                      .is_wait = true});
        }
        return;
    }
    control_fail(call, CONTROL_BAD_PARAMS,
                 "\"for\" must be \"ready\", \"drained\", \"config\" or \"confirmed\"");
}

static void run_crashes(void *owner, struct control_call *call, const json_t *params)
{
    const struct master *master = owner;
    const json_t *id = json_object_get(params, "id");
    struct fsd_err err = {"out of memory"};
    if (!methods_has_only(call, params, "id")) {
        return;
    }
    json_t *result = NULL;
    if (id == NULL) {
        result = crashes_list(&master->crashes);
    } else if (json_is_string(id)) {
        result = crashes_get(&master->crashes, json_string_value(id), &err);
    } else {
        (void)fsd_err_set(&err, 0, "\"id\" must be the id of a report");
    }
    if (result != NULL) {
        control_answer(call, result);
    } else {
        control_fail(call, CONTROL_FAILED, err.text);
    }
}

static void run_upgrade(void *owner, struct control_call *call, const json_t *params)
{
    if (methods_has_only(call, params, NULL) && !deferred_add(owner, run_upgrade, call, params)) {
        upgrade_start(owner, call);
    }
}

static const struct control_method methods[] = {
    {"status", "what runs: listeners, pools, workers", run_status},
    {"reload",
     "bring new code to every worker, in place; {\"restart\": true} replaces the processes, "
     "{\"wait\": "
     "false} "
     "answers when it is accepted",
     run_reload},
    {"generations", "the code that is kept, of all apps or of one: {\"app\": NAME}",
     methods_code_generations},
    {"rollback", "bring the confirmed code back, or else what ran before: {\"app\": NAME}",
     methods_code_rollback},
    {"confirm", "let the code that runs count as proven, of all apps or of one: {\"app\": NAME}",
     methods_code_confirm},
    {"restart", "replace the workers of one pool: {\"pool\": NAME}", run_restart},
    {"scale", "give a pool so many workers: {\"pool\": NAME, \"count\": N}", methods_config_scale},
    {"drain", "let all workers leave; connections wait", run_drain},
    {"resume", "start the workers again after drain", run_resume},
    {"wait",
     "answer when it is so: {\"for\": \"ready\"|\"drained\"|\"config\"|\"confirmed\", "
     "\"number\": N}",
     run_wait},
    {"crashes", "the crash reports, or one of them: {\"id\": ID}", run_crashes},
    {"events", "what happened to the service; {\"follow\": true} goes on with what will",
     run_events},
    {"logs", "the last records of the log; {\"follow\": true} goes on with those to come",
     run_logs},
    {"logs.reopen", "open the file of log.path anew, after it was moved away", run_logs_reopen},
    {"config.check", "is the configuration on the disk good?", methods_config_check},
    {"config.plan", "what would change if it were applied", methods_config_plan},
    {"config.apply", "apply the configuration on the disk, whole or not at all",
     methods_config_apply},
    {"config.rollback", "apply an earlier one: {\"to\": NUMBER}, without it the one before",
     methods_config_rollback},
    {"config.show", "the values that run, and where each comes from", methods_config_show},
    {"config.diff", "how the disk differs from what runs", methods_config_diff},
    {"config.history", "the configurations that were applied", methods_config_history},
    {"upgrade", "become the program that now stands in place of this one; workers go on",
     run_upgrade},
    {"stop", "let requests finish and end; {\"now\": true} ends at once", run_stop},
};

const struct control_method *methods_get(size_t *ret_count)
{
    *ret_count = sizeof(methods) / sizeof(methods[0]);
    return methods;
}
