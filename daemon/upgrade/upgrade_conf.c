/* upgrade_conf.c - the configuration of the program before, as this program reads it.
 * Owns nothing.  The texts travel, not what was made of them: so each version reads them by its own rules, and what it can't read stops
 * the upgrade while it is only tried.  References to files and variables are looked up again.
 * Called by upgrade_resume.c, in the trial and in earnest.  Must not know what the configuration is for. */
#include "daemon/upgrade/upgrade_conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/conf_extra.h"
#include "daemon/conf/problem.h"
#include "daemon/master.h"
#include "daemon/upgrade/upgrade_state.h"

static struct conf *make_serve(const struct upgrade_state *state, struct problem_list *problems)
{
    const struct upgrade_text *from = state->texts.items;
    struct conf_text *texts = calloc(state->texts.count, sizeof(*texts));
    for (size_t i = 0; i < state->texts.count && texts != NULL; i++) {
        texts[i] = (struct conf_text){from[i].path, from[i].text, strlen(from[i].text)};
    }
    struct conf *conf =
        texts == NULL ? NULL : conf_load_texts(texts, state->texts.count, NULL, problems);
    free(texts);
    return conf;
}

static int add_extras(struct conf *conf, const struct upgrade_state *state, struct fsd_err *err)
{
    const struct upgrade_extra *from = state->extras.items;
    struct fsd_err why = {""};
    for (size_t i = 0; i < state->extras.count; i++) {
        struct conf_extra extra = {from[i].name, from[i].text, strlen(from[i].text)};
        int error = conf_extra_add(conf, &extra, (unsigned)state->auto_count, &why);
        if (error < 0) {
            return fsd_err_set(
                err, EPROTO, "this fsd cannot have the pool \"%s\", which was started from Lua: %s",
                from[i].name, why.text);
        }
    }
    return 0;
}

static int override_counts(struct conf *conf, const struct upgrade_state *state)
{
    const struct upgrade_override *from = state->overrides.items;
    struct conf_override *items = calloc(state->overrides.count + 1, sizeof(*items));
    if (items == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < state->overrides.count; i++) {
        items[i] = (struct conf_override){from[i].pool, (unsigned)from[i].count};
    }
    struct conf_overrides overrides = {items, state->overrides.count};
    conf_override(conf, &overrides);
    free(items);
    return 0;
}

static int fail(const char *kind, const char *name, struct fsd_err *err)
{
    return fsd_err_set(err, EPROTO, "this fsd does not find %s \"%s\" in the configuration", kind,
                       name);
}

static int match(const struct conf *conf, const struct upgrade_state *state, struct fsd_err *err)
{
    const struct upgrade_app *apps = state->apps.items;
    const struct upgrade_listener *listeners = state->listeners.items;
    const struct upgrade_pool *pools = state->pools.items;
    if (conf->app_count != state->apps.count || conf->listener_count != state->listeners.count ||
        conf->pool_count != state->pools.count) {
        return fsd_err_set(err, EPROTO, "this fsd finds other parts in the configuration");
    }
    for (size_t i = 0; i < conf->app_count; i++) {
        if (strcmp(conf->apps[i].name, apps[i].name) != 0) {
            return fail("app", apps[i].name, err);
        }
    }
    for (size_t i = 0; i < conf->listener_count; i++) {
        if (strcmp(conf->listeners[i].name, listeners[i].name) != 0) {
            return fail("listener", listeners[i].name, err);
        }
    }
    for (size_t i = 0; i < conf->pool_count; i++) {
        if (strcmp(conf->pools[i].name, pools[i].name) != 0) {
            return fail("pool", pools[i].name, err);
        }
    }
    return 0;
}

/* The first error stands for all. */
static int explain(const struct problem_list *problems, struct fsd_err *err)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *one = &problems->items[i];
        if (one->severity == PROBLEM_ERROR) {
            return fsd_err_set(err, EPROTO, "this fsd cannot read the configuration: %s:%u:%u: %s",
                               one->file == NULL ? "" : one->file, one->line, one->column,
                               one->message);
        }
    }
    return fsd_err_set(err, ENOMEM, "cannot read the configuration: out of memory");
}

int upgrade_conf_make(const struct upgrade_state *state, const struct master_options *options,
                      struct conf **ret_conf, struct fsd_err *err)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct conf *conf =
        state->texts.count == 0 ? options->load(options, &problems) : make_serve(state, &problems);
    int error = conf == NULL ? explain(&problems, err) : 0;
    problem_list_fini(&problems);
    if (conf == NULL) {
        return error;
    }
    error = add_extras(conf, state, err);
    if (error == 0) {
        error = override_counts(conf, state) < 0 ? fsd_err_set(err, ENOMEM, "%s", strerror(ENOMEM))
                                                 : match(conf, state, err);
    }
    if (error < 0) {
        conf_free(conf);
        return error;
    }
    *ret_conf = conf;
    return 0;
}
