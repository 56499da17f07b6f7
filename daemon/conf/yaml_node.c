/*
 * yaml_node.c - the tree that a YAML text becomes.
 *
 * Owns the nodes.  A parent owns its children, which are chained; a map is a list whose items
 * have keys.  Depth is bounded by YAML_DEPTH_MAX when the tree is made, so recursion over it is.
 *
 * Used by everything between the text and struct conf.  Must not know a key, nor libyaml.
 */
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/yaml.h"

struct yaml_node *yaml_node_new(enum yaml_kind kind, const struct problem_place *place)
{
    struct yaml_node *node = calloc(1, sizeof(*node));

    if (node != NULL) {
        node->kind = kind;
        node->place = *place;
    }
    return node;
}

void yaml_node_free(struct yaml_node *node)
{
    while (node != NULL) {
        struct yaml_node *next = node->next;
        yaml_node_free(node->child);
        free(node->text);
        free(node->key);
        free(node);
        node = next;
    }
}

void yaml_node_append(struct yaml_node *parent, struct yaml_node *child)
{
    child->next = NULL;
    if (parent->last == NULL) {
        parent->child = child;
    } else {
        parent->last->next = child;
    }
    parent->last = child;
    parent->child_count++;
}

struct yaml_node *yaml_find(const struct yaml_node *node, const char *key)
{
    if (node == NULL || node->kind != YAML_MAP) {
        return NULL;
    }
    for (struct yaml_node *child = node->child; child != NULL; child = child->next) {
        if (strcmp(child->key, key) == 0) {
            return child;
        }
    }
    return NULL;
}

bool yaml_is_null(const struct yaml_node *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    if (node->kind != YAML_SCALAR || !node->is_plain) {
        return false;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(node->text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}
