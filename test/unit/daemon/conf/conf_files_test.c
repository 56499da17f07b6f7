#include "daemon/conf/conf_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/conf_folder.h"

static void parts_are_read_in_byte_order_and_replace_what_came_before(void **state)
{
    (void)state;
    write_text("fsd.yaml", BASE "log: { level: debug, format: json }\n");
    write_text("conf.d/10.yaml", "log: { level: error }\n");
    write_text("conf.d/9.yaml", "log: { level: info }\n");
    write_text("conf.d/B.yaml", "log: { level: notice }\n");
    write_text("conf.d/a.yaml", "log: { level: warning }\n");
    write_text("conf.d/.hidden.yaml", "nonsense: [\n");
    write_text("conf.d/note.txt", "nonsense: [\n");
    struct conf *conf = load(NULL);
    assert_non_null(conf);
    assert_int_equal(conf->log_level, LOG_LEVEL_WARNING);
    assert_int_equal(conf->log_format, CONF_LOG_JSON);
    static const char *const order[] = {"fsd.yaml", "conf.d/10.yaml", "conf.d/9.yaml",
                                        "conf.d/B.yaml", "conf.d/a.yaml"};
    assert_int_equal(conf->file_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(conf->files[i], order[i]);
    }
    conf_free(conf);
}

static void maps_merge_lists_replace_and_plus_appends(void **state)
{
    (void)state;
    write_text(
        "fsd.yaml",
        "listeners: { a: { listen: \":1\" }, b: { listen: \":2\" }, c: { listen: \":3\" } }\n"
        "apps: { s: { path: app.lua, settings: { x: 1, l: [1], q+: [0], \"p+\": 5 } } }\n"
        "pools: { p: { app: s, listeners: [a] } }\n");
    write_text("conf.d/9.yaml", "apps: { s: { settings: { l+: [2], m: { n+: [3] }, y: 2 } } }\n"
                                "pools: { p: { listeners+: [b, c] } }\n");
    struct conf *conf = load(NULL);
    assert_non_null(conf);
    assert_int_equal(conf->pools[0].listener_count, 3);
    /* {x: 1, l: [1, 2], q: [0], "p+": 5, m: {n: [3]}, y: 2} */
    static const unsigned char expected[] = {0x86, 0xa1, 'x',  1,   0xa1, 'l', 0x92, 1,   2,
                                             0xa1, 'q',  0x91, 0,   0xa2, 'p', '+',  5,   0xa1,
                                             'm',  0x81, 0xa1, 'n', 0x91, 3,   0xa1, 'y', 2};
    assert_int_equal(conf->apps[0].settings_len, sizeof(expected));
    assert_memory_equal(conf->apps[0].settings, expected, sizeof(expected));
    conf_free(conf);
}

static void replacing_a_value_of_a_named_entry_is_a_warning_with_both_places(void **state)
{
    (void)state;
    write_text("fsd.yaml", BASE);
    write_text("conf.d/9.yaml",
               "apps:\n  shop: { path: ../dir, settings: { m: { x: 1 }, n: 1 } }\n");
    write_text("conf.d/a.yaml",
               "apps:\n\n  shop: { path: ../app.lua, settings: { a: 1, m: { y: 1, x: [2] } } }\n"
               "pools: { web: { boot: 1s, limits: { body: 1 } } }\nlog: { level: info }\n");
    write_text("conf.d/B.yaml", "pools: { web: { limits: { body: 2 } } }\nlog: { level: debug }\n");
    static const char *const expected[] = {
        "conf.d/9.yaml:2:11: warning: apps.shop.path overrides the value at fsd.yaml:2:17\n",
        "conf.d/a.yaml:3:11: warning: apps.shop.path overrides the value at conf.d/9.yaml:2:11\n",
        "conf.d/a.yaml:3:58: warning: apps.shop.settings.m.x overrides the value at "
        "conf.d/9.yaml:2:42\n",
        "conf.d/a.yaml:4:37: warning: pools.web.limits.body overrides the value at "
        "conf.d/B.yaml:1:27\n",
        /* What is only added overrides nothing, nor is log an entry with a name. */
        "4 warnings in 4 files\n",
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        conf_free(load(expected[i]));
    }
    struct conf *conf = load("");
    assert_non_null(conf);
    /* A relative path starts at the folder of the file that names it. */
    assert_non_null(strstr(conf->apps[0].path, "/conf.d/../app.lua"));
    /* The entry itself is where it was first. */
    assert_string_equal(conf->apps[0].place.file, "fsd.yaml");
    conf_free(conf);
}

