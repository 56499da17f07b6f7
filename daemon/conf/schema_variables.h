#ifndef FSD_DAEMON_CONF_SCHEMA_VARIABLES_H
#define FSD_DAEMON_CONF_SCHEMA_VARIABLES_H

struct schema_section;
struct yaml_node;

/* The variables of the app that section->object is, from the map value. */
void schema_variables_bind(const struct schema_section *section, const struct yaml_node *value);

#endif
