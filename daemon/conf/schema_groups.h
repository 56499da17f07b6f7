#ifndef FSD_DAEMON_CONF_SCHEMA_GROUPS_H
#define FSD_DAEMON_CONF_SCHEMA_GROUPS_H

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct schema_section;
struct yaml_node;

enum {
    SCHEMA_NAME_MAX = 63,   /* characters of a name */
    SCHEMA_GROUP_MAX = 256, /* entries in one section */
};

/* Makes the array for the section ("pools") with one named item for each child of node, places
 * included; fewer, or none, after a problem, which was reported. */
void schema_groups_make(const struct schema_section *section, const struct yaml_node *node);
/* Names show up in paths, metrics and messages: letters, digits and a few signs. */
bool schema_groups_is_name(const char *text);
/* How many were made. */
size_t schema_groups_count(const struct conf *conf, const char *section);
/* The item that was made for the index-th child, and its name. */
void *schema_groups_item(const struct conf *conf, const char *section, size_t index);
const char *schema_groups_name(const struct conf *conf, const char *section, size_t index);

#endif
