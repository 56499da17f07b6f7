#ifndef FSD_DAEMON_CONF_REFS_H
#define FSD_DAEMON_CONF_REFS_H

#include <stddef.h>

struct fsd_err;
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

/* What ${FILE:path} becomes: the text of a file without its last newline, which the caller frees.
 * err: `cannot read "x": reason`. */
int refs_read_file(const char *path, char **ret_text, size_t *ret_len, struct fsd_err *err);

#endif
