#ifndef FSD_DAEMON_CONF_CONF_CHECK_H
#define FSD_DAEMON_CONF_CONF_CHECK_H

#include <stddef.h>

struct conf;
struct problem_list;
struct yaml_node;

/* What no single key can show: files that must be there, and entries that do not go together.
 * root is the tree that conf came from, for the places; NULL: conf came from the command line.
 * An app's path that is a folder becomes its app.lua. */
void conf_check(struct conf *conf, const struct yaml_node *root, struct problem_list *list);
/* The same for one pool, and the listeners from this one on, that were added to a conf that is good. */
void conf_check_added(const struct conf *conf, size_t pool, size_t first_listener,
                      struct problem_list *list);

#endif
