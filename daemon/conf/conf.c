/*
 * conf.c - the configuration, from files to struct conf.
 *
 * Owns struct conf and the order of the steps: read the files, make trees, lay them over each
 * other, replace references, bind keys, check the parts against each other.  The result keeps the
 * texts, so that it can be stored and loaded again, and the tree, which knows where each value was
 * written.  A syntax error in any file ends the work before binding, because half a configuration
 * would only yield false complaints.
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

static void free_sources(struct source **sources, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        source_free(sources[i]);
    }
    free(sources);
}

/* False: no memory. */
static bool fill_texts(struct conf *conf, struct source *const *sources, size_t count)
{
    conf->files = calloc(count, sizeof(*conf->files));
    conf->texts = calloc(count, sizeof(*conf->texts));
    if (conf->files == NULL || conf->texts == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        conf->texts[i] = (struct conf_text){sources[i]->path, sources[i]->text, sources[i]->len};
        conf->files[i] = strdup(sources[i]->path);
        if (conf->files[i] == NULL) {
            return false;
        }
        conf->file_count++;
    }
    conf->text_count = count;
    conf_text_hash(conf->texts, count, conf->hash);
    return true;
}

/* An empty conf with its texts.  Takes root and sources, even when it fails: NULL, no memory. */
static struct conf *new_conf(struct source **sources, size_t count, struct yaml_node *root)
{
    struct conf *conf = calloc(1, sizeof(*conf));

    if (conf == NULL || !fill_texts(conf, sources, count)) {
        yaml_node_free(root);
        free_sources(sources, count);
        conf_free(conf);
        return NULL;
    }
    conf->sources = sources;
    conf->tree = root;
    return conf;
}

/* The environment may know a better folder than the row of the key does. */
static void place_state(struct conf *conf, struct problem_list *list)
{
    const struct yaml_node *written = yaml_find(yaml_find(conf->tree, "state"), "path");
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

/* count is at least 1.  Takes sources. */
static struct conf *build(struct source **sources, size_t count, struct problem_list *list)
{
    size_t errors_before = list->errors;
    struct yaml_node *root = read_trees(sources, count, list);

    if (root == NULL) {
        free_sources(sources, count);
        return NULL;
    }
    refs_resolve(root, list);
    struct conf *conf = new_conf(sources, count, root);
    if (conf == NULL) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
        return NULL;
    }
    schema_bind(root, conf, list);
    place_state(conf, list);
    conf_check(conf, root, list);
    if (list->errors > errors_before) {
        conf_free(conf);
        return NULL;
    }
    return conf;
}

static struct source **new_sources(size_t count, struct problem_list *list)
{
    struct source **sources = calloc(count, sizeof(struct source *));

    if (sources == NULL) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
    }
    return sources;
}

struct conf *conf_load(const char *file, struct problem_list *list)
{
    return conf_load_as(file, NULL, list);
}

struct conf *conf_load_as(const char *file, const struct conf_replacement *replacement,
                          struct problem_list *list)
{
    struct source **sources = new_sources(CONF_FILES_MAX, list);
    size_t count = 0;

    if (sources == NULL) {
        return NULL;
    }
    if (!conf_files_read(file, replacement, sources, &count, list)) {
        free_sources(sources, count);
        return NULL;
    }
    return build(sources, count, list);
}

/* The next one; NULL: no memory, then all are freed.  Takes source. */
static bool add_source(struct source **sources, size_t index, struct source *source,
                       struct problem_list *list)
{
    sources[index] = source;
    if (source == NULL) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "%s", strerror(ENOMEM));
        free_sources(sources, index);
        return false;
    }
    list->files_count++;
    return true;
}

struct conf *conf_load_texts(const struct conf_text *texts, size_t count,
                             const struct conf_overrides *overrides, struct problem_list *list)
{
    if (count == 0) {
        (void)problem_add(list, PROBLEM_ERROR, NULL, "there is no text of a configuration");
        return NULL;
    }
    struct source **sources = new_sources(count, list);
    for (size_t i = 0; i < count && sources != NULL; i++) {
        if (!add_source(sources, i, source_new(texts[i].path, texts[i].text, texts[i].len), list)) {
            return NULL;
        }
    }
    struct conf *conf = sources == NULL ? NULL : build(sources, count, list);
    if (conf != NULL && overrides != NULL) {
        conf_override(conf, overrides);
    }
    return conf;
}

struct conf *conf_parse(const char *file, const char *text, size_t len, struct problem_list *list)
{
    struct source **sources = new_sources(1, list);

    if (sources == NULL || !add_source(sources, 0, source_new(file, text, len), list)) {
        return NULL;
    }
    return build(sources, 1, list);
}

void conf_override(struct conf *conf, const struct conf_overrides *overrides)
{
    for (size_t i = 0; i < conf->pool_count; i++) {
        for (size_t j = 0; j < overrides->count; j++) {
            if (strcmp(conf->pools[i].name, overrides->items[j].pool) == 0) {
                conf->pools[i].count = overrides->items[j].count;
                conf->pools[i].is_count_override = true;
            }
        }
    }
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

static void fini_pool(struct conf_pool *pool)
{
    free(pool->name);
    yaml_node_free(pool->tree);
    source_free(pool->source);
}

/* What copies share. */
static void free_origin(struct conf *conf)
{
    for (size_t i = 0; i < conf->file_count; i++) {
        free(conf->files[i]);
    }
    free(conf->files);
    free(conf->texts);
    yaml_node_free(conf->tree);
    if (conf->sources != NULL) {
        free_sources(conf->sources, conf->text_count);
    }
}

static void free_whole(struct conf *conf)
{
    for (size_t i = 0; i < conf->listener_count; i++) {
        free(conf->listeners[i].name);
    }
    for (size_t i = 0; i < conf->app_count; i++) {
        fini_app(&conf->apps[i]);
    }
    for (size_t i = 0; i < conf->pool_count; i++) {
        fini_pool(&conf->pools[i]);
    }
    for (size_t i = 0; i < conf->supervisor_count; i++) {
        free(conf->supervisors[i].name);
    }
    for (size_t i = 0; i < conf->shared_count; i++) {
        free(conf->shared[i].name);
    }
    free(conf->listeners);
    free(conf->apps);
    free(conf->pools);
    free(conf->shared);
    free(conf->supervisors);
    free(conf->log_path);
    free(conf->log_access);
    free(conf->log_access_path);
    free(conf->control_path);
    free(conf->state_path);
    free(conf->user);
    free(conf->group);
    if (conf->base == NULL) {
        free_origin(conf);
    }
    free(conf);
}

void conf_free(struct conf *conf)
{
    while (conf != NULL && conf->users == 0) {
        struct conf *base = conf->base;
        free_whole(conf);
        conf = base;
    }
    if (conf != NULL) {
        conf->users--;
    }
}
