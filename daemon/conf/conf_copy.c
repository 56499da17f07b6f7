/*
 * conf_copy.c - a configuration once more, so that something can be added to it.
 *
 * Owns the rule of what a copy shares: the texts and all that points into them (places, the tree)
 * stay the base's, which is counted; everything that a change may touch is the copy's own.  So a
 * copy reads no file, and can't differ from what runs because of something on the disk.
 *
 * Called for pools that are started and stopped while all else stays as it is.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/conf.h"

/* False: no memory.  Nothing is fine. */
static bool copy_text(char **text)
{
    if (*text != NULL) {
        *text = strdup(*text);
        return *text != NULL;
    }
    return true;
}

/* One element more than needed, so that an empty array is no lack of memory. */
static void *copy_array(const void *from, size_t count, size_t size)
{
    void *array = calloc(count + 1, size);

    if (array == NULL) {
        return NULL;
    }
    if (count > 0) {
        memcpy(array, from, count * size);
    }
    return array;
}

/* In all of these the count says how far the copy is its own, so that it can be freed at any time. */

static bool copy_listeners(struct conf *conf, const struct conf *from)
{
    size_t count = 0;

    while (count < from->listener_count && !from->listeners[count].is_extra) {
        count++;
    }
    conf->listeners = copy_array(from->listeners, count, sizeof(*conf->listeners));
    for (size_t i = 0; i < count && conf->listeners != NULL; i++) {
        if (!copy_text(&conf->listeners[i].name)) {
            return false;
        }
        conf->listener_count++;
    }
    return conf->listeners != NULL;
}

static bool copy_env(struct conf_app *app, const struct conf_app *from)
{
    app->env = copy_array(from->env, from->env_count, sizeof(*app->env));
    for (size_t i = 0; i < from->env_count && app->env != NULL; i++) {
        app->env_count++;
        if (!copy_text(&app->env[i].name)) {
            app->env[i].value = NULL;
            return false;
        }
        if (!copy_text(&app->env[i].value)) {
            return false;
        }
    }
    return app->env != NULL;
}

static bool copy_app(struct conf_app *app, const struct conf_app *from)
{
    *app = (struct conf_app){.settings_len = from->settings_len,
                             .probation_ms = from->probation_ms,
                             .place = from->place};
    app->name = strdup(from->name);
    app->path = from->path == NULL ? NULL : strdup(from->path);
    app->settings = copy_array(from->settings, from->settings_len, 1);
    return app->name != NULL && app->path != NULL && app->settings != NULL && copy_env(app, from);
}

static bool copy_apps(struct conf *conf, const struct conf *from)
{
    conf->apps = calloc(from->app_count + 1, sizeof(*conf->apps));
    for (size_t i = 0; i < from->app_count && conf->apps != NULL; i++) {
        conf->app_count++;
        if (!copy_app(&conf->apps[i], &from->apps[i])) {
            return false;
        }
    }
    return conf->apps != NULL;
}

static bool copy_pools(struct conf *conf, const struct conf *from)
{
    size_t count = 0;

    while (count < from->pool_count && from->pools[count].source == NULL) {
        count++;
    }
    conf->pools = copy_array(from->pools, count, sizeof(*conf->pools));
    for (size_t i = 0; i < count && conf->pools != NULL; i++) {
        if (!copy_text(&conf->pools[i].name)) {
            return false;
        }
        conf->pool_count++;
    }
    return conf->pools != NULL;
}

static bool copy_supervisors(struct conf *conf, const struct conf *from)
{
    conf->supervisors =
        copy_array(from->supervisors, from->supervisor_count, sizeof(*conf->supervisors));
    for (size_t i = 0; i < from->supervisor_count && conf->supervisors != NULL; i++) {
        if (!copy_text(&conf->supervisors[i].name)) {
            return false;
        }
        conf->supervisor_count++;
    }
    return conf->supervisors != NULL;
}

static bool copy_shared(struct conf *conf, const struct conf *from)
{
    conf->shared = copy_array(from->shared, from->shared_count, sizeof(*conf->shared));
    for (size_t i = 0; i < from->shared_count && conf->shared != NULL; i++) {
        if (!copy_text(&conf->shared[i].name)) {
            return false;
        }
        conf->shared_count++;
    }
    return conf->shared != NULL;
}

/* All are tried, so that none is left that belongs to from. */
static bool copy_keys(struct conf *conf)
{
    char **const texts[] = {&conf->log_path,     &conf->log_access, &conf->log_access_path,
                            &conf->control_path, &conf->state_path, &conf->user,
                            &conf->group};
    bool is_whole = true;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        is_whole = copy_text(texts[i]) && is_whole;
    }
    return is_whole;
}

struct conf *conf_copy(struct conf *from)
{
    struct conf *conf = malloc(sizeof(*conf));

    if (conf == NULL) {
        return NULL;
    }
    *conf = *from;
    conf->users = 0;
    conf->base = from->base == NULL ? from : from->base;
    conf->base->users++;
    conf->listeners = NULL;
    conf->listener_count = 0;
    conf->apps = NULL;
    conf->app_count = 0;
    conf->pools = NULL;
    conf->pool_count = 0;
    conf->supervisors = NULL;
    conf->supervisor_count = 0;
    conf->shared = NULL;
    conf->shared_count = 0;
    bool is_whole = copy_keys(conf) && copy_listeners(conf, from) && copy_apps(conf, from) &&
                    copy_pools(conf, from) && copy_supervisors(conf, from) &&
                    copy_shared(conf, from);
    if (!is_whole) {
        conf_free(conf);
        return NULL;
    }
    return conf;
}
