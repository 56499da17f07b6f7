#ifndef FSD_DAEMON_CONF_CONF_MERGE_H
#define FSD_DAEMON_CONF_CONF_MERGE_H

struct problem_list;
struct yaml_node;

/* Lays the map from over the map into: maps merge, all else replaces, "key+:" appends to a list.
 * Takes from.  Replacing a value in a listener, app, pool or supervisor that is there
 * already is a warning at its key. */
void conf_merge(struct yaml_node *into, struct yaml_node *from, struct problem_list *list);

#endif
