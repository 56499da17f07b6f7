#include "daemon/conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/conf_folder.h"

/* What a text does; expected is a part of the printed problems, NULL: none. */
static void check_text(const char *text, const char *expected, bool is_good)
{
    struct problem_list list;

    problem_list_init(&list);
    struct conf *conf = conf_parse("t.yaml", text, strlen(text), &list);
    assert_int_equal(conf != NULL, is_good);
    assert_int_equal(list.errors == 0, is_good);
    if (expected == NULL) {
        problems_assert_none(&list);
    } else {
        problems_assert_contains(&list, expected);
    }
    conf_free(conf);
    problem_list_fini(&list);
}

static void parts_that_do_not_go_together_are_explained(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
        bool is_good;
    } rows[] = {
        {BASE, NULL, true},
        {"",
         "t.yaml: error: there is no pool, so nothing would run\n"
         "t.yaml: note: write: pools: { web: { app: NAME, listeners: [NAME] } }\n",
         false},
        {"version: 1\npools:\n", "t.yaml:2:1: error: there is no pool, so nothing would run\n",
         false},
        {"pools: {}\n", "t.yaml:1:1: error: there is no pool, so nothing would run\n", false},
        {BASE "log: { level: x }\n", "t.yaml:4:15: error: log.level must be", false},
        {"apps: { a: { path: nope.lua } }\npools: { p: { app: a } }\n",
         "t.yaml:1:20: error: apps.a.path: cannot read \"/tmp/fsd-conf-", false},
        {"apps: { a: { path: nope.lua } }\npools: { p: { app: a } }\n",
         "/nope.lua\": No such file or directory\n", false},
        {"apps: { a: { path: empty } }\npools: { p: { app: a } }\n",
         "/empty/app.lua\": No such file or directory\n", false},
        {"apps: { a: { path: dir/app.lua/x } }\npools: { p: { app: a } }\n",
         "/dir/app.lua/x\": Not a directory\n", false},
        {"apps: { a: { path: dir } }\npools: { p: { app: a } }\n", NULL, true},
        {"apps: { a: { path: /dev/null } }\npools: { p: { app: a } }\n",
         "it is a device, pipe or socket, not a regular file\n", false},
        {BASE
         "control: { path: /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa }\n",
         "is too long for a socket: 108 bytes, at most 107\n", false},
        {BASE
         "control: { path: /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa }\n",
         NULL, true},
        {"listeners: { a: { listen: \":80\" }, b: { listen: \"[::]:80\" } }\n"
         "apps: { s: { path: app.lua } }\npools: { p: { app: s, listeners: [a, b] } }\n",
         "t.yaml:1:49: error: listeners.b.listen: \"[::]:80\" is the address of listeners.a "
         "already, "
         "at t.yaml:1:14\n",
         false},
        {"listeners: { a: { listen: \"unix:/x\" }, b: { listen: \"unix:/x\" } }\n"
         "apps: { s: { path: app.lua } }\npools: { p: { app: s, listeners: [a, b] } }\n",
         "listeners.b.listen: \"unix:/x\" is the address of listeners.a already", false},
        {"listeners: { a: { listen: \"unix:/x\" } }\ncontrol: { path: /x }\n"
         "apps: { s: { path: app.lua } }\npools: { p: { app: s, listeners: [a] } }\n",
         "t.yaml:2:18: error: control.path: \"/x\" is the address of listeners.a\n", false},
        {"listeners: { a: { listen: \":0\" }, b: { listen: \":0\" } }\n"
         "apps: { s: { path: app.lua } }\npools: { p: { app: s, listeners: [a, b] } }\n",
         NULL, true},
        {BASE "#\n", NULL, true},
        {"listeners: { a: { listen: \":80\" } }\napps: { s: { path: app.lua } }\n"
         "pools: { p: { app: s, listeners: [a] }, q: { app: s, listeners: [a] } }\n",
         "t.yaml:3:66: error: pools.q: the listener \"a\" belongs to pools.p already, at "
         "t.yaml:3:10\n",
         false},
        {"listeners: { a: { listen: \":80\" } }\napps: { s: { path: app.lua } }\n"
         "pools: { p: { app: s } }\n",
         "t.yaml:1:14: warning: listeners.a is used by no pool\n", true},
        {"apps: { s: { path: app.lua }, t: { path: app.lua } }\npools: { p: { app: s } }\n",
         "t.yaml:1:31: warning: apps.t is used by no pool\n", true},
        {BASE "user: root\ngroup: root\n", NULL, true},
        {BASE "user: fsd-no-such\n", "t.yaml:4:7: error: user: there is no user \"fsd-no-such\"\n",
         false},
        {BASE "group: fsd-no-such\n",
         "t.yaml:4:8: error: group: there is no group \"fsd-no-such\"\n", false},
        {BASE "user: \"${ENV:FSD_TEST:-fsd-no-such}\"\n",
         "there is no user \"(from a reference)\"\n", false},
        {BASE "supervisors: { s: { children: [web], after: [s] } }\n",
         "supervisors.s would wait for itself: s -> s\n", false},
        {"a: [\n", "t.yaml:2:1: error: did not find expected node content", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_text(rows[i].text, rows[i].expected, rows[i].is_good);
    }
}

