#include "daemon/conf/conf_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/conf_folder.h"

static void run_makes_a_configuration_of_one_of_each(void **state)
{
    static const char *const rows[][3] = {
        {"app.lua", "app", "/app.lua"},
        {"my shop.lua", "my_shop", "/my shop.lua"},
        {"./dir", "dir", "/./dir/app.lua"},
        {"dir/", "dir", "/dir//app.lua"},
    };
    struct parse_address address;

    (void)state;
    assert_int_equal(parse_address("127.0.0.1:3000", &address), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct problem_list list;
        problem_list_init(&list);
        struct conf *conf = conf_new_for_run(rows[i][0], &address, 2, NULL, &list);
        problems_assert_none(&list);
        assert_non_null(conf);
        assert_string_equal(conf->listeners[0].name, "http");
        assert_memory_equal(&conf->listeners[0].address, &address, sizeof(address));
        assert_string_equal(conf->apps[0].name, rows[i][1]);
        assert_string_equal(conf->pools[0].name, rows[i][1]);
        assert_int_equal(conf->apps[0].path[0], '/');
        assert_non_null(strstr(conf->apps[0].path, rows[i][2]));
        assert_int_equal(conf->apps[0].settings[0], 0x80);
        assert_string_equal(conf->apps[0].place.file, "");
        assert_int_equal(conf->pools[0].listener_count, 1);
        assert_int_equal(conf->pools[0].count, 2);
        assert_int_equal(conf->pools[0].drain_ms, 1000);
        assert_int_equal(conf->pools[0].boot_ms, 60000);
        assert_int_equal(conf->pools[0].heartbeat_ms, 30000);
        assert_int_equal(conf->pools[0].standby, CONF_STANDBY_AUTO);
        assert_int_equal(conf->pools[0].intensity, CONF_INTENSITY_AUTO);
        assert_int_equal(conf->apps[0].probation_ms, 60000);
        assert_int_equal(conf->pools[0].limits.body_bytes, 10485760);
        assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
        conf_free(conf);
        problem_list_fini(&list);
    }
}

static void run_puts_its_control_socket_where_only_the_user_is(void **state)
{
    struct parse_address address;
    struct problem_list list;
    char expected[64];

    (void)state;
    problem_list_init(&list);
    assert_int_equal(parse_address(":0", &address), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", "/run/user/7", 1), 0);
    struct conf *conf = conf_new_for_run("app.lua", &address, 0, NULL, &list);
    (void)snprintf(expected, sizeof(expected), "/run/user/7/fsd-run-%ld.sock", (long)getpid());
    assert_string_equal(conf->control_path, expected);
    conf_free(conf);
    assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
    conf = conf_new_for_run("app.lua", &address, 0, NULL, &list);
    (void)snprintf(expected, sizeof(expected), "/tmp/fsd-run-%ld.sock", (long)getpid());
    assert_string_equal(conf->control_path, expected);
    conf_free(conf);
    conf = conf_new_for_run("app.lua", &address, 0, "c.sock", &list);
    assert_int_equal(conf->control_path[0], '/');
    assert_non_null(strstr(conf->control_path, "/c.sock"));
    conf_free(conf);
    problem_list_fini(&list);
}

static const char *const state_variables[] = {"STATE_DIRECTORY", "XDG_STATE_HOME", "HOME",
                                              "XDG_RUNTIME_DIR"};

static void the_state_is_kept_where_systemd_says_unless_a_file_says_it(void **state)
{
    static const char *const rows[][3] = {
        {NULL, BASE, "/var/lib/fsd"},
        {"relative", BASE, "/var/lib/fsd"},
        {"/var/lib/x", BASE, "/var/lib/x"},
        {"/var/lib/x:/var/lib/y", BASE, "/var/lib/x"},
        {"/var/lib/x", BASE "state: { path: ~ }\n", "/var/lib/x"},
        {"/var/lib/x", BASE "state: { path: /s }\n", "/s"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)unsetenv("STATE_DIRECTORY");
        if (rows[i][0] != NULL) {
            assert_int_equal(setenv("STATE_DIRECTORY", rows[i][0], 1), 0);
        }
        write_text("fsd.yaml", rows[i][1]);
        struct conf *conf = load(NULL);
        assert_non_null(conf);
        assert_string_equal(conf->state_path, rows[i][2]);
        conf_free(conf);
    }
    (void)unsetenv("STATE_DIRECTORY");
}

static void run_keeps_its_state_with_the_user(void **state)
{
    /* The values of state_variables, and what is expected; "%ld" is the process id. */
    static const char *const rows[][5] = {
        {"/s", "/x", "/tmp", "/run/user/7", "/x/fsd"},
        {NULL, NULL, "/tmp", "/run/user/7", "/tmp/.local/state/fsd"},
        {NULL, "relative", "/tmp", NULL, "/tmp/.local/state/fsd"},
        {NULL, NULL, "/nonexistent", "/run/user/7", "/run/user/7/fsd-run-%ld"},
        {NULL, NULL, NULL, NULL, "/tmp/fsd-run-%ld"},
    };
    struct parse_address address;
    struct problem_list list;
    char *saved_home = strdup(getenv("HOME") == NULL ? "/" : getenv("HOME"));

    (void)state;
    problem_list_init(&list);
    assert_int_equal(parse_address(":0", &address), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t j = 0; j < 4; j++) {
            (void)(rows[i][j] == NULL ? unsetenv(state_variables[j])
                                      : setenv(state_variables[j], rows[i][j], 1));
        }
        struct conf *conf = conf_new_for_run("app.lua", &address, 0, "c.sock", &list);
        char expected[64];
        const char *mark = strstr(rows[i][4], "%ld");
        (void)snprintf(expected, sizeof(expected), "%.*s",
                       (int)(mark == NULL ? strlen(rows[i][4]) : (size_t)(mark - rows[i][4])),
                       rows[i][4]);
        if (mark != NULL) {
            (void)snprintf(expected + strlen(expected), 16, "%ld", (long)getpid());
        }
        assert_string_equal(conf->state_path, expected);
        conf_free(conf);
    }
    for (size_t j = 0; j < 4; j++) {
        (void)unsetenv(state_variables[j]);
    }
    (void)setenv("HOME", saved_home, 1);
    free(saved_home);
    problem_list_fini(&list);
}

