#ifndef FSD_DAEMON_CONF_SCHEMA_NAMES_H
#define FSD_DAEMON_CONF_SCHEMA_NAMES_H

struct schema_section;
struct yaml_node;

/* Keys whose values are names: each looks the name up and writes it to section->object. */
void schema_names_bind_app(const struct schema_section *section, const struct yaml_node *value);
void schema_names_bind_listeners(const struct schema_section *section,
                                 const struct yaml_node *value);
/* The variables of an app. */
void schema_names_bind_variables(const struct schema_section *section,
                                 const struct yaml_node *value);

#endif
