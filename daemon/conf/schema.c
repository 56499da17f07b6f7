/*
 * schema.c - from the tree of nodes to struct conf, by the rows.
 *
 * Owns the walk: each section of the tree is held against the rows of that section, so an unknown
 * key, a missing one and a value of a wrong kind are found in one place, and keys that were not
 * written get their default by the same code that reads a file.  A problem never ends the walk.
 *
 * Called by conf.c with the merged tree, and by conf_extra.c.  Must not touch files or sockets, nor compare entries with
 * each other (conf_check.c does).
 */
#include "daemon/conf/schema.h"

#include <errno.h>
#include <string.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/schema_groups.h"
#include "daemon/conf/schema_names.h"
#include "daemon/conf/schema_section.h"
#include "daemon/conf/schema_value.h"
#include "daemon/conf/schema_variables.h"
#include "daemon/conf/settings.h"
#include "daemon/conf/yaml.h"

static void bind_section(const struct schema_section *section);

/* "null" and "~" take a value of an earlier file back; only forgetting the value is an error. */
static bool is_written(const struct yaml_node *value)
{
    return value != NULL && !(value->kind == YAML_SCALAR && value->len > 0 && yaml_is_null(value));
}

static void bind_scalar(const struct schema_section *section, const struct schema_row *row,
                        const struct yaml_node *value)
{
    char expected[SCHEMA_EXPECTED_MAX];

    if (!is_written(value)) {
        if (row->initial == NULL) {
            schema_section_refuse_missing(section, row);
        } else if (schema_value_store_initial(row, section->object) == -ENOMEM) {
            schema_section_refuse_no_memory(section, row->name);
        }
        return;
    }
    schema_value_describe(row, expected);
    if (!schema_section_check_scalar(section, value, expected)) {
        return;
    }
    int rc = schema_value_store(row, value->text, value->place.source, section->object);
    if (rc == -ENOMEM) {
        schema_section_refuse_no_memory(section, row->name);
    } else if (rc < 0) {
        schema_section_refuse_value(section, row, value);
    }
}

/* True when value is a map; a section that has nothing in it need not be one.  NULL: false. */
static bool check_map(const struct schema_section *section, const struct yaml_node *value)
{
    char label[SCHEMA_LABEL_MAX];

    if (value == NULL || value->is_broken || yaml_is_null(value)) {
        return false;
    }
    if (value->kind == YAML_MAP) {
        return true;
    }
    schema_section_label(section, value->key, label);
    (void)problem_add(section->list, PROBLEM_ERROR,
                      value->kind == YAML_SCALAR ? &value->place : &value->key_place,
                      "%s must be a map", label);
    return false;
}

static void bind_settings(const struct schema_section *section, const struct yaml_node *value)
{
    struct conf_app *app = section->object;
    char label[SCHEMA_LABEL_MAX];

    schema_section_label(section, "settings", label);
    /* A failure was reported, and the conf is of no use then. */
    (void)settings_encode(value, label, section->list, &app->settings, &app->settings_len);
}

/* The section that a key of this section opens. */
static void bind_inner(const struct schema_section *section, const struct schema_row *row,
                       const struct yaml_node *value)
{
    char pattern[SCHEMA_LABEL_MAX];
    char label[SCHEMA_LABEL_MAX];
    struct schema_section inner = *section;

    (void)snprintf(pattern, sizeof(pattern), "%s%s%s", section->pattern,
                   section->pattern[0] == '\0' ? "" : ".", row->name);
    schema_section_label(section, row->name, label);
    inner.pattern = pattern;
    inner.label = label;
    inner.node = value;
    inner.place = value == NULL ? section->place : value->key_place;
    bind_section(&inner);
}

/* One listener, app, pool or supervisor; what stands for "*" in the pattern is the key of value. */
static void bind_entry(const struct schema_section *section, size_t index,
                       const struct yaml_node *value)
{
    char pattern[SCHEMA_LABEL_MAX];
    char label[SCHEMA_LABEL_MAX];
    struct schema_section inner = *section;

    (void)snprintf(pattern, sizeof(pattern), "%s.*", section->pattern);
    schema_section_label(section, value->key, label);
    inner.pattern = pattern;
    inner.label = label;
    inner.place = value->key_place;
    inner.object = schema_groups_item(section->conf, section->pattern, index);
    if (value->is_broken || (value->kind != YAML_MAP && !yaml_is_null(value))) {
        (void)check_map(section, value); /* reports */
        return;
    }
    inner.node = value->kind == YAML_MAP ? value : NULL;
    bind_section(&inner);
}

static void bind_entries(const struct schema_section *section, const struct schema_row *row,
                         const struct yaml_node *value)
{
    struct schema_section inner = *section;
    const struct yaml_node *child = value->child;

    inner.pattern = row->name;
    inner.label = row->name;
    size_t count = schema_groups_count(section->conf, row->name);
    for (size_t i = 0; i < count; i++) {
        bind_entry(&inner, i, child);
        child = child->next;
    }
}

