#ifndef FSD_DAEMON_CONF_YAML_ALIAS_H
#define FSD_DAEMON_CONF_YAML_ALIAS_H

#include "daemon/conf/yaml.h"

struct yaml_build;

/* A value that an alias may repeat. */
struct yaml_anchor {
    char *name;                   /* owned */
    const struct yaml_node *node; /* borrowed from the tree */
};

/* The anchors of one file; zeroed at the start. */
struct yaml_aliases {
    struct yaml_anchor anchors[YAML_ALIASES_MAX];
    size_t anchor_count;
    size_t alias_count;
};

void yaml_alias_fini(struct yaml_aliases *aliases);
/* Remembers a complete value, so no alias can be part of what it stands for.  name may be NULL.
 * False: too many, or no memory; reported. */
bool yaml_alias_add(struct yaml_aliases *aliases, struct yaml_build *build, const char *name,
                    const struct yaml_node *node);
/* A copy of the value with the anchor name, for the alias at place.  NULL: reported. */
struct yaml_node *yaml_alias_copy(struct yaml_aliases *aliases, struct yaml_build *build,
                                  const char *name, const struct problem_place *place,
                                  unsigned depth);

#endif