static void an_empty_section_in_a_later_file_takes_nothing_away(void **state)
{
    (void)state;
    write_text("fsd.yaml", BASE);
    write_text("conf.d/9.yaml", "apps:\npools: ~\nlog: {}\n");
    struct conf *conf = load(NULL);
    assert_non_null(conf);
    conf_free(conf);
}

static void plus_is_for_lists_only(void **state)
{
    (void)state;
    write_text("fsd.yaml", BASE);
    write_text("conf.d/9.yaml", "pools: { web: { listeners+: alt } }\n");
    assert_null(
        load("conf.d/9.yaml:1:17: error: \"listeners+\" appends to a list, so its value must "
             "be a list\n"));
    write_text("conf.d/9.yaml", "pools: { web: { app+: [alt] } }\n");
    assert_null(load("conf.d/9.yaml:1:17: error: cannot append to \"app\": it is no list at "
                     "fsd.yaml:3:22\n"));
}

static void a_later_file_may_replace_a_section_by_nonsense_and_is_blamed_for_it(void **state)
{
    (void)state;
    write_text("fsd.yaml", BASE);
    write_text("conf.d/9.yaml", "pools: 7\n");
    assert_null(load("conf.d/9.yaml:1:8: error: pools must be a map\n"));
}

static void syntax_errors_of_all_files_are_found_and_nothing_else_is_said(void **state)
{
    (void)state;
    write_text("fsd.yaml", "a: [\n");
    write_text("conf.d/9.yaml", "unknown: 1\n");
    write_text("conf.d/a.yaml", "a: 1\na: 2\n");
    assert_null(load("2 errors in 3 files\n"));
}

static void files_that_cannot_be_trusted_or_read_are_errors(void **state)
{
    (void)state;
    assert_null(load("fsd: error: cannot read \"fsd.yaml\": No such file or directory\n1 error\n"));
    write_text("fsd.yaml", BASE);
    assert_int_equal(chmod("fsd.yaml", 0666), 0);
    assert_null(
        load("fsd: error: cannot read \"fsd.yaml\": everybody may write to it (mode 0666)\n"));
    assert_int_equal(chmod("fsd.yaml", 0664), 0);
    conf_free(load(NULL));
    assert_int_equal(mkdir("conf.d/x.yaml", 0755), 0);
    assert_null(load("cannot read \"conf.d/x.yaml\": it is a folder, not a regular file\n"));
    assert_int_equal(rmdir("conf.d/x.yaml"), 0);
    FILE *file = fopen("fsd.yaml", "w");
    for (int i = 0; i <= 1024 * 1024 / 63; i++) {
        (void)fprintf(file, "# %060d\n", i);
    }
    assert_int_equal(fclose(file), 0);
    assert_null(load("cannot read \"fsd.yaml\": it has more than 1048576 bytes\n"));
}

static void the_folder_of_the_file_counts_not_the_working_directory(void **state)
{
    struct problem_list list;
    char path[256];

    write_text("fsd.yaml", BASE);
    write_text("conf.d/9.yaml", "log: { level: debug }\n");
    (void)snprintf(path, sizeof(path), "%s/fsd.yaml", (const char *)*state);
    assert_int_equal(chdir("dir"), 0);
    problem_list_init(&list);
    for (int i = 0; i < 2; i++) {
        struct conf *conf = conf_load(i == 0 ? path : "../fsd.yaml", &list);
        problems_assert_none(&list);
        assert_int_equal(conf->log_level, LOG_LEVEL_DEBUG);
        assert_int_equal(conf->apps[0].path[0], '/');
        assert_int_equal(access(conf->apps[0].path, R_OK), 0);
        conf_free(conf);
    }
    problem_list_fini(&list);
    assert_int_equal(chdir(".."), 0);
}

/* Loads fsd.yaml with "new" in the place of path. */
static struct conf *load_as(const char *path, const char *expected)
{
    struct problem_list list;
    struct conf_replacement replacement = {path, "new"};

    problem_list_init(&list);
    struct conf *conf = conf_load_as("fsd.yaml", &replacement, &list);
    if (expected == NULL) {
        problems_assert_none(&list);
    } else {
        problems_assert_contains(&list, expected);
    }
    problem_list_fini(&list);
    return conf;
}

