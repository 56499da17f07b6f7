#ifndef FSD_DAEMON_CONF_SCHEMA_SECTION_H
#define FSD_DAEMON_CONF_SCHEMA_SECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/conf/problem.h"

struct conf;
struct schema_row;
struct yaml_node;

enum { SCHEMA_LABEL_MAX = 256 };

/* A section of the configuration while it is bound. */
struct schema_section {
    struct conf *conf;            /* borrowed */
    struct problem_list *list;    /* borrowed */
    const char *pattern;          /* "pools.*.limits"; "" at the top */
    const char *label;            /* "pools.web.limits", for messages */
    const struct yaml_node *node; /* NULL: not written */
    struct problem_place place;   /* where a missing key is missing */
    void *object;                 /* what the rows' offsets mean */
};

/* "pools.web" and "count" -> "pools.web.count" */
void schema_section_label(const struct schema_section *section, const char *name,
                          char label[SCHEMA_LABEL_MAX]);
/* The same for a value by its own key; an item of a list has none, then section is the list. */
void schema_section_value_label(const struct schema_section *section, const struct yaml_node *value,
                                char label[SCHEMA_LABEL_MAX]);
/* What can be wrong with a section; all of it is reported to section->list. */
void schema_section_refuse_key(const struct schema_section *section, const struct yaml_node *child);
void schema_section_refuse_value(const struct schema_section *section, const struct schema_row *row,
                                 const struct yaml_node *value);
void schema_section_refuse_missing(const struct schema_section *section,
                                   const struct schema_row *row);
void schema_section_refuse_no_memory(const struct schema_section *section, const char *name);
/* True when value is one scalar that can be looked at; else it was reported. */
bool schema_section_check_scalar(const struct schema_section *section,
                                 const struct yaml_node *value, const char *expected);

#endif
