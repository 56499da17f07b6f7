/* configs.c - where configurations come from: the disk, the history, a command.
 * Owns the history of those that were applied, and the counts that operators set by command.  Each way ends in a checked struct conf that
 * deploy.c applies, whole or not at all.  `config apply` and `rollback` mean the files and drop what was set by command; a reload keeps
 * it, because who brings new code does not think of that.
 * Called by methods_config.c, reload.c and the signals.  Must not know how a configuration is applied. */
#include "daemon/change/configs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "daemon/change/deploy_answer.h"
#include "daemon/conf/conf_extra.h"
#include "daemon/conf/problem.h"
#include "daemon/control/control.h"
#include "daemon/master.h"
#include "daemon/state.h"

static void warn(struct master *master, const struct fsd_err *err)
{
    if (err->text[0] != '\0') {
        log_event(&master->log, LOG_LEVEL_WARNING, NULL, "config.history_failed", err->text, NULL);
    }
}

static void add_to_history(struct master *master, enum history_how how)
{
    const struct conf *conf = master->inventory.conf;
    struct history_source source = {conf->texts, conf->text_count, conf->hash};
    struct fsd_err err = {""};
    master->inventory.number = history_add(&master->configs.history, &source, how, &err);
    warn(master, &err);
}

void configs_open(struct master *master)
{
    struct fsd_err err = {""};
    (void)history_open(&master->configs.history, master->inventory.conf->state_path, &err);
    warn(master, &err);
    add_to_history(master, HISTORY_START);
}

void configs_inherit(struct master *master)
{
    const struct conf *conf = master->inventory.conf;
    struct history_source source = {conf->texts, conf->text_count, conf->hash};
    struct fsd_err err = {""};
    (void)history_open(&master->configs.history, conf->state_path, &err);
    warn(master, &err);
    history_inherit(&master->configs.history, &source, master->inventory.number);
}

void configs_close(struct master *master)
{
    history_fini(&master->configs.history);
}

/* A pool that is gone takes along what was set for it: another one of its name has nothing to do with that. */
static void forget_gone(struct configs_overrides *overrides, const struct conf *conf)
{
    size_t kept = 0;
    for (size_t i = 0; i < overrides->count; i++) {
        for (size_t j = 0; j < conf->pool_count; j++) {
            if (strcmp(conf->pools[j].name, overrides->items[i].pool) == 0) {
                overrides->items[kept++] = overrides->items[i];
                break;
            }
        }
    }
    overrides->count = kept;
}

void configs_on_applied(struct master *master, const char *how)
{
    enum history_how found = HISTORY_APPLY;
    if (deploy_is_by_worker(how)) {
        forget_gone(&master->configs.overrides, master->inventory.conf);
        return;
    }
    for (int i = 0; i < HISTORY_HOWS; i++) {
        if (strcmp(history_record_format_how((enum history_how)i), how) == 0) {
            found = (enum history_how)i;
        }
    }
    if (found == HISTORY_APPLY || found == HISTORY_ROLLBACK) {
        master->configs.overrides.count = 0;
    } else if (found == HISTORY_SCALE) {
        master->configs.overrides = master->configs.wanted;
    }
    add_to_history(master, found);
}

json_t *configs_list_overrides(const struct configs *configs)
{
    json_t *list = json_array();
    for (size_t i = 0; i < configs->overrides.count; i++) {
        const struct configs_override *item = &configs->overrides.items[i];
        (void)json_array_append_new(
            list, json_sprintf("pools.%s.count=%u by scale", item->pool, item->count));
    }
    return list;
}

json_t *configs_list_dropped(const struct configs *configs, const struct conf *conf)
{
    json_t *list = json_array();
    for (size_t i = 0; i < configs->overrides.count; i++) {
        const struct configs_override *item = &configs->overrides.items[i];
        for (size_t j = 0; j < conf->pool_count; j++) {
            const struct conf_pool *pool = &conf->pools[j];
            if (strcmp(pool->name, item->pool) == 0) {
                json_t *count =
                    pool->count == 0 ? json_string("auto") : json_integer((json_int_t)pool->count);
                (void)json_array_append_new(list, json_pack("{s:s, s:i, s:o}", "pool", item->pool,
                                                            "count", (int)item->count, "configured",
                                                            count));
            }
        }
    }
    return list;
}

/* Lays overrides over a conf. */
static void set_overrides(const struct configs_overrides *overrides, struct conf *conf)
{
    struct conf_override items[CONFIGS_OVERRIDES_MAX];
    for (size_t i = 0; i < overrides->count; i++) {
        items[i] = (struct conf_override){overrides->items[i].pool, overrides->items[i].count};
    }
    conf_override(conf, &(struct conf_overrides){items, overrides->count});
}

/* What problem_print says, as a text of the caller's; NULL: nothing, or no memory. */
static char *print_problems(const struct problem_list *problems)
{
    char *text = NULL;
    size_t len = 0;
    if (problems->errors + problems->warnings == 0) {
        return NULL;
    }
    FILE *out = open_memstream(&text, &len);
    if (out == NULL) {
        return NULL;
    }
    problem_print(problems, out);
    return fclose(out) == 0 ? text : NULL;
}

