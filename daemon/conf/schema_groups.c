/*
 * schema_groups.c - the arrays of listeners, apps, pools and the like in struct conf.
 *
 * Owns how an entry with a name gets into its array: each section with entries has a row that says
 * where struct conf keeps the array, so that one function makes all of them.
 *
 * Called by schema.c before it binds any key, so that every name is known by then, and by
 * schema_names.c to look names up.  Must not know what else an entry has.
 */
#include "daemon/conf/schema_groups.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/schema_section.h"
#include "daemon/conf/source.h"
#include "daemon/conf/yaml.h"

/* Where struct conf keeps the entries of a section.  The name is the first member of each. */
struct group {
    const char *section;
    size_t array_offset;
    size_t count_offset;
    size_t item_size;
    size_t place_offset;
};

static const struct group groups[] = {
    {"listeners", offsetof(struct conf, listeners), offsetof(struct conf, listener_count),
     sizeof(struct conf_listener), offsetof(struct conf_listener, place)},
    {"apps", offsetof(struct conf, apps), offsetof(struct conf, app_count), sizeof(struct conf_app),
     offsetof(struct conf_app, place)},
    {"pools", offsetof(struct conf, pools), offsetof(struct conf, pool_count),
     sizeof(struct conf_pool), offsetof(struct conf_pool, place)},
    {"supervisors", offsetof(struct conf, supervisors), offsetof(struct conf, supervisor_count),
     sizeof(struct conf_supervisor), offsetof(struct conf_supervisor, place)},
    {"shared", offsetof(struct conf, shared), offsetof(struct conf, shared_count),
     sizeof(struct conf_shared), offsetof(struct conf_shared, place)},
};

enum { GROUP_COUNT = sizeof(groups) / sizeof(groups[0]) };
_Static_assert(offsetof(struct conf_listener, name) == 0 && offsetof(struct conf_app, name) == 0 &&
                   offsetof(struct conf_pool, name) == 0 &&
                   offsetof(struct conf_supervisor, name) == 0 &&
                   offsetof(struct conf_shared, name) == 0,
               "the name is the first member");

static const struct group *find_group(const char *section)
{
    const struct group *group = groups;

    while (group < groups + GROUP_COUNT - 1 && strcmp(group->section, section) != 0) {
        group++;
    }
    return group;
}

void *schema_groups_item(const struct conf *conf, const char *section, size_t index)
{
    const struct group *group = find_group(section);
    char *items = NULL;

    /* The members are pointers to several types; only their bytes may be read as a char pointer. */
    memcpy(&items, (const char *)conf + group->array_offset, sizeof(items));
    return items + index * group->item_size;
}

size_t schema_groups_count(const struct conf *conf, const char *section)
{
    size_t count = 0;

    memcpy(&count, (const char *)conf + find_group(section)->count_offset, sizeof(count));
    return count;
}

const char *schema_groups_name(const struct conf *conf, const char *section, size_t index)
{
    char *const *name = schema_groups_item(conf, section, index); /* the first member */

    return *name;
}

bool schema_groups_is_name(const char *text)
{
    size_t len = strlen(text);

    if (len > SCHEMA_NAME_MAX || !isalnum((unsigned char)text[0])) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && strchr("_-.", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

static bool check_names(const struct schema_section *section, const struct yaml_node *node)
{
    if (node->child_count > SCHEMA_GROUP_MAX) {
        (void)problem_add(section->list, PROBLEM_ERROR, &node->key_place,
                          "%s has more than %d entries", section->label, SCHEMA_GROUP_MAX);
        return false;
    }
    for (const struct yaml_node *child = node->child; child != NULL; child = child->next) {
        if (!schema_groups_is_name(child->key)) {
            problem_hint(problem_add(section->list, PROBLEM_ERROR, &child->key_place,
                                     "\"%s\" cannot be a name in %s", child->key, section->label),
                         "letters, digits, \"_\", \"-\", \".\"; at most %d", SCHEMA_NAME_MAX);
        }
    }
    return true;
}

/* The name of the file as the conf keeps it. */
static const char *find_file(const struct conf *conf, const struct source *source)
{
    for (size_t i = 0; i < conf->file_count; i++) {
        if (strcmp(conf->files[i], source->path) == 0) {
            return conf->files[i];
        }
    }
    return "";
}

static bool fill_item(struct conf *conf, const struct group *group, size_t index,
                      const struct yaml_node *child)
{
    void *item = schema_groups_item(conf, group->section, index);
    char **name = item; /* the first member */
    struct conf_place place = {find_file(conf, child->key_place.source), child->key_place.line,
                               child->key_place.column};

    *name = strdup(child->key);
    memcpy((char *)item + group->place_offset, &place, sizeof(place));
    return *name != NULL;
}

void schema_groups_make(const struct schema_section *section, const struct yaml_node *node)
{
    const struct group *group = find_group(section->label);
    size_t count = 0; /* of items that have a name: what others may look at */

    if (!check_names(section, node) || node->child_count == 0) {
        return;
    }
    void *items = calloc(node->child_count, group->item_size);
    if (items == NULL) {
        schema_section_refuse_no_memory(section, "*");
        return;
    }
    memcpy((char *)section->conf + group->array_offset, &items, sizeof(items));
    for (const struct yaml_node *child = node->child; child != NULL; child = child->next) {
        if (!fill_item(section->conf, group, count, child)) {
            schema_section_refuse_no_memory(section, child->key);
            return;
        }
        count++;
        memcpy((char *)section->conf + group->count_offset, &count, sizeof(count));
    }
}