static void a_replacement_is_read_where_its_file_would_be(void **state)
{
    static const struct {
        const char *path;
        enum log_level level; /* of what is read last */
        size_t count;
        const char *name;
        size_t at;
    } rows[] = {
        {"fsd.yaml", LOG_LEVEL_WARNING, 3, "fsd.yaml", 0},
        {"./fsd.yaml", LOG_LEVEL_WARNING, 3, "./fsd.yaml", 0},
        {"conf.d/9.yaml", LOG_LEVEL_WARNING, 3, "conf.d/9.yaml", 1},
        {"conf.d/10.yaml", LOG_LEVEL_WARNING, 4, "conf.d/10.yaml", 1},
        {"dir/../conf.d/B.yaml", LOG_LEVEL_WARNING, 4, "dir/../conf.d/B.yaml", 2},
        {"conf.d/a.yaml", LOG_LEVEL_DEBUG, 3, "conf.d/a.yaml", 2},
        {"conf.d/b.yaml", LOG_LEVEL_DEBUG, 4, "conf.d/b.yaml", 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_text("fsd.yaml", BASE);
        write_text("conf.d/9.yaml", "log: { level: error }\n");
        write_text("conf.d/a.yaml", "log: { level: warning }\n");
        write_text("new", i < 2 ? BASE "log: { level: debug }\n" : "log: { level: debug }\n");
        struct conf *conf = load_as(rows[i].path, NULL);
        assert_non_null(conf);
        assert_int_equal(conf->log_level, rows[i].level);
        assert_int_equal(conf->text_count, rows[i].count);
        assert_string_equal(conf->texts[rows[i].at].path, rows[i].name);
        assert_non_null(strstr(conf->texts[rows[i].at].text, "debug"));
        conf_free(conf);
    }
    (void)unlink("new");
}

static void a_replacement_is_named_by_what_it_replaces(void **state)
{
    (void)state;
    write_text("fsd.yaml", BASE);
    write_text("new", "pools: { web: { drian: 1s } }\n");
    assert_null(load_as("conf.d/20.yaml", "conf.d/20.yaml:1:17: error: unknown key \"drian\""));
    /* A relative path in it starts where it will be. */
    write_text("new", "apps: { shop: { path: ../dir } }\n");
    struct conf *conf = load_as("conf.d/20.yaml", "conf.d/20.yaml:1:17: warning: apps.shop.path");
    assert_non_null(conf);
    conf_free(conf);
    (void)unlink("new");
    assert_null(load_as("conf.d/20.yaml", "fsd: error: cannot read \"new\": No such file or"));
}

static void a_replacement_must_be_for_a_part_of_the_configuration(void **state)
{
    static const char *const paths[] = {
        "other.yaml", "conf.d/20.yml", "conf.d/.20.yaml",    "dir/20.yaml",
        "/20.yaml",   "conf.d",        "conf.d/x/../y.yaml", "",
        "conf.d/"};

    (void)state;
    write_text("fsd.yaml", BASE);
    write_text("new", "");
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char expected[256];
        (void)snprintf(expected, sizeof(expected),
                       "fsd: error: \"%s\" would be no part of the configuration, which is "
                       "\"fsd.yaml\" and \"conf.d/*.yaml\"\n",
                       paths[i]);
        assert_null(load_as(paths[i], expected));
    }
    (void)unlink("new");
}

static void a_new_configuration_can_be_checked_before_there_is_one(void **state)
{
    (void)state;
    (void)unlink("fsd.yaml");
    assert_int_equal(rmdir("conf.d"), 0);
    write_text("new", BASE);
    struct conf *conf = load_as("fsd.yaml", NULL);
    assert_non_null(conf);
    conf_free(conf);
    write_text("fsd.yaml", BASE);
    write_text("new", "log: { level: debug }\n");
    conf = load_as("conf.d/1.yaml", NULL);
    assert_non_null(conf);
    assert_int_equal(conf->log_level, LOG_LEVEL_DEBUG);
    conf_free(conf);
    (void)unlink("new");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parts_are_read_in_byte_order_and_replace_what_came_before),
        TEST(maps_merge_lists_replace_and_plus_appends),
        TEST(replacing_a_value_of_a_named_entry_is_a_warning_with_both_places),
        TEST(an_empty_section_in_a_later_file_takes_nothing_away),
        TEST(plus_is_for_lists_only),
        TEST(a_later_file_may_replace_a_section_by_nonsense_and_is_blamed_for_it),
        TEST(syntax_errors_of_all_files_are_found_and_nothing_else_is_said),
        TEST(files_that_cannot_be_trusted_or_read_are_errors),
        TEST(the_folder_of_the_file_counts_not_the_working_directory),
        TEST(a_replacement_is_read_where_its_file_would_be),
        TEST(a_replacement_is_named_by_what_it_replaces),
        TEST(a_replacement_must_be_for_a_part_of_the_configuration),
        TEST(a_new_configuration_can_be_checked_before_there_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
