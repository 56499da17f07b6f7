#ifndef FSD_DAEMON_CONF_SCHEMA_H
#define FSD_DAEMON_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct conf;
struct problem_list;
struct yaml_node;

enum schema_kind {
    SCHEMA_SECTION,      /* a map of keys that are rows */
    SCHEMA_ENTRIES,      /* a map of names; their keys are the rows of "NAME.*" */
    SCHEMA_VERSION,      /* the number of the format, kept nowhere */
    SCHEMA_ADDRESS,      /* struct parse_address */
    SCHEMA_PATH,         /* char *, absolute */
    SCHEMA_DURATION,     /* uint32_t, milliseconds */
    SCHEMA_SIZE,         /* uint64_t, bytes */
    SCHEMA_NUMBER,       /* uint32_t */
    SCHEMA_COUNT,        /* unsigned; "auto" is 0 */
    SCHEMA_STANDBY,      /* uint32_t; "auto" is CONF_STANDBY_AUTO */
    SCHEMA_INTENSITY,    /* uint32_t; "auto" is CONF_INTENSITY_AUTO */
    SCHEMA_SHUTDOWN,     /* uint32_t, milliseconds, SUPERVISE_INFINITY or SUPERVISE_BRUTAL_KILL */
    SCHEMA_RESTART,      /* enum supervise_restart */
    SCHEMA_STRATEGY,     /* enum supervise_strategy */
    SCHEMA_USER,         /* char *, a name */
    SCHEMA_GROUP,        /* char *, a name */
    SCHEMA_LOG_LEVEL,    /* enum log_level */
    SCHEMA_LOG_FORMAT,   /* enum conf_log_format */
    SCHEMA_PROXIES,      /* char[CONF_PROXIES_MAX], a list that common/address.h accepts */
    SCHEMA_LOG_ACCESS,   /* char *, what common/access_format.h accepts */
    SCHEMA_APP_NAME,     /* size_t, index into conf.apps */
    SCHEMA_LISTEN_NAMES, /* a list: the listeners of struct conf_pool */
    SCHEMA_CHILDREN,     /* a list of names of pools and supervisors: struct conf_children */
    SCHEMA_VARIABLES,    /* a map of strings: env of struct conf_app */
    SCHEMA_FILES,        /* a map of paths: their texts are in env of struct conf_app too */
    SCHEMA_SETTINGS,     /* a free map: settings of struct conf_app */
};

/* One key of the configuration.  Values are written as in a file, in the kind's own notation. */
struct schema_row {
    const char *section; /* the keys above, "*" for a name: "pools.*.limits"; "" at the top */
    const char *name;
    enum schema_kind kind;
    size_t offset;   /* of the value in the object of the section; 0 where kind says which */
    const char *min; /* both inclusive; NULL where the kind has no range */
    const char *max;
    const char *initial; /* the default; NULL: none, so it must be written; "null": none is fine */
    const char *example; /* written in the example file; NULL: there as a comment, with initial */
    const char *help;    /* a sentence or two, lines of at most 90 characters */
};

const struct schema_row *schema_rows(size_t *ret_count);
const struct schema_row *schema_find_row(const char *section, const char *name);
/* True for a section at the top whose keys are names ("pools"). */
bool schema_is_named(const char *section);

/* Fills conf from the tree; conf->files must be there already (places point to it).  Every problem
 * goes to list, and conf is only good to be freed if one is an error. */
void schema_bind(const struct yaml_node *root, struct conf *conf, struct problem_list *list);
/* The same for one entry that was made beside those of the tree: value, a map with the name as its key, is what conf's item at index of
 * the section ("pools") is bound to. */
void schema_bind_entry(struct conf *conf, const char *section, size_t index,
                       const struct yaml_node *value, struct problem_list *list);
/* Sets the defaults of a section ("pools.*") and of the sections inside it.  object: the struct
 * that the rows' offsets mean.  0 or -ENOMEM. */
int schema_set_defaults(const char *section, void *object);
/* A configuration that shows every key, with comments; it loads as it is. */
void schema_print_example(FILE *out);

#endif
