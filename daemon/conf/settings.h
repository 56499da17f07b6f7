#ifndef FSD_DAEMON_CONF_SETTINGS_H
#define FSD_DAEMON_CONF_SETTINGS_H

#include <stddef.h>

struct problem_list;
struct yaml_node;

enum { SETTINGS_BYTES_MAX = 1024 * 1024 };

/* Encodes a map as one MessagePack map, which the caller frees; map NULL gives an empty one.
 * Scalars without quotes get their type from YAML 1.2's core schema.  Problems go to list, with
 * label as the name of the map; 0 even then.  -ENOMEM or -EMSGSIZE: reported as well. */
int settings_encode(const struct yaml_node *map, const char *label, struct problem_list *list,
                    unsigned char **ret_data, size_t *ret_len);

#endif
