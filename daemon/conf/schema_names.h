#ifndef FSD_DAEMON_CONF_SCHEMA_NAMES_H
#define FSD_DAEMON_CONF_SCHEMA_NAMES_H

struct schema_row;
struct schema_section;
struct yaml_node;

/* Keys whose values are names: each looks the name up and writes it to section->object. */
void schema_names_bind_app(const struct schema_section *section, const struct yaml_node *value);
void schema_names_bind_listeners(const struct schema_section *section,
                                 const struct yaml_node *value);
/* Pools and supervisors, into the struct conf_children at the row's offset. */
void schema_names_bind_children(const struct schema_section *section, const struct schema_row *row,
                                const struct yaml_node *value);

#endif