static void a_reference_that_failed_is_the_only_complaint_about_its_value(void **state)
{
    struct problem_list list;
    static const char text[] = BASE "control: { path: \"${ENV:FSD_TEST_UNSET}\" }\n";

    (void)state;
    problem_list_init(&list);
    assert_null(conf_parse("t.yaml", text, strlen(text), &list));
    assert_int_equal(list.errors, 1);
    problems_assert_contains(&list,
                             "t.yaml:4:19: error: the environment variable \"FSD_TEST_UNSET\"");
    problem_list_fini(&list);
}

static void what_a_reference_brought_is_never_shown(void **state)
{
    static const char *const texts[] = {
        "listeners: { a: { listen: \"${ENV:FSD_TEST}\" } }\n",
        "apps: { a: { path: app.lua, env: \"${ENV:FSD_TEST}\" } }\n",
        "pools: { p: { app: \"${ENV:FSD_TEST}\" } }\n",
        "pools: { p: { app: a, listeners: [\"${ENV:FSD_TEST}\"] } }\n",
        "pools: { p: { app: a, listeners: \"${ENV:FSD_TEST}\" } }\n",
        "pools: { p: { app: a, count: \"${ENV:FSD_TEST}\" } }\n",
        "pools: { p: { app: a, boot: \"${ENV:FSD_TEST}\", limits: { body: \"${ENV:FSD_TEST}\" } } "
        "}\n",
        "log: { level: \"${ENV:FSD_TEST}\" }\n",
        "version: \"${ENV:FSD_TEST}\"\n",
    };
    (void)state;
    assert_int_equal(setenv("FSD_TEST", "s3cret", 1), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct problem_list list;
        problem_list_init(&list);
        assert_null(conf_parse("t.yaml", texts[i], strlen(texts[i]), &list));
        char *text = problems_print(&list);
        assert_null(strstr(text, "s3cret"));
        free(text);
        problem_list_fini(&list);
    }
}

