/*
 * conf_show.c - every key of a configuration with its value and where that was written.
 *
 * Owns the walk over the rows: values that have a field come from struct conf, so what is shown is
 * what counts; maps of the application's own come from the tree, which also knows the places.  A
 * secret is never shown: for keys of fsd that is what came from a file or credential, for values
 * of an application all that came from a reference, as the manual promises.
 *
 * Called by `fsd config show` and by the master for its commands.  Must not know a single key but
 * those that have another origin: what an operator can override, and what extra pools have.
 */
#include "daemon/conf/conf_show.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/conf_show_text.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/schema_format.h"
#include "daemon/conf/schema_groups.h"
#include "daemon/conf/source.h"
#include "daemon/conf/yaml.h"

struct showing {
    const struct conf *conf; /* borrowed */
    conf_show_fn show;
    void *ctx; /* borrowed by show */
    int result;
};

/* A section while its keys are shown. */
struct shown_section {
    const char *pattern; /* "pools.*.limits" */
    const char *label;   /* "pools.web.limits" */
    const struct yaml_node *node;
    const void *object;
};

static void show_section(struct showing *showing, const struct shown_section *section);

/* node NULL: it was not written.  Takes value (NULL: no memory). */
static void pass_on(struct showing *showing, const char *label, char *value,
                    const struct yaml_node *node, const char *otherwise)
{
    char *origin = NULL;

    if (node == NULL) {
        origin = strdup(otherwise);
    } else {
        const struct problem_place *place =
            node->kind == YAML_SCALAR ? &node->place : &node->key_place;
        if (asprintf(&origin, "%s:%u:%u", place->source->path, place->line, place->column) < 0) {
            origin = NULL;
        }
    }
    if (value == NULL || origin == NULL) {
        showing->result = -ENOMEM;
    } else {
        showing->show(showing->ctx, label, value, origin);
    }
    free(value);
    free(origin);
}

/* The value in its struct, as a text; NULL: no memory.  The caller frees it. */
static char *format_value(const struct showing *showing, const struct schema_row *row,
                          const void *object)
{
    char *raw = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&raw, &len);

    if (out == NULL) {
        return NULL;
    }
    schema_format(row, showing->conf, object, out);
    /* glibc's fclose may take the text away without saying so */
    bool is_whole = fclose(out) == 0 && raw != NULL;
    char *value = is_whole ? conf_show_text_escape(raw, len) : NULL;
    free(raw);
    return value;
}

static void show_value(struct showing *showing, const struct shown_section *section,
                       const struct schema_row *row, const char *label)
{
    const struct yaml_node *node = yaml_find(section->node, row->name);
    char *value = format_value(showing, row, section->object);
    const char *otherwise = "default";

    if (node != NULL && yaml_is_null(node)) {
        node = NULL; /* which means the default */
    }
    if (row->kind == SCHEMA_COUNT &&
        ((const struct conf_pool *)section->object)->is_count_override) {
        node = NULL;
        otherwise = "override";
    } else if (row->kind == SCHEMA_ADDRESS &&
               ((const struct conf_listener *)section->object)->is_extra) {
        otherwise = "lua";
    } else if (showing->conf->tree == NULL && value != NULL &&
               (row->initial == NULL || strcmp(value, row->initial) != 0)) {
        otherwise = "run";
    }
    if (node != NULL && node->is_secret && value != NULL) {
        free(value);
        value = strdup(CONF_SHOW_TEXT_SECRET);
    }
    pass_on(showing, label, value, node, otherwise);
}

/* A map of the application's own: each value of it, however deep.  A variable that is null is none,
 * in settings it is a value. */
static void show_map(struct showing *showing, const struct schema_row *row, const char *label,
                     const struct yaml_node *node)
{
    if (row->kind != SCHEMA_SETTINGS && yaml_is_null(node)) {
        return;
    }
    if (node->kind != YAML_MAP || node->child_count == 0) {
        pass_on(showing, label, conf_show_text_format(node), node, "default");
        return;
    }
    for (const struct yaml_node *child = node->child; child != NULL; child = child->next) {
        char *key = conf_show_text_escape(child->key, strlen(child->key));
        char *inner = NULL;
        if (key == NULL || asprintf(&inner, "%s.%s", label, key) < 0) {
            showing->result = -ENOMEM;
        } else {
            show_map(showing, row, inner, child);
            free(inner);
        }
        free(key);
    }
}

/* An extra pool was not written into the files, but what a worker asked for is kept. */
static const struct yaml_node *find_entry(const struct conf *conf, const char *section,
                                          const char *name)
{
    const struct yaml_node *node = yaml_find(yaml_find(conf->tree, section), name);

    for (size_t i = 0; i < conf->pool_count && strcmp(section, "pools") == 0; i++) {
        const struct conf_pool *pool = &conf->pools[i];
        if (pool->tree != NULL && strcmp(pool->name, name) == 0) {
            return pool->tree;
        }
    }
    return node;
}

/* One listener, app, pool or supervisor after the other. */
static void show_entries(struct showing *showing, const struct schema_row *row)
{
    const struct conf *conf = showing->conf;
    size_t count = schema_groups_count(conf, row->name);
    char pattern[128];

    (void)snprintf(pattern, sizeof(pattern), "%s.*", row->name);
    for (size_t i = 0; i < count; i++) {
        const char *name = schema_groups_name(conf, row->name, i);
        char label[128 + SCHEMA_NAME_MAX];
        (void)snprintf(label, sizeof(label), "%s.%s", row->name, name);
        struct shown_section entry = {pattern, label, find_entry(conf, row->name, name),
                                      schema_groups_item(conf, row->name, i)};
        show_section(showing, &entry);
    }
}

static void show_row(struct showing *showing, const struct shown_section *section,
                     const struct schema_row *row)
{
    char label[512];
    char pattern[128];
    const char *dot = section->label[0] == '\0' ? "" : ".";
    const struct yaml_node *node = yaml_find(section->node, row->name);

    (void)snprintf(label, sizeof(label), "%s%s%s", section->label, dot, row->name);
    if (row->kind == SCHEMA_ENTRIES) {
        show_entries(showing, row);
    } else if (row->kind == SCHEMA_SECTION) {
        (void)snprintf(pattern, sizeof(pattern), "%s%s%s", section->pattern, dot, row->name);
        struct shown_section inner = {pattern, label, node, section->object};
        show_section(showing, &inner);
    } else if (row->kind != SCHEMA_VARIABLES && row->kind != SCHEMA_FILES &&
               row->kind != SCHEMA_SETTINGS) {
        show_value(showing, section, row, label);
    } else if (node != NULL && node->kind == YAML_MAP) {
        show_map(showing, row, label, node);
    } else {
        pass_on(showing, label, strdup(row->initial), NULL, "default");
    }
}

static void show_section(struct showing *showing, const struct shown_section *section)
{
    size_t count = 0;
    const struct schema_row *rows = schema_rows(&count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].section, section->pattern) == 0) {
            show_row(showing, section, &rows[i]);
        }
    }
}

int conf_show(const struct conf *conf, conf_show_fn show, void *ctx)
{
    struct showing showing = {conf, show, ctx, 0};
    struct shown_section top = {"", "", conf->tree, conf};

    show_section(&showing, &top);
    return showing.result;
}
