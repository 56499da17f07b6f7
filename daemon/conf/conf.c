/*
 * conf.c - the configuration, from files to struct conf.
 *
 * Owns struct conf and the order of the steps: read the files, make trees, lay them over each
 * other, replace references, bind keys, check the parts against each other.  Texts and trees live
 * only as long as this takes; the result has copies of all it needs.  A syntax error in any file
 * ends the work before binding, because half a configuration would only yield false complaints.
 *
 * Called by main.c and at every reload.  Must not print or log: problems go to the caller's list.
 */
#include "daemon/conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/conf_check.h"
#include "daemon/conf/conf_files.h"
#include "daemon/conf/conf_merge.h"
#include "daemon/conf/conf_state.h"
#include "daemon/conf/problem.h"
#include "daemon/conf/refs.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/source.h"
#include "daemon/conf/yaml.h"

/* One tree of all sources; NULL: one of them is not YAML, or no memory. */
static struct yaml_node *read_trees(struct source *const *sources, size_t count,
                                    struct problem_list *list)
{
    struct problem_place top = {sources[0], 1, 1, 1};
    struct yaml_node *root = yaml_node_new(YAML_MAP, &top);
    bool is_good = root != NULL;

    if (root == NULL) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
    }
    for (size_t i = 0; i < count && root != NULL; i++) {
        struct yaml_node *tree = yaml_read(sources[i], list);
        if (tree == NULL) {
            is_good = false;
        } else {
            conf_merge(root, tree, list);
        }
    }
    if (!is_good) {
        yaml_node_free(root);
        return NULL;
    }
    return root;
}

/* An empty conf that knows its files; NULL: no memory. */
static struct conf *new_conf(struct source *const *sources, size_t count)
{
    struct conf *conf = calloc(1, sizeof(*conf));

    if (conf == NULL) {
        return NULL;
    }
    conf->files = calloc(count, sizeof(*conf->files));
    for (size_t i = 0; i < count && conf->files != NULL; i++) {
        conf->files[i] = strdup(sources[i]->path);
        if (conf->files[i] == NULL) {
            break;
        }
        conf->file_count++;
    }
    if (conf->file_count != count) {
        conf_free(conf);
        return NULL;
    }
    return conf;
}

/* The environment may know a better folder than the row of the key does. */
static void place_state(struct conf *conf, const struct yaml_node *root, struct problem_list *list)
{
    const struct yaml_node *written = yaml_find(yaml_find(root, "state"), "path");
    char *path = NULL;

    if (written != NULL && !yaml_is_null(written)) {
        return;
    }
    if (conf_state_from_environment(&path) < 0) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
    } else if (path != NULL) {
        free(conf->state_path);
        conf->state_path = path;
    }
}

/* count is at least 1. */
static struct conf *build(struct source *const *sources, size_t count, struct problem_list *list)
{
    size_t errors_before = list->errors;
    struct yaml_node *root = read_trees(sources, count, list);

    if (root == NULL) {
        return NULL;
    }
    refs_resolve(root, list);
    struct conf *conf = new_conf(sources, count);
    if (conf == NULL) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
    } else {
        schema_bind(root, conf, list);
        place_state(conf, root, list);
        conf_check(conf, root, list);
    }
    yaml_node_free(root);
    if (list->errors > errors_before) {
        conf_free(conf);
        return NULL;
    }
    return conf;
}

struct conf *conf_load(const char *file, struct problem_list *list)
{
    struct source *sources[CONF_FILES_MAX] = {NULL};
    size_t count = 0;
    struct conf *conf = NULL;

    if (conf_files_read(file, sources, &count, list)) {
        conf = build(sources, count, list);
    }
    for (size_t i = 0; i < count; i++) {
        source_free(sources[i]);
    }
    return conf;
}

struct conf *conf_parse(const char *file, const char *text, size_t len, struct problem_list *list)
{
    struct source *source = source_new(file, text, len);

    if (source == NULL) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
        return NULL;
    }
    list->files_count++;
    struct conf *conf = build(&source, 1, list);
    source_free(source);
    return conf;
}

static void fini_app(struct conf_app *app)
{
    free(app->name);
    free(app->path);
    free(app->settings);
    for (size_t i = 0; i < app->env_count; i++) {
        free(app->env[i].name);
        free(app->env[i].value);
    }
    free(app->env);
}

void conf_free(struct conf *conf)
{
    if (conf == NULL) {
        return;
    }
    for (size_t i = 0; i < conf->listener_count; i++) {
        free(conf->listeners[i].name);
    }
    for (size_t i = 0; i < conf->app_count; i++) {
        fini_app(&conf->apps[i]);
    }
    for (size_t i = 0; i < conf->pool_count; i++) {
        free(conf->pools[i].name);
    }
    for (size_t i = 0; i < conf->supervisor_count; i++) {
        free(conf->supervisors[i].name);
    }
    for (size_t i = 0; i < conf->file_count; i++) {
        free(conf->files[i]);
    }
    free(conf->listeners);
    free(conf->apps);
    free(conf->pools);
    free(conf->supervisors);
    free(conf->log_path);
    free(conf->control_path);
    free(conf->state_path);
    free(conf->user);
    free(conf->group);
    free(conf->files);
    free(conf);
}
