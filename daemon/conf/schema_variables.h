#ifndef FSD_DAEMON_CONF_SCHEMA_VARIABLES_H
#define FSD_DAEMON_CONF_SCHEMA_VARIABLES_H

struct schema_row;
struct schema_section;
struct yaml_node;

/* Adds to the variables of the app that section->object is, from the map value: the row says
 * whether it has texts or the files that they are in. */
void schema_variables_bind(const struct schema_section *section, const struct schema_row *row,
                           const struct yaml_node *value);

#endif
