/* methods_config.c - the control methods config.* and scale.
 * Owns nothing.  Reading, comparing and showing is done here at once; what changes something is passed on and answered later.
 * Called through the rows of methods.c.  Must not know sockets or JSON-RPC. */
#include "daemon/method/methods_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rpc.h"
#include "daemon/change/configs.h"
#include "daemon/change/deploy_answer.h"
#include "daemon/conf/conf_show.h"
#include "daemon/method/methods_params.h"
#include "daemon/state.h"

/* The lines of a text, as a list. */
static json_t *list_lines(const char *text)
{
    json_t *lines = json_array();
    while (text != NULL && *text != '\0') {
        size_t len = strcspn(text, "\n");
        (void)json_array_append_new(lines, json_stringn(text, len));
        text += len + (text[len] == '\n');
    }
    return lines;
}

void methods_config_check(void *owner, struct control_call *call, const json_t *params)
{
    char *text = NULL;
    if (!methods_has_only(call, params, NULL)) {
        return;
    }
    struct conf *conf = configs_load(owner, &text);
    json_int_t files = conf == NULL ? 0 : (json_int_t)conf->text_count;
    control_answer(call, json_pack("{s:s, s:b, s:I, s:o}", "schema", "fsd.config-check/1", "ok",
                                   conf != NULL, "files", files, "problems", list_lines(text)));
    conf_free(conf);
    free(text);
}

/* The configuration on the disk, as apply would have it; NULL: the call is answered. */
static struct conf *load(struct master *master, struct control_call *call)
{
    char *text = NULL;
    struct conf *conf = configs_load_files(master, &text);
    if (conf == NULL) {
        control_fail(call, CONTROL_BAD_CONFIG, text != NULL ? text : "out of memory");
    }
    free(text);
    return conf;
}

void methods_config_plan(void *owner, struct control_call *call, const json_t *params)
{
    struct master *master = owner;
    struct plan plan = {.count = 0};
    if (!methods_has_only(call, params, NULL)) {
        return;
    }
    struct conf *conf = load(master, call);
    if (conf == NULL) {
        return;
    }
    json_t *result = NULL;
    if (plan_make(master->inventory.conf, conf, &plan) == 0) {
        result = json_pack("{s:s, s:I, s:s, s:o, s:o}", "schema", "fsd.plan/1", "from",
                           (json_int_t)master->inventory.number, "hash", conf->hash, "changes",
                           deploy_answer_list_changes(&plan), "dropped",
                           configs_list_dropped(&master->configs, conf));
    }
    control_answer(call, result);
    plan_fini(&plan);
    conf_free(conf);
}

void methods_config_apply(void *owner, struct control_call *call, const json_t *params)
{
    if (methods_has_only(call, params, NULL) &&
        !deferred_add(owner, methods_config_apply, call, params)) {
        configs_apply(owner, call);
    }
}

void methods_config_rollback(void *owner, struct control_call *call, const json_t *params)
{
    int64_t number = 0;
    if (methods_has_only(call, params, "to") &&
        methods_get_int(call, params, "to", &(struct methods_range){1, INT64_MAX, true}, &number) &&
        !deferred_add(owner, methods_config_rollback, call, params)) {
        configs_roll_back(owner, (uint64_t)number, call);
    }
}

static void show_value(void *ctx, const char *key, const char *value, const char *origin)
{
    (void)json_array_append_new(
        ctx, json_pack("{s:s, s:s, s:s}", "key", key, "value", value, "origin", origin));
}

void methods_config_show(void *owner, struct control_call *call, const json_t *params)
{
    const struct master *master = owner;
    if (methods_get_flag(call, params, "origin") < 0) {
        return; /* the origin is always told; the flag is for fsdctl */
    }
    json_t *values = json_array();
    if (conf_show(master->inventory.conf, show_value, values) < 0) {
        json_decref(values);
        control_answer(call, NULL);
        return;
    }
    control_answer(call, json_pack("{s:s, s:I, s:s, s:o}", "schema", "fsd.config/1", "number",
                                   (json_int_t)master->inventory.number, "hash",
                                   master->inventory.conf->hash, "values", values));
}

static void collect_value(void *ctx, const char *key, const char *value, const char *origin)
{
    (void)origin;
    (void)json_object_set_new(ctx, key, json_string(value));
}

static void add_difference(json_t *differences, const char *key, json_t *running, json_t *disk)
{
    (void)json_array_append_new(
        differences, json_pack("{s:s, s:O?, s:O?}", "key", key, "running", running, "disk", disk));
}

/* Keys whose value differs, or that only one has. */
static json_t *compare(const struct conf *running, const struct conf *disk)
{
    json_t *ours = json_object();
    json_t *theirs = json_object();
    json_t *differences = json_array();
    const char *key;
    json_t *value;
    if (conf_show(running, collect_value, ours) == 0 &&
        conf_show(disk, collect_value, theirs) == 0) {
        json_object_foreach(ours, key, value)
        {
            json_t *other = json_object_get(theirs, key);
            if (!json_equal(value, other)) {
                add_difference(differences, key, value, other);
            }
        }
        json_object_foreach(theirs, key, value)
        {
            if (json_object_get(ours, key) == NULL) {
                add_difference(differences, key, NULL, value);
            }
        }
    }
    json_decref(ours);
    json_decref(theirs);
    return differences;
}

void methods_config_diff(void *owner, struct control_call *call, const json_t *params)
{
    struct master *master = owner;
    if (!methods_has_only(call, params, NULL)) {
        return;
    }
    struct conf *conf = load(master, call);
    if (conf == NULL) {
        return;
    }
    control_answer(call, json_pack("{s:s, s:I, s:s, s:s, s:o}", "schema", "fsd.config-diff/1",
                                   "number", (json_int_t)master->inventory.number, "running_hash",
                                   master->inventory.conf->hash, "disk_hash", conf->hash,
                                   "differences", compare(master->inventory.conf, conf)));
    conf_free(conf);
}

void methods_config_history(void *owner, struct control_call *call, const json_t *params)
{
    const struct master *master = owner;
    const struct history *history = &master->configs.history;
    json_t *entries = json_array();
    if (!methods_has_only(call, params, NULL)) {
        json_decref(entries);
        return;
    }
    for (size_t i = 0; history_get(history, i) != NULL; i++) {
        const struct history_entry *entry = history_get(history, i);
        (void)json_array_append_new(
            entries,
            json_pack("{s:I, s:I, s:s, s:s, s:I}", "number", (json_int_t)entry->number, "at",
                      (json_int_t)entry->at_ms, "hash", entry->hash, "how",
                      history_record_format_how(entry->how), "files", (json_int_t)entry->files));
    }
    control_answer(call, json_pack("{s:s, s:I, s:o}", "schema", "fsd.config-history/1", "running",
                                   (json_int_t)master->inventory.number, "entries", entries));
}

_Static_assert((int)RPC_WORKERS_MAX == (int)POOL_SLOTS_MAX, "fsdctl knows the range");
void methods_config_scale(void *owner, struct control_call *call, const json_t *params)
{
    int64_t count = 0;
    static const char *const names[] = {"pool", "count", NULL};
    if (!methods_has_only_these(call, params, names)) {
        return;
    }
    const struct pool *pool = methods_get_pool(owner, call, params);
    if (pool != NULL &&
        methods_get_int(call, params, "count", &(struct methods_range){1, POOL_SLOTS_MAX, false},
                        &count) &&
        !deferred_add(owner, methods_config_scale, call, params)) {
        configs_scale(owner, pool->name, (unsigned)count, call);
    }
}
