#ifndef FSD_DAEMON_CONF_REFS_H
#define FSD_DAEMON_CONF_REFS_H

struct problem_list;
struct yaml_node;

enum {
    REFS_FILE_MAX = 64 * 1024,   /* bytes of one ${FILE:...} or ${CRED:...} */
    REFS_TEXT_MAX = 1024 * 1024, /* bytes of one value when all is replaced */
};

/* Replaces ${ENV:NAME}, ${ENV:NAME:-default}, ${FILE:path}, ${CRED:name} and $${ in every scalar
 * below node.  A scalar that had one is text from then on (not plain) and is never shown; one that
 * failed was reported to list and is marked as broken. */
void refs_resolve(struct yaml_node *node, struct problem_list *list);

#endif
