#ifndef FSD_DAEMON_CONF_YAML_RULES_H
#define FSD_DAEMON_CONF_YAML_RULES_H

#include <stdbool.h>
#include <yaml.h>

struct problem_list;
struct source;
struct yaml_node;

/* False when the value has a tag, which was reported. */
bool yaml_rules_check_tag(const struct source *source, const yaml_event_t *event,
                          struct problem_list *list);
/* False when the event cannot be the next key of the map parent, which was reported. */
bool yaml_rules_check_key(const struct source *source, const yaml_event_t *event,
                          const struct yaml_node *parent, struct problem_list *list);

#endif
