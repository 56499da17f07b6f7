#include "daemon/conf/conf_extra.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/err.h"
#include "daemon/conf/conf_show.h"
#include "daemon/conf/source.h"
#include "test/support/conf_folder.h"

enum { CPUS = 3 };

static struct conf *load_base(const char *text)
{
    write_text("fsd.yaml", text);
    return load(NULL);
}

static int add(struct conf *conf, const char *name, const char *text, struct fsd_err *err)
{
    struct conf_extra extra = {name, text, strlen(text)};
    return conf_extra_add(conf, &extra, CPUS, err);
}

static void add_good(struct conf *conf, const char *name, const char *text)
{
    struct fsd_err err = {""};
    int error = add(conf, name, text, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(error, 0);
}

static void an_extra_pool_has_what_its_text_says_and_the_defaults_of_a_file(void **state)
{
    (void)state;
    struct conf *conf = load_base(BASE);
    add_good(conf, "jobs",
             "{\"app\":\"shop\",\"count\":2,\"limits\":{\"memory\":\"64MiB\"},\"after\":[\"web\"],"
             "\"restart\":\"transient\",\"listeners\":{\"feed\":{\"listen\":\"127.0.0.1:0\"}}}");
    assert_int_equal(conf->pool_count, 2);
    const struct conf_pool *pool = &conf->pools[1];
    assert_string_equal(pool->name, "jobs");
    assert_string_equal(pool->place.file, "lua");
    assert_non_null(pool->source);
    assert_null(conf->pools[0].source);
    assert_int_equal(pool->count, 2);
    assert_int_equal(pool->restart, SUPERVISE_TRANSIENT);
    assert_int_equal(pool->limits.memory_bytes, 64 << 20);
    assert_int_equal(pool->drain_ms, 5000);
    assert_int_equal(pool->after.count, 1);
    assert_int_equal(pool->listener_count, 1);
    assert_int_equal(conf->listener_count, 3);
    assert_int_equal(pool->listeners[0], 2);
    assert_string_equal(conf->listeners[2].name, "feed");
    assert_true(conf->listeners[2].is_extra);
    conf_free(conf);
}

static void what_does_not_fit_is_refused_with_a_sentence_and_leaves_nothing(void **state)
{
    static const struct {
        const char *name;
        const char *text;
        int error;
        const char *why;
    } rows[] = {
        {"web", "{\"app\":\"shop\"}", -EEXIST, "there is a pool \"web\" already"},
        {"a b", "{}", -EINVAL,
         "the name of a pool has letters, digits, \"_\", \"-\" and \".\", begins with a letter or "
         "digit, and is at most 63 long"},
        {"jobs", "{}", -EINVAL, "pools.jobs needs the key \"app\"; it is the name of an app"},
        {"jobs", "{\"app\":\"shpo\"}", -EINVAL,
         "pools.jobs.app: there is no app \"shpo\"; did you mean \"shop\"?"},
        {"jobs", "{\"app\":\"shop\",\"cuont\":1}", -EINVAL,
         "unknown key \"cuont\" in pools.jobs; did you mean \"count\"?"},
        {"jobs", "{\"app\":\"shop\",\"count\":65}", -EINVAL,
         "pools.jobs.count must be auto or a number between 1 and 64, got \"65\""},
        {"jobs", "{\"app\":\"shop\",\"after\":[\"jobs\"]}", -EINVAL,
         "pools.jobs would wait for itself: jobs -> jobs"},
        {"jobs", "[1]", -EINVAL, "the options must be one JSON object"},
        {"jobs", "{\"app\":\"shop\",\"listeners\":[\"http\"]}", -EINVAL,
         "listeners must be a map of new ones; write { NAME = { listen = \"127.0.0.1:0\" } }"},
        {"jobs", "{\"app\":\"shop\",\"listeners\":{\"http\":{\"listen\":\":0\"}}}", -EINVAL,
         "there is a listener \"http\" already"},
        {"jobs", "{\"app\":\"shop\",\"listeners\":{\"a b\":{\"listen\":\":0\"}}}", -EINVAL,
         "\"a b\" cannot be a name in listeners"},
        {"jobs", "{\"app\":\"shop\",\"listeners\":{\"feed\":{}}}", -EINVAL,
         "listeners.feed needs the key \"listen\"; it is an address such as \"127.0.0.1:8080\", "
         "\":8080\", \"[::1]:80\" or \"unix:/run/x.sock\""},
        {"jobs", "{\"app\":\"shop\",\"listeners\":{\"feed\":{\"listen\":\"127.0.0.1:8081\"}}}",
         -EINVAL,
         "listeners.feed.listen: \"127.0.0.1:8081\" is the address of listeners.alt already, at "
         "fsd.yaml:1:50"},
        {"jobs", "{\"app\":\"shop\",\"listeners\":{\"feed\":{\"listen\":\":1023\"}}}", -EINVAL,
         "listeners.feed.listen: a pool that is started from Lua may have neither a Unix socket "
         "nor a port below 1024; write such a pool into the configuration"},
        {"jobs", "{\"app\":\"shop\",\"listeners\":{\"feed\":{\"listen\":\"unix:/tmp/x\"}}}",
         -EINVAL,
         "listeners.feed.listen: a pool that is started from Lua may have neither a Unix socket "
         "nor a port below 1024; write such a pool into the configuration"},
        {"jobs", "{\"app\":\"shop\",\"standby\":0,\"count\":64,\"app\":\"x\"}", -EINVAL, ""},
        {"jobs", "{\"app\":\"shop\",\"count\":64}", -ENOSPC,
         "pools that are started from Lua would have 65 workers, at most 64"},
    };
    (void)state;
    struct conf *conf = load_base(BASE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fsd_err err = {""};
        int error = add(conf, rows[i].name, rows[i].text, &err);
        if (rows[i].why[0] != '\0') {
            assert_string_equal(err.text, rows[i].why);
        }
        assert_int_equal(error, rows[i].error);
        assert_int_equal(conf->pool_count, 1);
        assert_int_equal(conf->listener_count, 2);
    }
    add_good(conf, "jobs", "{\"app\":\"shop\",\"listeners\":{}}");
    conf_free(conf);
}

static void references_in_the_text_are_not_followed(void **state)
{
    (void)state;
    struct conf *conf = load_base(BASE);
    struct fsd_err err = {""};
    assert_int_equal(add(conf, "jobs", "{\"app\":\"${ENV:HOME}\"}", &err), -EINVAL);
    assert_string_equal(err.text, "pools.jobs.app: there is no app \"${ENV:HOME}\"; it must be a "
                                  "key in \"apps:\"");
    conf_free(conf);
}

static void a_text_that_is_too_long_or_has_a_nul_is_refused(void **state)
{
    static char text[CONF_EXTRA_TEXT_MAX + 1];
    (void)state;
    struct conf *conf = load_base(BASE);
    struct fsd_err err = {""};
    memset(text, ' ', sizeof(text));
    struct conf_extra extra = {"jobs", text, sizeof(text)};
    assert_int_equal(conf_extra_add(conf, &extra, CPUS, &err), -EINVAL);
    assert_string_equal(err.text, "the options are longer than 4096 bytes, or have a NUL byte");
    extra = (struct conf_extra){"jobs", "{\"app\":\"shop\"}\0", 15};
    assert_int_equal(conf_extra_add(conf, &extra, CPUS, NULL), -EINVAL);
    extra.len = 14;
    assert_int_equal(conf_extra_add(conf, &extra, CPUS, NULL), 0);
    conf_free(conf);
}

static void there_are_at_most_so_many_extra_pools_and_workers(void **state)
{
    char name[16];
    struct fsd_err err = {""};
    (void)state;
    struct conf *conf = load_base(BASE);
    for (int i = 0; i < CONF_EXTRA_POOLS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        add_good(conf, name, i == 0 ? "{\"app\":\"shop\"}" : "{\"app\":\"shop\",\"count\":1}");
    }
    assert_int_equal(add(conf, "more", "{\"app\":\"shop\",\"count\":1}", &err), -ENOSPC);
    assert_string_equal(err.text, "16 pools were started from Lua already");
    conf_free(conf);
    conf = load_base(BASE);
    add_good(conf, "a", "{\"app\":\"shop\"}"); /* as many as there are CPUs, and one in reserve */
    assert_int_equal(add(conf, "b", "{\"app\":\"shop\",\"count\":60,\"standby\":1}", &err),
                     -ENOSPC);
    assert_string_equal(err.text,
                        "pools that are started from Lua would have 65 workers, at most 64");
    add_good(conf, "b", "{\"app\":\"shop\",\"count\":60,\"standby\":0}");
    conf_free(conf);
}

static void a_copy_has_everything_but_extra_pools_and_outlives_what_it_came_from(void **state)
{
    (void)state;
    struct conf *conf =
        load_base(BASE "supervisors: { all: { children: [web] } }\nshared: { cache: {} }\n"
                       "log: { path: x.log }\n");
    add_good(conf, "jobs", "{\"app\":\"shop\",\"listeners\":{\"feed\":{\"listen\":\":0\"}}}");
    struct conf *copy = conf_copy(conf);
    assert_non_null(copy);
    struct conf *second = conf_copy(copy);
    assert_non_null(second);
    conf_free(conf);
    conf_free(copy);
    assert_int_equal(second->pool_count, 1);
    assert_int_equal(second->listener_count, 2);
    assert_int_equal(second->app_count, 1);
    assert_string_equal(second->apps[0].name, "shop");
    assert_string_equal(second->supervisors[0].name, "all");
    assert_string_equal(second->shared[0].name, "cache");
    assert_int_equal(second->text_count, 1);
    assert_string_equal(second->pools[0].place.file, "fsd.yaml");
    assert_non_null(second->log_path);
    assert_non_null(second->tree);
    conf_free(second);
}

static void a_copy_that_goes_first_leaves_its_base_alone(void **state)
{
    (void)state;
    struct conf *conf = load_base(BASE);
    conf_free(conf_copy(conf));
    assert_string_equal(conf->pools[0].place.file, "fsd.yaml");
    conf_free(conf);
}

static void
extra_pools_are_carried_over_and_what_contradicts_the_new_files_is_left_out(void **state)
{
    (void)state;
    struct problem_list list;
    problem_list_init(&list);
    struct conf *conf = load_base(BASE);
    add_good(conf, "jobs", "{\"app\":\"shop\",\"count\":1}");
    add_good(conf, "feed",
             "{\"app\":\"shop\",\"count\":1,\"listeners\":{\"f\":{\"listen\":\":7000\"}}}");
    add_good(conf, "more", "{\"app\":\"shop\",\"count\":1}");
    struct conf *copy = conf_copy(conf);
    assert_int_equal(conf_extra_carry(copy, conf, "jobs", NULL), 0);
    assert_int_equal(copy->pool_count, 3);
    assert_string_equal(copy->pools[1].name, "feed");
    assert_string_equal(copy->pools[2].name, "more");
    write_text("fsd.yaml",
               "listeners: { f: { listen: \":7001\" } }\napps: { shop: { path: app.lua } }\n"
               "pools: { more: { app: shop, listeners: [f], count: 2 } }\n");
    struct conf *next = load(NULL);
    assert_int_equal(conf_extra_carry(next, copy, NULL, &list), 0);
    assert_int_equal(next->pool_count, 1);
    assert_int_equal(next->pools[0].count, 2);
    assert_int_equal(next->listener_count, 1);
    problems_assert_contains(&list, "the pool \"feed\", which was started from Lua, is left out: "
                                    "there is a listener \"f\" already");
    problems_assert_contains(&list, "the pool \"more\", which was started from Lua, is left out: "
                                    "there is a pool \"more\" already");
    problem_list_fini(&list);
    conf_free(next);
    conf_free(copy);
    conf_free(conf);
}

static void write_line(void *ctx, const char *key, const char *value, const char *origin)
{
    (void)fprintf(ctx, "%s = %s # %s\n", key, value, origin);
}

static void an_extra_pool_is_shown_with_its_origin(void **state)
{
    char *text = NULL;
    size_t len = 0;
    (void)state;
    struct conf *conf = load_base(BASE);
    add_good(conf, "jobs",
             "{\"app\":\"shop\",\"count\":2,\"listeners\":{\"f\":{\"listen\":\":0\"}}}");
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(conf_show(conf, write_line, out), 0);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "\npools.jobs.count = 2 # lua:1:23\n"));
    assert_non_null(strstr(text, "\npools.jobs.app = shop # lua:1:8\n"));
    assert_non_null(strstr(text, "\npools.jobs.standby = auto # default\n"));
    assert_non_null(strstr(text, "\nlisteners.f.listen = [::]:0 # lua\n"));
    free(text);
    conf_free(conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            an_extra_pool_has_what_its_text_says_and_the_defaults_of_a_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_does_not_fit_is_refused_with_a_sentence_and_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(references_in_the_text_are_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_text_that_is_too_long_or_has_a_nul_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(there_are_at_most_so_many_extra_pools_and_workers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_copy_has_everything_but_extra_pools_and_outlives_what_it_came_from, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_copy_that_goes_first_leaves_its_base_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            extra_pools_are_carried_over_and_what_contradicts_the_new_files_is_left_out, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(an_extra_pool_is_shown_with_its_origin, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
