#ifndef FSD_DAEMON_CONF_YAML_BUILD_H
#define FSD_DAEMON_CONF_YAML_BUILD_H

#include "daemon/conf/yaml.h"

/* Makes the nodes of one file and counts them.  Every failure is reported to list. */
struct yaml_build {
    const struct source *source; /* borrowed */
    struct problem_list *list;   /* borrowed */
    size_t node_count;
};

void yaml_build_refuse_no_memory(struct yaml_build *build);
/* NULL: too deep, too many, or no memory. */
struct yaml_node *yaml_build_node(struct yaml_build *build, enum yaml_kind kind,
                                  const struct problem_place *place, unsigned depth);
/* Both copy; false: no memory. */
bool yaml_build_text(struct yaml_build *build, struct yaml_node *node, const char *text,
                     size_t len);
bool yaml_build_key(struct yaml_build *build, struct yaml_node *node, const char *key);
/* The tree that an alias stands for; it keeps the places of the original.  NULL as above. */
struct yaml_node *yaml_build_copy(struct yaml_build *build, const struct yaml_node *original,
                                  unsigned depth);

#endif