/* Takes conf, NULL is allowed, and returns it, unless memory is out. */
static struct conf *carry_extra(const struct master *master, struct conf *conf,
                                struct problem_list *problems)
{
    if (conf != NULL && conf_extra_carry(conf, master->inventory.conf, NULL, problems) < 0) {
        (void)problem_add(problems, PROBLEM_ERROR, NULL, "out of memory");
        conf_free(conf);
        return NULL;
    }
    return conf;
}

struct conf *configs_load_files(const struct master *master, char **ret_text)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct conf *conf =
        carry_extra(master, master->options->load(master->options, &problems), &problems);
    *ret_text = print_problems(&problems);
    problem_list_fini(&problems);
    /* cppcheck-suppress returnDanglingLifetime ; conf borrows nothing of the list */
    return conf;
}

void configs_override(const struct master *master, struct conf *conf)
{
    set_overrides(&master->configs.overrides, conf);
}

struct conf *configs_load(const struct master *master, char **ret_text)
{
    struct conf *conf = configs_load_files(master, ret_text);
    if (conf != NULL) {
        configs_override(master, conf);
    }
    return conf;
}

static void refuse(struct master *master, struct control_call *call, char *text)
{
    const char *why = text != NULL ? text : "the configuration cannot be read: out of memory";
    if (call != NULL) {
        control_fail(call, CONTROL_BAD_CONFIG, why);
    } else {
        log_event(&master->log, LOG_LEVEL_ERROR, NULL, "config.refused", why, NULL);
    }
    free(text);
}

void configs_apply(struct master *master, struct control_call *call)
{
    char *text = NULL;
    struct conf *conf = configs_load_files(master, &text);
    if (conf == NULL) {
        refuse(master, call, text);
        return;
    }
    free(text);
    deploy_start(master, conf, "apply", false, call);
}

static struct conf *load_texts(const struct master *master, const struct conf_text *texts,
                               size_t count, char **ret_text)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct conf *conf =
        carry_extra(master, conf_load_texts(texts, count, NULL, &problems), &problems);
    *ret_text = print_problems(&problems);
    problem_list_fini(&problems);
    return conf;
}

void configs_roll_back(struct master *master, uint64_t number, struct control_call *call)
{
    const struct history *history = &master->configs.history;
    struct conf_text *texts = NULL;
    size_t count = 0;
    char *text = NULL;
    struct fsd_err err = {""};
    if (number == 0) {
        const struct history_entry *before = history_find_before(history);
        if (before == NULL) {
            control_fail(call, CONTROL_FAILED,
                         "there is no configuration with other files before this one");
            return;
        }
        number = before->number;
    }
    if (history_load(history, number, &texts, &count, &err) < 0) {
        control_fail(call, CONTROL_FAILED, err.text);
        return;
    }
    struct conf *conf = load_texts(master, texts, count, &text);
    history_record_free_texts(texts, count);
    if (conf == NULL) {
        refuse(master, call, text);
        return;
    }
    free(text);
    deploy_start(master, conf, "rollback", false, call);
}

/* False: there are too many. */
static bool set_override(struct configs_overrides *overrides, const char *pool, unsigned count)
{
    size_t i = 0;
    while (i < overrides->count && strcmp(overrides->items[i].pool, pool) != 0) {
        i++;
    }
    if (i == CONFIGS_OVERRIDES_MAX) {
        return false;
    }
    (void)snprintf(overrides->items[i].pool, sizeof(overrides->items[i].pool), "%s", pool);
    overrides->items[i].count = count;
    overrides->count += i == overrides->count;
    return true;
}

/* The running configuration, not what the disk has now. */
static struct conf *load_running(const struct master *master, char **ret_text)
{
    const struct conf *running = master->inventory.conf;
    return running->text_count > 0
               ? load_texts(master, running->texts, running->text_count, ret_text)
               : configs_load_files(master, ret_text);
}

/* Applies the running configuration with the overrides that are wanted. */
static void apply_wanted(struct master *master, const struct configs_overrides *wanted,
                         struct control_call *call)
{
    char *text = NULL;
    struct conf *conf = load_running(master, &text);
    if (conf == NULL) {
        refuse(master, call, text);
        return;
    }
    free(text);
    set_overrides(wanted, conf);
    if (master_find_obstacle(master) == NULL) { /* else another `scale` may be under way */
        master->configs.wanted = *wanted;
    }
    deploy_start(master, conf, "scale", false, call);
}

void configs_scale(struct master *master, const char *pool, unsigned count,
                   struct control_call *call)
{
    struct configs_overrides wanted = master->configs.overrides;
    const struct pool *now = inventory_find_pool(&master->inventory, pool);
    if (now != NULL && now->count == count && master_find_obstacle(master) == NULL) {
        deploy_answer_same_count(master, now, call);
    } else if (set_override(&wanted, pool, count)) {
        apply_wanted(master, &wanted, call);
    } else {
        control_fail(call, CONTROL_FAILED, "too many pools were scaled");
    }
}

void configs_scale_all(struct master *master, int by)
{
    struct configs_overrides wanted = master->configs.overrides;
    for (size_t i = 0; i < master->inventory.conf->pool_count; i++) {
        const struct pool *pool = master->inventory.pools[i];
        int count = (int)pool->count + by;
        if (count >= 1 && count <= POOL_SLOTS_MAX) {
            (void)set_override(&wanted, pool->name, (unsigned)count);
        }
    }
    apply_wanted(master, &wanted, NULL);
}
