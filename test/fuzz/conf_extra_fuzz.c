/* sources: daemon/conf/conf.c daemon/conf/conf_check.c daemon/conf/conf_check_tree.c daemon/conf/conf_copy.c daemon/conf/conf_extra.c daemon/conf/conf_files.c daemon/conf/conf_merge.c daemon/conf/conf_place.c daemon/conf/conf_run.c daemon/conf/conf_show.c daemon/conf/conf_show_text.c daemon/conf/conf_state.c daemon/conf/conf_text.c daemon/conf/file.c daemon/conf/problem.c daemon/conf/problem_print.c daemon/conf/problem_sort.c daemon/conf/refs.c daemon/conf/schema.c daemon/conf/schema_example.c daemon/conf/schema_format.c daemon/conf/schema_groups.c daemon/conf/schema_names.c daemon/conf/schema_rows.c daemon/conf/schema_section.c daemon/conf/schema_value.c daemon/conf/schema_variables.c daemon/conf/schema_words.c daemon/conf/settings.c daemon/conf/source.c daemon/conf/yaml.c daemon/conf/yaml_alias.c daemon/conf/yaml_build.c daemon/conf/yaml_node.c daemon/conf/yaml_place.c daemon/conf/yaml_rules.c daemon/log/text.c common/access_format.c common/address.c common/err.c common/log_level.c common/msgpack.c common/nearest.c common/parse.c common/parse_address.c common/terminal.c | yaml-0.1 */
/*
 * conf_extra_fuzz.c - any text of a worker as the options of a pool.
 *
 * Whatever the text is, it is refused with a sentence and nothing has changed, or there is one more
 * pool, which is the same when it is carried over to a copy, and can be shown.  Sanitizers find the rest.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/err.h"
#include "daemon/conf/conf.h"
#include "daemon/conf/conf_extra.h"
#include "daemon/conf/conf_show.h"
#include "daemon/conf/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char base[] = "listeners: { http: { listen: \"127.0.0.1:8080\" } }\n"
                           "apps: { shop: { path: /proc/self/exe } }\n"
                           "pools: { web: { app: shop, listeners: [http] } }\n";

static void count_line(void *ctx, const char *key, const char *value, const char *origin)
{
    (void)key;
    (void)value;
    assert(origin[0] != '\0');
    ++*(size_t *)ctx;
}

static size_t count_lines(const struct conf *conf)
{
    size_t count = 0;
    assert(conf_show(conf, count_line, &count) == 0);
    return count;
}

static void check_added(struct conf *conf)
{
    const struct conf_pool *pool = &conf->pools[conf->pool_count - 1];
    struct conf *copy = conf_copy(conf);
    assert(copy != NULL && copy->pool_count == 1 && copy->listener_count == 1);
    assert(pool->app < conf->app_count && pool->source != NULL && pool->count <= 64);
    for (size_t i = 0; i < pool->listener_count; i++) {
        assert(pool->listeners[i] >= 1 && pool->listeners[i] < conf->listener_count);
        assert(conf->listeners[pool->listeners[i]].is_extra);
    }
    assert(conf_extra_carry(copy, conf, NULL, NULL) == 0);
    assert(copy->pool_count == conf->pool_count && copy->listener_count == conf->listener_count);
    assert(count_lines(copy) == count_lines(conf));
    conf_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem_list list;
    struct fsd_err err = {""};
    problem_list_init(&list);
    struct conf *conf = conf_parse("/fuzz.yaml", base, sizeof(base) - 1, &list);
    assert(conf != NULL);
    struct conf_extra extra = {"jobs", (const char *)data, size};
    int error = conf_extra_add(conf, &extra, 2, &err);
    if (error < 0) {
        assert(err.text[0] != '\0' && conf->pool_count == 1 && conf->listener_count == 1);
    } else {
        check_added(conf);
    }
    conf_free(conf);
    problem_list_fini(&list);
    return 0;
}
