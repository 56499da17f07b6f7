/*
 * yaml_alias.c - anchors and aliases: a value written once and used again in the same file.
 *
 * Owns the names.  An alias becomes a copy of the tree of its anchor, so nothing after this knows
 * that aliases exist; how many there may be is limited here, how much they may copy in
 * yaml_build.c.
 *
 * Called by yaml.c.  Must not know libyaml.
 */
#include "daemon/conf/yaml_alias.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/conf/yaml_build.h"

void yaml_alias_fini(struct yaml_aliases *aliases)
{
    for (size_t i = 0; i < aliases->anchor_count; i++) {
        free(aliases->anchors[i].name);
    }
    aliases->anchor_count = 0;
}

bool yaml_alias_add(struct yaml_aliases *aliases, struct yaml_build *build, const char *name,
                    const struct yaml_node *node)
{
    if (name == NULL) {
        return true;
    }
    if (aliases->anchor_count == YAML_ALIASES_MAX) {
        (void)problem_add(build->list, PROBLEM_ERROR, &node->place,
                          "the file has more than %d anchors", YAML_ALIASES_MAX);
        return false;
    }
    struct yaml_anchor *anchor = &aliases->anchors[aliases->anchor_count];
    anchor->name = strdup(name);
    if (anchor->name == NULL) {
        yaml_build_refuse_no_memory(build);
        return false;
    }
    anchor->node = node;
    aliases->anchor_count++;
    return true;
}

struct yaml_node *yaml_alias_copy(struct yaml_aliases *aliases, struct yaml_build *build,
                                  const char *name, const struct problem_place *place,
                                  unsigned depth)
{
    if (aliases->alias_count == YAML_ALIASES_MAX) {
        (void)problem_add(build->list, PROBLEM_ERROR, place, "the file has more than %d aliases",
                          YAML_ALIASES_MAX);
        return NULL;
    }
    aliases->alias_count++;
    /* The latest of several anchors with one name counts. */
    for (size_t i = aliases->anchor_count; i > 0; i--) {
        if (strcmp(aliases->anchors[i - 1].name, name) == 0) {
            return yaml_build_copy(build, aliases->anchors[i - 1].node, depth);
        }
    }
    (void)problem_add(build->list, PROBLEM_ERROR, place,
                      "the alias \"*%s\" has no complete \"&%s\" before it", name, name);
    return NULL;
}
