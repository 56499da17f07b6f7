/*
 * conf_merge.c - several configuration files become one tree.
 *
 * Owns the rules of laying one file over another.  The nodes of the later tree move into the
 * earlier one, with their places, so that later messages point into the right file.  A single
 * file goes through here as well (over an empty map): that is what resolves "key+:" in it.
 *
 * Called by conf.c for each file in order.  Must not know keys; only that some sections hold named
 * entries (schema.h says which), whose silent replacement by a later file would surprise.
 */
#include "daemon/conf/conf_merge.h"

#include <stdio.h>
#include <string.h>

#include "daemon/conf/schema.h"
#include "daemon/conf/source.h"
#include "daemon/conf/yaml.h"

enum { LABEL_MAX = 256 };

struct merge {
    struct problem_list *list; /* borrowed */
    char label
        [LABEL_MAX]; /* "pools.web.limits" within a named entry that is there already, else "" */
};

static void merge_map(struct merge *merge, struct yaml_node *into, struct yaml_node *from);

/* Takes the first child out of a list or map. */
static struct yaml_node *pop_child(struct yaml_node *parent)
{
    struct yaml_node *child = parent->child;

    parent->child = child->next;
    parent->last = parent->child == NULL ? NULL : parent->last;
    parent->child_count--;
    child->next = NULL;
    return child;
}

/* A quoted "key+" is an ordinary key.  Cuts the plus off. */
static bool take_plus(struct yaml_node *node)
{
    size_t len = strlen(node->key);

    if (!node->is_key_plain || len < 2 || node->key[len - 1] != '+') {
        return false;
    }
    node->key[len - 1] = '\0';
    return true;
}

/* existing becomes what child is, at its place in the chain.  Takes child. */
static void replace_node(struct yaml_node *existing, struct yaml_node *child)
{
    struct yaml_node old = *existing;

    *existing = *child;
    existing->next = old.next;
    *child = old;
    child->next = NULL;
    yaml_node_free(child);
}

/* Takes child. */
static void append_items(struct merge *merge, struct yaml_node *existing, struct yaml_node *child)
{
    if (existing->kind != YAML_LIST) {
        (void)problem_add(merge->list, PROBLEM_ERROR, &child->key_place,
                          "cannot append to \"%s\": it is no list at %s:%u:%u", child->key,
                          existing->place.source->path, existing->place.line,
                          existing->place.column);
    }
    while (existing->kind == YAML_LIST && child->child != NULL) {
        yaml_node_append(existing, pop_child(child));
    }
    yaml_node_free(child);
}

/* The key is new.  A map is merged into an empty one, for the "key+:" inside it.  Takes child. */
static void add_child(struct merge *merge, struct yaml_node *into, struct yaml_node *child)
{
    struct yaml_node content = *child;

    yaml_node_append(into, child);
    if (child->kind == YAML_MAP) {
        child->child = NULL;
        child->last = NULL;
        child->child_count = 0;
        merge_map(merge, child, &content);
    }
}

/* What a later file says silently might surprise in an entry that an earlier one has. */
static void warn_of_override(const struct merge *merge, const struct yaml_node *existing,
                             const struct yaml_node *child)
{
    if (merge->label[0] != '\0') {
        (void)problem_add(merge->list, PROBLEM_WARNING, &child->key_place,
                          "%s.%s overrides the value at %s:%u:%u", merge->label, child->key,
                          existing->key_place.source->path, existing->key_place.line,
                          existing->key_place.column);
    }
}

/* from is empty afterwards. */
static void merge_inner(struct merge *merge, struct yaml_node *into, struct yaml_node *from)
{
    size_t len = strlen(merge->label);

    if (len > 0) {
        (void)snprintf(merge->label + len, LABEL_MAX - len, ".%s", into->key);
    }
    merge_map(merge, into, from);
    merge->label[len] = '\0';
}

/* Takes child. */
static void merge_child(struct merge *merge, struct yaml_node *into, struct yaml_node *child)
{
    bool is_plus = take_plus(child);
    struct yaml_node *existing = yaml_find(into, child->key);

    if (is_plus && child->kind != YAML_LIST) {
        problem_hint(problem_add(merge->list, PROBLEM_ERROR, &child->key_place,
                                 "\"%s+\" appends to a list, so its value must be a list",
                                 child->key),
                     "put the key into quotes if the plus belongs to it");
        yaml_node_free(child);
    } else if (existing == NULL) {
        add_child(merge, into, child);
    } else if (is_plus) {
        append_items(merge, existing, child);
    } else if (existing->kind == YAML_MAP && child->kind == YAML_MAP) {
        merge_inner(merge, existing, child);
        yaml_node_free(child);
    } else if (existing->kind == YAML_MAP && yaml_is_null(child)) {
        /* A section whose keys are all commented out takes nothing away. */
        yaml_node_free(child);
    } else {
        warn_of_override(merge, existing, child);
        replace_node(existing, child);
    }
}

/* from is empty afterwards. */
static void merge_map(struct merge *merge, struct yaml_node *into, struct yaml_node *from)
{
    while (from->child != NULL) {
        merge_child(merge, into, pop_child(from));
    }
}

/* One listener, app, pool or supervisor of a later file.  Takes child. */
static void merge_entry(struct merge *merge, struct yaml_node *section, struct yaml_node *child)
{
    (void)snprintf(merge->label, LABEL_MAX, "%s", section->key);
    merge_child(merge, section, child);
    merge->label[0] = '\0';
}

void conf_merge(struct yaml_node *into, struct yaml_node *from, struct problem_list *list)
{
    struct merge merge = {list, ""};

    while (from->child != NULL) {
        struct yaml_node *section = pop_child(from);
        struct yaml_node *existing = yaml_find(into, section->key);
        if (existing == NULL || existing->kind != YAML_MAP || section->kind != YAML_MAP ||
            !schema_is_named(section->key)) {
            merge_child(&merge, into, section);
            continue;
        }
        while (section->child != NULL) {
            merge_entry(&merge, existing, pop_child(section));
        }
        yaml_node_free(section);
    }
    yaml_node_free(from);
}
