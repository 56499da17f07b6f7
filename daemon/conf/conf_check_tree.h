#ifndef FSD_DAEMON_CONF_CONF_CHECK_TREE_H
#define FSD_DAEMON_CONF_CONF_CHECK_TREE_H

struct conf;
struct problem_list;
struct yaml_node;

/* Pools and supervisors must be a tree with a possible order of starts: no name is used by both, no
 * child has two parents, nothing is its own child, and nothing waits for itself. */
void conf_check_tree(const struct conf *conf, const struct yaml_node *root,
                     struct problem_list *list);

#endif