static void bind_app_name(const struct schema_section *section, const struct schema_row *row,
                          const struct yaml_node *value)
{
    if (is_written(value)) {
        schema_names_bind_app(section, value);
    } else {
        schema_section_refuse_missing(section, row);
    }
}

static void bind_children(const struct schema_section *section, const struct schema_row *row,
                          const struct yaml_node *value)
{
    if (is_written(value)) {
        schema_names_bind_children(section, row, value);
    } else if (row->initial == NULL) {
        schema_section_refuse_missing(section, row);
    }
}

static void bind_row(const struct schema_section *section, const struct schema_row *row)
{
    const struct yaml_node *value = yaml_find(section->node, row->name);

    switch (row->kind) {
    case SCHEMA_VERSION:
    case SCHEMA_ADDRESS:
    case SCHEMA_PATH:
    case SCHEMA_DURATION:
    case SCHEMA_SIZE:
    case SCHEMA_NUMBER:
    case SCHEMA_COUNT:
    case SCHEMA_STANDBY:
    case SCHEMA_INTENSITY:
    case SCHEMA_SHUTDOWN:
    case SCHEMA_RESTART:
    case SCHEMA_STRATEGY:
    case SCHEMA_USER:
    case SCHEMA_GROUP:
    case SCHEMA_LOG_LEVEL:
    case SCHEMA_LOG_FORMAT:
    case SCHEMA_LOG_ACCESS:
    case SCHEMA_PROXIES:
        bind_scalar(section, row, value);
        break;
    case SCHEMA_SECTION:
        bind_inner(section, row, check_map(section, value) ? value : NULL);
        break;
    case SCHEMA_ENTRIES:
        if (check_map(section, value)) {
            bind_entries(section, row, value);
        }
        break;
    case SCHEMA_APP_NAME:
        bind_app_name(section, row, value);
        break;
    case SCHEMA_LISTEN_NAMES:
        if (is_written(value)) {
            schema_names_bind_listeners(section, value);
        }
        break;
    case SCHEMA_CHILDREN:
        bind_children(section, row, value);
        break;
    case SCHEMA_VARIABLES:
    case SCHEMA_FILES:
        if (check_map(section, value)) {
            schema_variables_bind(section, row, value);
        }
        break;
    case SCHEMA_SETTINGS:
        bind_settings(section, check_map(section, value) ? value : NULL);
        break;
    }
}

static void bind_section(const struct schema_section *section)
{
    size_t row_count = 0;
    const struct schema_row *rows = schema_rows(&row_count);
    const struct yaml_node *child = section->node == NULL ? NULL : section->node->child;

    for (; child != NULL; child = child->next) {
        if (schema_find_row(section->pattern, child->key) == NULL) {
            schema_section_refuse_key(section, child);
        }
    }
    for (size_t i = 0; i < row_count; i++) {
        if (strcmp(rows[i].section, section->pattern) == 0) {
            bind_row(section, &rows[i]);
        }
    }
}

/* All entries with names, before anything refers to them. */
static void make_groups(const struct schema_section *top)
{
    size_t row_count = 0;
    const struct schema_row *rows = schema_rows(&row_count);

    for (size_t i = 0; i < row_count; i++) {
        const struct yaml_node *value = yaml_find(top->node, rows[i].name);
        struct schema_section inner = *top;
        inner.label = rows[i].name;
        if (rows[i].kind == SCHEMA_ENTRIES && value != NULL && value->kind == YAML_MAP) {
            schema_groups_make(&inner, value);
        }
    }
}

void schema_bind(const struct yaml_node *root, struct conf *conf, struct problem_list *list)
{
    struct schema_section top = {conf, list, "", "", root, root->place, conf};

    make_groups(&top);
    bind_section(&top);
}

void schema_bind_entry(struct conf *conf, const char *section, size_t index,
                       const struct yaml_node *value, struct problem_list *list)
{
    struct schema_section entries = {
        .conf = conf, .list = list, .pattern = section, .label = section};

    bind_entry(&entries, index, value);
}

int schema_set_defaults(const char *section, void *object)
{
    size_t row_count = 0;
    size_t len = strlen(section);
    const struct schema_row *rows = schema_rows(&row_count);

    for (size_t i = 0; i < row_count; i++) {
        const struct schema_row *row = &rows[i];
        bool is_inside = strncmp(row->section, section, len) == 0 &&
                         (row->section[len] == '\0' || row->section[len] == '.');
        if (is_inside && row->initial != NULL &&
            schema_value_store_initial(row, object) == -ENOMEM) {
            return -ENOMEM;
        }
    }
    return 0;
}
