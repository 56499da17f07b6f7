/*
 * yaml_build.c - making nodes within the limits of one file.
 *
 * Owns the count of nodes.  Every node of a tree is made here, copies for aliases included, so
 * that ten lines of aliases to aliases cannot ask for a billion values.
 *
 * Called by yaml.c only.  Must not know libyaml.
 */
#include "daemon/conf/yaml_build.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/conf/source.h"

void yaml_build_refuse_no_memory(struct yaml_build *build)
{
    (void)problem_add(build->list, PROBLEM_ERROR, NULL, "cannot read \"%s\": out of memory",
                      build->source->path);
}

struct yaml_node *yaml_build_node(struct yaml_build *build, enum yaml_kind kind,
                                  const struct problem_place *place, unsigned depth)
{
    if (depth > YAML_DEPTH_MAX) {
        (void)problem_add(build->list, PROBLEM_ERROR, place,
                          "values are nested more than %d levels deep", YAML_DEPTH_MAX);
        return NULL;
    }
    if (build->node_count == YAML_NODES_MAX) {
        (void)problem_add(build->list, PROBLEM_ERROR, place, "the file has more than %d values",
                          YAML_NODES_MAX);
        return NULL;
    }
    build->node_count++;
    struct yaml_node *node = yaml_node_new(kind, place);
    if (node == NULL) {
        yaml_build_refuse_no_memory(build);
    }
    return node;
}

bool yaml_build_text(struct yaml_build *build, struct yaml_node *node, const char *text, size_t len)
{
    node->text = malloc(len + 1);
    if (node->text == NULL) {
        yaml_build_refuse_no_memory(build);
        return false;
    }
    memcpy(node->text, text, len);
    node->text[len] = '\0';
    node->len = len;
    return true;
}

bool yaml_build_key(struct yaml_build *build, struct yaml_node *node, const char *key)
{
    node->key = strdup(key);
    if (node->key == NULL) {
        yaml_build_refuse_no_memory(build);
    }
    return node->key != NULL;
}

struct yaml_node *yaml_build_copy(struct yaml_build *build, const struct yaml_node *original,
                                  unsigned depth)
{
    struct yaml_node *node = yaml_build_node(build, original->kind, &original->place, depth);

    if (node == NULL) {
        return NULL;
    }
    node->is_plain = original->is_plain;
    if (original->text != NULL && !yaml_build_text(build, node, original->text, original->len)) {
        goto fail;
    }
    for (const struct yaml_node *at = original->child; at != NULL; at = at->next) {
        struct yaml_node *child = yaml_build_copy(build, at, depth + 1);
        if (child == NULL) {
            goto fail;
        }
        yaml_node_append(node, child);
        child->key_place = at->key_place;
        child->is_key_plain = at->is_key_plain;
        if (at->key != NULL && !yaml_build_key(build, child, at->key)) {
            goto fail;
        }
    }
    return node;

fail:
    yaml_node_free(node);
    return NULL;
}
