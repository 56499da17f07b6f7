/*
 * conf_run.c - the configuration of `fsd run APP`, made without a file.
 *
 * Owns what a developer gets unasked: one listener, one app, one pool, a short drain, and a control
 * socket of its own so that several can run side by side.  All other values are the defaults of the
 * schema's rows, as if an empty file had been read.
 *
 * Called by the verb run.  Must not know what the rows say.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/conf_check.h"
#include "daemon/conf/conf_state.h"
#include "daemon/conf/file.h"
#include "daemon/conf/problem.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/schema_groups.h"
#include "daemon/conf/settings.h"

enum { RUN_DRAIN_MS = 1000 };

/* "apps/my shop.lua" -> "my_shop", "shop/" -> "shop": a name that a file could use as well. */
static char *name_of(const char *path)
{
    size_t end = strlen(path);

    while (end > 1 && path[end - 1] == '/') {
        end--;
    }
    size_t start = end;
    while (start > 0 && path[start - 1] != '/') {
        start--;
    }
    if (end - start > 4 && memcmp(path + end - 4, ".lua", 4) == 0) {
        end -= 4;
    }
    if (end == start) {
        return strdup("app");
    }
    size_t len = end - start < SCHEMA_NAME_MAX ? end - start : SCHEMA_NAME_MAX;
    char *name = strndup(path + start, len);
    if (name == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)name[i]) && (i == 0 || strchr("_-.", name[i]) == NULL)) {
            name[i] = i == 0 ? 'x' : '_';
        }
    }
    return name;
}

/* Below XDG_RUNTIME_DIR, which only the user can enter, or else /tmp. */
static char *new_control_path(void)
{
    const char *folder = getenv("XDG_RUNTIME_DIR");
    char *path = NULL;

    if (folder == NULL || folder[0] != '/') {
        folder = "/tmp";
    }
    if (asprintf(&path, "%s/fsd-run-%ld.sock", folder, (long)getpid()) < 0) {
        return NULL;
    }
    return path;
}

static int fill_app(struct conf_app *app, const char *path, struct problem_list *list)
{
    app->name = name_of(path);
    app->path = file_absolute(path);
    if (app->name == NULL || app->path == NULL || schema_set_defaults("apps.*", app) < 0) {
        return -ENOMEM;
    }
    return settings_encode(NULL, "settings", list, &app->settings, &app->settings_len);
}

static int fill_pool(struct conf_pool *pool, const char *name, unsigned workers)
{
    if (schema_set_defaults("pools.*", pool) < 0) {
        return -ENOMEM;
    }
    pool->name = strdup(name);
    pool->listener_count = 1;
    pool->count = workers;
    pool->drain_ms = RUN_DRAIN_MS;
    return pool->name == NULL ? -ENOMEM : 0;
}

static int fill_conf(struct conf *conf, const char *app, unsigned workers, const char *control_path,
                     struct problem_list *list)
{
    conf->listeners = calloc(1, sizeof(*conf->listeners));
    conf->apps = calloc(1, sizeof(*conf->apps));
    conf->pools = calloc(1, sizeof(*conf->pools));
    if (conf->listeners == NULL || conf->apps == NULL || conf->pools == NULL) {
        return -ENOMEM;
    }
    conf->listener_count = 1;
    conf->app_count = 1;
    conf->pool_count = 1;
    conf->listeners[0].name = strdup("http");
    conf->listeners[0].place.file = "";
    conf->apps[0].place.file = "";
    conf->pools[0].place.file = "";
    conf->control_path = control_path == NULL ? new_control_path() : file_absolute(control_path);
    conf->state_path = conf_state_for_run();
    if (conf->listeners[0].name == NULL || conf->control_path == NULL || conf->state_path == NULL ||
        schema_set_defaults("log", conf) < 0 || fill_app(&conf->apps[0], app, list) < 0) {
        return -ENOMEM;
    }
    return fill_pool(&conf->pools[0], conf->apps[0].name, workers);
}

struct conf *conf_new_for_run(const char *app, const struct parse_address *address,
                              unsigned workers, const char *control_path, struct problem_list *list)
{
    size_t errors_before = list->errors;
    struct conf *conf = calloc(1, sizeof(*conf));

    if (conf == NULL || fill_conf(conf, app, workers, control_path, list) < 0) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
        conf_free(conf);
        return NULL;
    }
    conf->listeners[0].address = *address;
    conf_text_hash(NULL, 0, conf->hash);
    conf_check(conf, NULL, list);
    if (list->errors > errors_before) {
        conf_free(conf);
        return NULL;
    }
    return conf;
}
