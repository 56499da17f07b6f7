/*
 * conf_place.c - where a value of struct conf was written.
 *
 * Owns the way from names back into the tree, for checks that find something wrong with values
 * which were bound long ago.
 *
 * Called by conf_check.c and conf_check_tree.c.  Must not report.
 */
#include "daemon/conf/conf_place.h"

#include <string.h>

#include "daemon/conf/problem.h"
#include "daemon/conf/yaml.h"

const struct problem_place *conf_place_find(const struct yaml_node *root, const char *section,
                                            const char *name, const char *key)
{
    const struct yaml_node *entry = yaml_find(yaml_find(root, section), name);
    const struct yaml_node *value = yaml_find(entry, key);

    if (value != NULL) {
        return value->kind == YAML_SCALAR ? &value->place : &value->key_place;
    }
    return entry == NULL ? NULL : &entry->key_place;
}

const struct problem_place *conf_place_find_item(const struct yaml_node *root, const char *section,
                                                 const char *name, const char *key,
                                                 const char *item)
{
    const struct yaml_node *list = yaml_find(yaml_find(yaml_find(root, section), name), key);
    const struct yaml_node *node = list == NULL ? NULL : list->child;

    while (node != NULL && (node->kind != YAML_SCALAR || strcmp(node->text, item) != 0)) {
        node = node->next;
    }
    return node == NULL ? conf_place_find(root, section, name, key) : &node->place;
}
