/* deploy_answer.c - what is told about a change of configuration.
 * Owns the first reason of a failure, and the shape of the answers fsd.apply/1 and fsd.reload/1.
 * Called by deploy.c, and by methods_config.c for a plan that is only shown.  Must not change anything else. */
#include "daemon/change/deploy_answer.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/change/orders.h"
#include "daemon/control/control.h"
#include "daemon/log/text.h"
#include "daemon/state.h"

void deploy_answer_keep_reason(struct deploy *deploy, const char *why)
{
    if (deploy->why[0] == '\0') {
        (void)text_clean(deploy->why, sizeof(deploy->why), why, strlen(why));
    }
}

json_t *deploy_answer_list_changes(const struct plan *plan)
{
    json_t *changes = json_array();
    for (size_t i = 0; i < plan->count; i++) {
        char what[PLAN_WHAT_MAX];
        plan_describe(&plan->rows[i], what);
        (void)json_array_append_new(changes,
                                    json_pack("{s:s, s:s, s:s}", "action",
                                              plan_action_format(plan->rows[i].action), "what",
                                              what, "detail", plan->rows[i].detail));
    }
    return changes;
}

json_t *deploy_answer_describe(const struct master *master, uint64_t from)
{
    const struct deploy *deploy = &master->deploy;
    json_t *result =
        json_pack("{s:s, s:I, s:I, s:s, s:o, s:I}", "schema",
                  deploy->with_code ? "fsd.reload/1" : "fsd.apply/1", "from", (json_int_t)from,
                  "to", (json_int_t)master->inventory.number, "hash", master->inventory.conf->hash,
                  "changes", deploy_answer_list_changes(&deploy->plan), "elapsed_ms",
                  (json_int_t)(clock_monotonic_ms() - deploy->begun_ms));
    if (deploy->with_code && result != NULL) {
        (void)json_object_set(result, "apps", deploy->apps);
        (void)json_object_set_new(result, "restart", json_true());
    }
    return result;
}

void deploy_answer_same_count(const struct master *master, const struct pool *pool,
                              struct control_call *call)
{
    char note[PROTO_NAME_MAX + 64];
    (void)snprintf(note, sizeof(note), "pool \"%s\" has %u worker%s already", pool->name,
                   pool->count, pool->count == 1 ? "" : "s");
    json_int_t number = (json_int_t)master->inventory.number;
    json_t *result = json_pack("{s:s, s:I, s:I, s:s, s:[], s:i, s:s}", "schema", "fsd.apply/1",
                               "from", number, "to", number, "hash", master->inventory.conf->hash,
                               "changes", "elapsed_ms", 0, "note", note);
    control_answer(call, result);
}

void deploy_answer_log_failed(struct master *master, const struct deploy_asker *asker)
{
    char message[DEPLOY_WHY_MAX + 64];
    (void)snprintf(message, sizeof(message), "configuration is not applied, nothing is changed: %s",
                   master->deploy.why);
    if (!asker->is_worker) {
        log_event(&master->log, LOG_LEVEL_ERROR, NULL, "config.failed", message, NULL);
    }
}

void deploy_answer_log_done(struct master *master, const struct deploy_asker *asker)
{
    if (!asker->is_worker) {
        log_event(&master->log, LOG_LEVEL_NOTICE, NULL, "config.applied",
                  "configuration is applied",
                  LOG_FIELDS(log_int("number", (int64_t)master->inventory.number),
                             log_text("hash", master->inventory.conf->hash),
                             log_text("how", master->deploy.how)));
    }
}

void deploy_answer_failed(struct master *master, const struct deploy_asker *asker)
{
    const char *why = master->deploy.why;
    if (asker->call != NULL) {
        control_fail(asker->call, CONTROL_FAILED, why);
    }
    if (asker->is_reload) {
        reload_on_deployed(master, NULL, why);
    }
    if (asker->is_worker) {
        orders_on_deployed(master, why);
    }
}

void deploy_answer_done(struct master *master, const struct deploy_asker *asker, json_t *result)
{
    static const char out_of_memory[] = "applied, but out of memory for the answer";
    if (asker->is_reload) {
        reload_on_deployed(master, result, out_of_memory);
    } else if (asker->is_worker) {
        json_decref(result);
        orders_on_deployed(master, NULL);
    } else if (asker->call == NULL) {
        json_decref(result);
    } else if (result != NULL) {
        control_answer(asker->call, result);
    } else {
        control_fail(asker->call, CONTROL_FAILED, out_of_memory);
    }
}