static void run_says_what_it_cannot_run(void **state)
{
    struct parse_address address;
    struct problem_list list;

    (void)state;
    problem_list_init(&list);
    assert_int_equal(parse_address(":0", &address), 0);
    assert_null(conf_new_for_run("nope.lua", &address, 0, NULL, &list));
    problems_assert_contains(&list, "/nope.lua\": No such file or directory\n1 error\n");
    problems_assert_contains(&list, "fsd: error: cannot read \"/tmp/fsd-conf-");
    problem_list_fini(&list);
}

/* The sizes that the list gives, or the first problem. */
static void check_shared(const char *text, const char *expected)
{
    struct parse_address address;
    struct problem_list list;
    char said[256] = "";

    problem_list_init(&list);
    assert_int_equal(parse_address(":0", &address), 0);
    struct conf *conf = conf_new_for_run("app.lua", &address, 1, "c.sock", &list);
    assert_non_null(conf);
    bool is_good = conf_run_add_shared(conf, text, &list);
    for (size_t i = 0; is_good && i < conf->shared_count; i++) {
        size_t len = strlen(said);
        (void)snprintf(said + len, sizeof(said) - len, "%s %lu\n", conf->shared[i].name,
                       (unsigned long)conf->shared[i].size_bytes);
    }
    assert_int_equal(list.errors, is_good ? 0 : 1);
    assert_string_equal(is_good ? said : list.items[0].message, expected);
    conf_free(conf);
    problem_list_fini(&list);
}

static void run_makes_the_shared_dictionaries_of_its_list(void **state)
{
    (void)state;
    check_shared("cache", "cache 16777216\n");
    check_shared("a=64KiB,b,c=1G", "a 65536\nb 16777216\nc 1073741824\n");
    check_shared("", "--shared: \"\" is no name");
    check_shared("a,", "--shared: \"\" is no name");
    check_shared("a b", "--shared: \"a b\" is no name");
    check_shared("a,b=1M,a", "--shared: \"a\" is there twice");
    check_shared("a=1K", "--shared: a must be a size between 64KiB and 64GiB, got \"1K\"");
    check_shared("a=", "--shared: a must be a size between 64KiB and 64GiB, got \"\"");
    check_shared("a0,a1,a2,a3,a4,a5,a6,a7,a8,a9,b0,b1,b2,b3,b4,b5,b6,b7,b8,b9,c0,c1,c2,c3,c4,c5,c6,"
                 "c7,c8,c9,d0,d1,d2",
                 "--shared: \"d2\" is one too many");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(run_makes_a_configuration_of_one_of_each),
        TEST(run_puts_its_control_socket_where_only_the_user_is),
        TEST(the_state_is_kept_where_systemd_says_unless_a_file_says_it),
        TEST(run_keeps_its_state_with_the_user),
        TEST(run_says_what_it_cannot_run),
        TEST(run_makes_the_shared_dictionaries_of_its_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
