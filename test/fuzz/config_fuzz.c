/* sources: daemon/conf/conf.c daemon/conf/conf_check.c daemon/conf/conf_check_tree.c daemon/conf/conf_files.c daemon/conf/conf_merge.c daemon/conf/conf_place.c daemon/conf/conf_run.c daemon/conf/conf_show.c daemon/conf/conf_show_text.c daemon/conf/conf_state.c daemon/conf/conf_text.c daemon/conf/file.c daemon/conf/problem.c daemon/conf/problem_print.c daemon/conf/problem_sort.c daemon/conf/refs.c daemon/conf/schema.c daemon/conf/schema_example.c daemon/conf/schema_format.c daemon/conf/schema_groups.c daemon/conf/schema_names.c daemon/conf/schema_rows.c daemon/conf/schema_section.c daemon/conf/schema_value.c daemon/conf/schema_variables.c daemon/conf/schema_words.c daemon/conf/settings.c daemon/conf/source.c daemon/conf/yaml.c daemon/conf/yaml_alias.c daemon/conf/yaml_build.c daemon/conf/yaml_node.c daemon/conf/yaml_place.c daemon/conf/yaml_rules.c daemon/log/text.c common/access_format.c common/address.c common/err.c common/log_level.c common/msgpack.c common/nearest.c common/parse.c common/parse_address.c common/terminal.c | yaml-0.1 */
/*
 * config_fuzz.c - any text as a configuration file.
 *
 * Whatever the text is, there must be a conf or at least one error, all problems must print, every
 * place in the result must be valid, every value can be shown, and its text makes the same conf
 * again.  Sanitizers find the rest.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/conf_show.h"
#include "daemon/conf/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_children(const struct conf *conf, const struct conf_children *children)
{
    assert(children->count <= CONF_CHILDREN_MAX);
    for (size_t i = 0; i < children->count; i++) {
        assert(children->items[i].index <
               (children->items[i].is_supervisor ? conf->supervisor_count : conf->pool_count));
    }
}

static void check_conf(const struct conf *conf)
{
    assert(conf->pool_count > 0);
    assert(conf->control_path[0] == '/');
    for (size_t i = 0; i < conf->pool_count; i++) {
        assert(conf->pools[i].app < conf->app_count);
        assert(conf->pools[i].listener_count <= CONF_POOL_LISTENERS_MAX);
        assert(strcmp(conf->pools[i].place.file, "/fuzz.yaml") == 0);
        check_children(conf, &conf->pools[i].after);
        for (size_t j = 0; j < conf->pools[i].listener_count; j++) {
            assert(conf->pools[i].listeners[j] < conf->listener_count);
        }
    }
    for (size_t i = 0; i < conf->supervisor_count; i++) {
        check_children(conf, &conf->supervisors[i].children);
        check_children(conf, &conf->supervisors[i].after);
        assert(conf->supervisors[i].children.count > 0);
    }
    for (size_t i = 0; i < conf->app_count; i++) {
        assert(conf->apps[i].path[0] == '/');
        assert(conf->apps[i].settings_len > 0);
    }
    for (size_t i = 0; i < conf->listener_count; i++) {
        assert(conf->listeners[i].address.len > 0);
    }
}

static void check_line(void *ctx, const char *key, const char *value, const char *origin)
{
    (void)ctx;
    for (const char *at = value; *at != '\0'; at++) {
        assert((unsigned char)*at >= ' ' && *at != '\x7f');
    }
    assert(strchr(key, '\n') == NULL && strchr(origin, '\n') == NULL);
}

static void check_again(const struct conf *conf)
{
    struct problem_list list;

    problem_list_init(&list);
    struct conf *again = conf_load_texts(conf->texts, conf->text_count, NULL, &list);
    assert(again != NULL && strcmp(again->hash, conf->hash) == 0);
    assert(again->pool_count == conf->pool_count);
    conf_free(again);
    problem_list_fini(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem_list list;
    char *printed = NULL;
    size_t printed_len = 0;
    FILE *out = open_memstream(&printed, &printed_len);

    assert(out != NULL);
    problem_list_init(&list);
    struct conf *conf = conf_parse("/fuzz.yaml", (const char *)data, size, &list);
    assert((conf == NULL) == (list.errors > 0));
    if (conf != NULL) {
        check_conf(conf);
        assert(conf_show(conf, check_line, NULL) == 0);
        check_again(conf);
    }
    problem_print(&list, out);
    (void)fclose(out);
    assert(memchr(printed, '\x1b', printed_len) == NULL);
    free(printed);
    conf_free(conf);
    problem_list_fini(&list);
    return 0;
}
