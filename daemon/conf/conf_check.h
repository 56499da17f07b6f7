#ifndef FSD_DAEMON_CONF_CONF_CHECK_H
#define FSD_DAEMON_CONF_CONF_CHECK_H

struct conf;
struct problem_list;
struct yaml_node;

/* What no single key can show: files that must be there, and entries that do not go together.
 * root is the tree that conf came from, for the places; NULL: conf came from the command line.
 * An app's path that is a folder becomes its app.lua. */
void conf_check(struct conf *conf, const struct yaml_node *root, struct problem_list *list);

#endif
