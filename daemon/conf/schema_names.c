/*
 * schema_names.c - the keys whose values are names of other entries.
 *
 * Owns the lookup of names.  All entries were made before any key is bound, so a name may be used
 * above the entry that has it.
 *
 * Called by schema.c.  Must not compare entries with each other (conf_check.c does).
 */
#include "daemon/conf/schema_names.h"

#include <string.h>

#include "common/nearest.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/schema_groups.h"
#include "daemon/conf/schema_section.h"
#include "daemon/conf/yaml.h"

/* What a name may belong to. */
struct name_kind {
    const char *what;      /* for messages, with its article */
    const char *groups[2]; /* the sections that have such names; the second may be NULL */
};

static const struct name_kind app_names = {"an app", {"apps", NULL}};
static const struct name_kind listener_names = {"a listener", {"listeners", NULL}};
static const struct name_kind child_names = {"a pool or supervisor", {"pools", "supervisors"}};

static size_t list_names(const struct conf *conf, const struct name_kind *kind,
                         const char *names[2 * SCHEMA_GROUP_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < 2 && kind->groups[i] != NULL; i++) {
        for (size_t j = 0; j < schema_groups_count(conf, kind->groups[i]); j++) {
            names[count++] = schema_groups_name(conf, kind->groups[i], j);
        }
    }
    return count;
}

static void refuse_name(const struct schema_section *section, const struct name_kind *kind,
                        const struct yaml_node *value, const char *label)
{
    const char *names[2 * SCHEMA_GROUP_MAX];
    size_t count = list_names(section->conf, kind, names);
    struct problem *problem = problem_add(
        section->list, PROBLEM_ERROR, &value->place, "%s: there is no %s \"%s\"", label,
        strchr(kind->what, ' ') + 1, value->is_expanded ? "(from a reference)" : value->text);
    const char *near = nearest_find(value->is_expanded ? "" : value->text, names, count);

    if (near != NULL) {
        problem_hint(problem, "did you mean \"%s\"?", near);
    } else if (kind->groups[1] == NULL) {
        problem_hint(problem, "it must be a key in \"%s:\"", kind->groups[0]);
    } else {
        problem_hint(problem, "it must be a key in \"%s:\" or \"%s:\"", kind->groups[0],
                     kind->groups[1]);
    }
}

/* ret_index is in the group of the kind with the number ret_group. */
static bool find_name(const struct schema_section *section, const struct name_kind *kind,
                      const struct yaml_node *value, size_t *ret_group, size_t *ret_index)
{
    char expected[64];
    char label[SCHEMA_LABEL_MAX];

    schema_section_value_label(section, value, label);
    (void)snprintf(expected, sizeof(expected), "the name of %s", kind->what);
    if (!schema_section_check_scalar(section, value, expected)) {
        return false;
    }
    for (size_t i = 0; i < 2 && kind->groups[i] != NULL; i++) {
        for (size_t j = 0; j < schema_groups_count(section->conf, kind->groups[i]); j++) {
            if (strcmp(schema_groups_name(section->conf, kind->groups[i], j), value->text) == 0) {
                *ret_group = i;
                *ret_index = j;
                return true;
            }
        }
    }
    refuse_name(section, kind, value, label);
    return false;
}

/* section is the list, for messages. */
static bool check_list(const struct schema_section *section, const struct yaml_node *value)
{
    if (value->kind == YAML_LIST) {
        return true;
    }
    struct problem *problem = problem_add(
        section->list, PROBLEM_ERROR, value->kind == YAML_MAP ? &value->key_place : &value->place,
        "%s must be a list of names", section->label);
    if (value->kind == YAML_SCALAR && value->len > 0 && !value->is_expanded) {
        problem_hint(problem, "write \"[%s]\"", value->text);
    }
    return false;
}

static void refuse_twin(const struct schema_section *section, const struct yaml_node *item)
{
    (void)problem_add(section->list, PROBLEM_ERROR, &item->place, "%s names \"%s\" twice",
                      section->label, item->text);
}

static void refuse_more(const struct schema_section *section, const struct yaml_node *item, int max)
{
    (void)problem_add(section->list, PROBLEM_ERROR, &item->place, "%s has more than %d names",
                      section->label, max);
}

void schema_names_bind_app(const struct schema_section *section, const struct yaml_node *value)
{
    struct conf_pool *pool = section->object;
    size_t group = 0;

    (void)find_name(section, &app_names, value, &group, &pool->app); /* reports */
}

static void add_listener(const struct schema_section *section, struct conf_pool *pool,
                         const struct yaml_node *item)
{
    size_t group = 0;
    size_t index = 0;

    if (!find_name(section, &listener_names, item, &group, &index)) {
        return;
    }
    for (size_t i = 0; i < pool->listener_count; i++) {
        if (pool->listeners[i] == index) {
            refuse_twin(section, item);
            return;
        }
    }
    if (pool->listener_count == CONF_POOL_LISTENERS_MAX) {
        refuse_more(section, item, CONF_POOL_LISTENERS_MAX);
        return;
    }
    pool->listeners[pool->listener_count++] = index;
}

void schema_names_bind_listeners(const struct schema_section *section,
                                 const struct yaml_node *value)
{
    struct schema_section items = *section;
    char label[SCHEMA_LABEL_MAX];

    schema_section_label(section, value->key, label);
    items.label = label;
    if (!check_list(&items, value)) {
        return;
    }
    for (const struct yaml_node *item = value->child; item != NULL; item = item->next) {
        add_listener(&items, section->object, item);
    }
}

static void add_child(const struct schema_section *section, struct conf_children *children,
                      const struct yaml_node *item)
{
    size_t group = 0;
    struct conf_child child = {false, 0};

    if (!find_name(section, &child_names, item, &group, &child.index)) {
        return;
    }
    child.is_supervisor = group == 1;
    for (size_t i = 0; i < children->count; i++) {
        if (children->items[i].is_supervisor == child.is_supervisor &&
            children->items[i].index == child.index) {
            refuse_twin(section, item);
            return;
        }
    }
    if (children->count == CONF_CHILDREN_MAX) {
        refuse_more(section, item, CONF_CHILDREN_MAX);
        return;
    }
    children->items[children->count++] = child;
}

void schema_names_bind_children(const struct schema_section *section, const struct schema_row *row,
                                const struct yaml_node *value)
{
    struct conf_children *children = (void *)((char *)section->object + row->offset);
    struct schema_section items = *section;
    char label[SCHEMA_LABEL_MAX];

    schema_section_label(section, value->key, label);
    items.label = label;
    if (!check_list(&items, value)) {
        return;
    }
    for (const struct yaml_node *item = value->child; item != NULL; item = item->next) {
        add_child(&items, children, item);
    }
    if (value->child == NULL && row->initial == NULL) {
        (void)problem_add(section->list, PROBLEM_ERROR, &value->key_place,
                          "%s must name at least one", label);
    }
}
