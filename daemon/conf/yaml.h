#ifndef FSD_DAEMON_CONF_YAML_H
#define FSD_DAEMON_CONF_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/conf/problem.h"

struct source;

enum {
    YAML_DEPTH_MAX = 32,    /* nested lists and maps */
    YAML_NODES_MAX = 65536, /* values in one file, what aliases expand to included */
    YAML_KEYS_MAX = 4096,   /* keys in one map */
    YAML_ALIASES_MAX = 1000,
};

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

/* A value.  The children of a list or map are chained by next in the order of the file. */
struct yaml_node {
    enum yaml_kind kind;
    struct problem_place place;
    char *text;        /* owned; scalars only */
    size_t len;        /* of text, which may contain NUL bytes */
    bool is_plain;     /* a scalar without quotes: its type is open */
    bool is_expanded;  /* text came from a reference: never show it */
    bool is_secret;    /* text came from a file or a credential */
    bool is_broken;    /* a problem was reported already: nothing more to say about it */
    char *key;         /* owned; NULL in lists and for the root */
    bool is_key_plain; /* the key has no quotes */
    struct problem_place key_place;
    struct yaml_node *child; /* owned; the first one */
    struct yaml_node *last;  /* the last child */
    size_t child_count;
    struct yaml_node *next; /* owned by the parent */
};

/* Reads one document.  NULL: a problem was added to list.  An empty text gives an empty map.
 * The tree borrows source (for the places); the caller frees it with yaml_node_free. */
struct yaml_node *yaml_read(const struct source *source, struct problem_list *list);
/* NULL: no memory. */
struct yaml_node *yaml_node_new(enum yaml_kind kind, const struct problem_place *place);
/* Also frees what follows in the chain of next. */
void yaml_node_free(struct yaml_node *node);
/* Takes child. */
void yaml_node_append(struct yaml_node *parent, struct yaml_node *child);
/* The value of key in a map; NULL when absent, or when node is NULL or no map. */
struct yaml_node *yaml_find(const struct yaml_node *node, const char *key);
/* A scalar that means "no value": plain and empty, "~" or "null" in its three spellings. */
bool yaml_is_null(const struct yaml_node *node);

#endif
