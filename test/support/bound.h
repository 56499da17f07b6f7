#ifndef FSD_TEST_SUPPORT_BOUND_H
#define FSD_TEST_SUPPORT_BOUND_H

#include "daemon/conf/conf.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/source.h"
#include "daemon/conf/yaml.h"
#include "test/support/problems.h"

/* A text bound to a conf, without the checks between keys. */
struct bound {
    struct source *source;
    struct yaml_node *root;
    struct conf *conf;
    struct problem_list list;
};

static inline void bound_init(struct bound *bound, const char *text)
{
    problem_list_init(&bound->list);
    bound->source = source_new("/etc/fsd/t.yaml", text, strlen(text));
    bound->root = yaml_read(bound->source, &bound->list);
    assert_non_null(bound->root);
    bound->conf = calloc(1, sizeof(*bound->conf));
    assert_non_null(bound->conf);
    bound->conf->files = calloc(1, sizeof(char *));
    bound->conf->files[0] = strdup("/etc/fsd/t.yaml");
    bound->conf->file_count = 1;
    schema_bind(bound->root, bound->conf, &bound->list);
}

static inline void bound_fini(struct bound *bound)
{
    conf_free(bound->conf);
    yaml_node_free(bound->root);
    source_free(bound->source);
    problem_list_fini(&bound->list);
}

#endif