static void the_texts_make_the_same_configuration_again(void **state)
{
    struct problem_list list;
    static const struct conf_override items[] = {{"web", 7}, {"gone", 9}};
    static const struct conf_overrides overrides = {items, 2};

    (void)state;
    problem_list_init(&list);
    assert_int_equal(setenv("FSD_TEST", "debug", 1), 0);
    write_text("fsd.yaml", BASE "log: { level: \"${ENV:FSD_TEST}\" }\n");
    write_text("conf.d/9.yaml", "pools: { web: { boot: 7s } }\n");
    struct conf *conf = load(NULL);
    assert_non_null(conf);
    assert_int_equal(conf->text_count, 2);
    assert_string_equal(conf->texts[0].path, "fsd.yaml");
    assert_non_null(strstr(conf->texts[0].text, "${ENV:FSD_TEST}"));
    assert_int_equal(conf->texts[0].len, strlen(conf->texts[0].text));
    assert_string_equal(conf->texts[1].path, "conf.d/9.yaml");
    assert_int_equal(conf->pools[0].boot_ms, 7000);
    assert_false(conf->pools[0].is_count_override);
    /* The files themselves are not looked at any more. */
    write_text("fsd.yaml", "nonsense\n");
    struct conf *again = conf_load_texts(conf->texts, conf->text_count, &overrides, &list);
    problems_assert_none(&list);
    assert_non_null(again);
    assert_string_equal(again->hash, conf->hash);
    assert_int_equal(again->log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(again->pools[0].boot_ms, 7000);
    assert_int_equal(again->pools[0].count, 7);
    assert_true(again->pools[0].is_count_override);
    conf_free(again);
    /* One character more is another configuration. */
    again = conf_load_texts(conf->texts, 1, NULL, &list);
    assert_non_null(again);
    assert_string_not_equal(again->hash, conf->hash);
    assert_false(again->pools[0].is_count_override);
    conf_free(again);
    assert_null(conf_load_texts(NULL, 0, NULL, &list));
    problems_assert_contains(&list, "there is no text of a configuration\n");
    conf_free(conf);
    problem_list_fini(&list);
}

static void the_hash_is_that_of_all_paths_and_texts(void **state)
{
    char text[] = "a";
    char path[] = "b";
    char joined[] = "ab";
    char nothing[] = "";
    struct conf_text texts[] = {{path, text, 1}, {text, path, 1}};
    struct conf_text other = {joined, nothing, 0};
    char hash[CONF_TEXT_HASH_MAX];
    char twin[CONF_TEXT_HASH_MAX];

    (void)state;
    conf_text_hash(NULL, 0, hash);
    assert_string_equal(hash, "cbf29ce484222325"); /* FNV-1a of nothing */
    conf_text_hash(texts, 1, hash);
    conf_text_hash(texts, 2, twin);
    assert_string_not_equal(hash, twin);
    conf_text_hash(texts + 1, 1, twin);
    assert_string_not_equal(hash, twin);
    conf_text_hash(&other, 1, twin);
    assert_string_not_equal(hash, twin);
}

static void texts_of_files_are_variables_and_secret(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        bool is_secret;
    } expected[] = {
        {"PLAIN", "p", false},    {"ENV", "from env", true}, {"FILE", "x s3cret", true},
        {"CRED", "s3cret", true}, {"KEY", "s3cret", true},   {"RAW", "two\n\nlines", true},
    };

    (void)state;
    assert_int_equal(setenv("FSD_TEST", "from env", 1), 0);
    assert_int_equal(setenv("FSD_TEST_NAME", "key", 1), 0);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", *state, 1), 0);
    write_text("dir/key", "s3cret\n");
    write_text("key", "s3cret");
    write_text("raw", "two\n\nlines\n");
    write_text("fsd.yaml",
               "apps:\n"
               "  a:\n"
               "    path: app.lua\n"
               "    env: { PLAIN: p, ENV: \"${ENV:FSD_TEST}\", FILE: \"x ${FILE:key}\", "
               "CRED: \"${CRED:key}\" }\n"
               "    env_files: { KEY: \"dir/${ENV:FSD_TEST_NAME}\", RAW: raw, NO: ~ }\n"
               "pools: { p: { app: a } }\n");
    struct conf *conf = load(NULL);
    assert_non_null(conf);
    assert_int_equal(conf->apps[0].env_count, sizeof(expected) / sizeof(expected[0]));
    for (size_t i = 0; i < conf->apps[0].env_count; i++) {
        assert_string_equal(conf->apps[0].env[i].name, expected[i].name);
        assert_string_equal(conf->apps[0].env[i].value, expected[i].value);
        assert_int_equal(conf->apps[0].env[i].is_secret, expected[i].is_secret);
    }
    conf_free(conf);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    (void)unlink("dir/key");
    (void)unlink("key");
    (void)unlink("raw");
}

static void files_of_variables_that_cannot_be_used_are_errors(void **state)
{
    static const char *const rows[][2] = {
        {"{ A: nope }", "t.yaml:1:45: error: apps.a.env_files.A: cannot read \"/tmp/fsd-conf-"},
        {"{ A: nope }", "/nope\": No such file or directory\n"},
        {"{ A: dir }", "it is a folder, not a regular file\n"},
        {"{ X: app.lua }", "t.yaml:1:42: error: apps.a.env_files: \"X\" is in env as well\n"},
        {"{ 1: app.lua }", "\"1\" cannot be the name of a variable in apps.a.env_files\n"},
        {"{ A: [] }", "apps.a.env_files.A must be a path, got a list\n"},
        {"{ A: }", "apps.a.env_files.A has no value\n"},
        {"[]", "apps.a.env_files must be a map\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text),
                       "apps: { a: { path: app.lua, env_files: %s, env: { X: 1 } } }\n"
                       "pools: { p: { app: a } }\n",
                       rows[i][0]);
        check_text(text, rows[i][1], false);
    }
}

static void nothing_can_be_freed(void **state)
{
    (void)state;
    conf_free(NULL);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parts_that_do_not_go_together_are_explained),
        TEST(a_reference_that_failed_is_the_only_complaint_about_its_value),
        TEST(what_a_reference_brought_is_never_shown),
        TEST(the_texts_make_the_same_configuration_again),
        TEST(the_hash_is_that_of_all_paths_and_texts),
        TEST(texts_of_files_are_variables_and_secret),
        TEST(files_of_variables_that_cannot_be_used_are_errors),
        TEST(nothing_can_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
