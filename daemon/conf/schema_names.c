/*
 * schema_names.c - the keys whose values are names, and the variables of an application.
 *
 * Owns the lookup of names.  Sections are bound in the order of the rows, so a pool's app and
 * listeners are there when the pool asks for them.
 *
 * Called by schema.c.  Must not compare pools with each other (conf_check.c does).
 */
#include "daemon/conf/schema_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/schema_groups.h"
#include "daemon/conf/schema_section.h"
#include "daemon/conf/yaml.h"

static void hint_names(struct problem *problem, struct conf *conf, const char *section,
                       const char *text)
{
    const char *names[SCHEMA_GROUP_MAX];
    size_t count = schema_groups_count(conf, section);

    for (size_t i = 0; i < count; i++) {
        names[i] = schema_groups_name(conf, section, i);
    }
    const char *near = nearest_find(text, names, count);
    if (near != NULL) {
        problem_hint(problem, "did you mean \"%s\"?", near);
    } else {
        problem_hint(problem, "it must be a key in \"%s:\"", section);
    }
}

/* what is "an app" or "a listener", for messages. */
static bool find_name(const struct schema_section *section, const struct yaml_node *value,
                      const char *group, const char *what, size_t *ret_index)
{
    char expected[64];
    char label[SCHEMA_LABEL_MAX];

    schema_section_value_label(section, value, label);
    (void)snprintf(expected, sizeof(expected), "the name of %s", what);
    if (!schema_section_check_scalar(section, value, expected)) {
        return false;
    }
    for (size_t i = 0; i < schema_groups_count(section->conf, group); i++) {
        if (strcmp(schema_groups_name(section->conf, group, i), value->text) == 0) {
            *ret_index = i;
            return true;
        }
    }
    hint_names(problem_add(section->list, PROBLEM_ERROR, &value->place, "%s: there is no %s \"%s\"",
                           label, strchr(what, ' ') + 1,
                           value->is_expanded ? "(from a reference)" : value->text),
               section->conf, group, value->is_expanded ? "" : value->text);
    return false;
}

void schema_names_bind_app(const struct schema_section *section, const struct yaml_node *value)
{
    struct conf_pool *pool = section->object;

    (void)find_name(section, value, "apps", "an app", &pool->app); /* reports */
}

static void add_listener(const struct schema_section *section, struct conf_pool *pool,
                         const struct yaml_node *item)
{
    size_t index = 0;

    if (!find_name(section, item, "listeners", "a listener", &index)) {
        return;
    }
    for (size_t i = 0; i < pool->listener_count; i++) {
        if (pool->listeners[i] == index) {
            (void)problem_add(section->list, PROBLEM_ERROR, &item->place, "%s names \"%s\" twice",
                              section->label, item->text);
            return;
        }
    }
    if (pool->listener_count == CONF_POOL_LISTENERS_MAX) {
        (void)problem_add(section->list, PROBLEM_ERROR, &item->place, "%s has more than %d names",
                          section->label, CONF_POOL_LISTENERS_MAX);
        return;
    }
    pool->listeners[pool->listener_count++] = index;
}

void schema_names_bind_listeners(const struct schema_section *section,
                                 const struct yaml_node *value)
{
    struct conf_pool *pool = section->object;
    struct schema_section items = *section;
    char label[SCHEMA_LABEL_MAX];

    schema_section_label(section, value->key, label);
    items.label = label;
    if (value->kind != YAML_LIST) {
        struct problem *problem =
            problem_add(section->list, PROBLEM_ERROR,
                        value->kind == YAML_MAP ? &value->key_place : &value->place,
                        "%s must be a list of names", label);
        if (value->kind == YAML_SCALAR && value->len > 0 && !value->is_expanded) {
            problem_hint(problem, "write \"[%s]\"", value->text);
        }
        return;
    }
    for (const struct yaml_node *item = value->child; item != NULL; item = item->next) {
        add_listener(&items, pool, item);
    }
}

/* As in a shell: letters, digits and underscores. */
static bool is_variable(const char *text)
{
    return text[0] != '\0' && !isdigit((unsigned char)text[0]) &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] ==
               '\0';
}

static void bind_variable(const struct schema_section *section, struct conf_app *app,
                          const struct yaml_node *value)
{
    if (!is_variable(value->key)) {
        problem_hint(problem_add(section->list, PROBLEM_ERROR, &value->key_place,
                                 "\"%s\" cannot be the name of a variable in %s", value->key,
                                 section->label),
                     "letters, digits and \"_\"");
        return;
    }
    /* An explicit null takes a variable of an earlier file back. */
    if (value->len > 0 && yaml_is_null(value)) {
        return;
    }
    if (!schema_section_check_scalar(section, value, "a string (\"\" for an empty one)")) {
        return;
    }
    struct conf_env *variable = &app->env[app->env_count++];
    variable->name = strdup(value->key);
    variable->value = strdup(value->text);
    if (variable->name == NULL || variable->value == NULL) {
        schema_section_refuse_no_memory(section, value->key);
    }
}

void schema_names_bind_variables(const struct schema_section *section,
                                 const struct yaml_node *value)
{
    struct conf_app *app = section->object;

    if (value->child_count == 0) {
        return;
    }
    app->env = calloc(value->child_count, sizeof(*app->env));
    if (app->env == NULL) {
        schema_section_refuse_no_memory(section, "*");
        return;
    }
    for (const struct yaml_node *child = value->child; child != NULL; child = child->next) {
        bind_variable(section, app, child);
    }
}
