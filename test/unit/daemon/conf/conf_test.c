#include "daemon/conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "test/support/problems.h"

static const char *const files[] = {"app.lua",        "my shop.lua",    "dir/app.lua",
                                    "fsd.yaml",       "conf.d/10.yaml", "conf.d/9.yaml",
                                    "conf.d/B.yaml",  "conf.d/a.yaml",  "conf.d/.hidden.yaml",
                                    "conf.d/note.txt"};

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

/* Every test runs in a new folder with two applications. */
static int set_up(void **state)
{
    char folder[] = "/tmp/fsd-conf-XXXXXX";

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("conf.d", 0755), 0);
    assert_int_equal(mkdir("dir", 0755), 0);
    assert_int_equal(mkdir("empty", 0755), 0);
    write_text("app.lua", "");
    write_text("my shop.lua", "");
    write_text("dir/app.lua", "");
    *state = strdup(folder);
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)unlink(files[i]);
    }
    (void)rmdir("conf.d");
    (void)rmdir("dir");
    (void)rmdir("empty");
    (void)rmdir(*state);
    free(*state);
    return 0;
}

#define BASE                                                                                       \
    "listeners: { http: { listen: \"127.0.0.1:8080\" }, alt: { listen: \"127.0.0.1:8081\" } }\n"   \
    "apps: { shop: { path: app.lua } }\n"                                                          \
    "pools: { web: { app: shop, listeners: [http, alt] } }\n"

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

/* Loads fsd.yaml and checks that the printed problems contain expected (NULL: there are none). */
static struct conf *load(const char *expected)
{
    struct problem_list list;

    problem_list_init(&list);
    struct conf *conf = conf_load("fsd.yaml", &list);
    if (expected == NULL) {
        problems_assert_none(&list);
    } else {
        problems_assert_contains(&list, expected);
    }
    assert_int_equal(conf == NULL, list.errors > 0);
    problem_list_fini(&list);
    return conf;
}

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
        assert_int_equal(conf->pools[0].intensity, 5);
        assert_int_equal(conf->pools[0].limits.body_bytes, 1048576);
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
        TEST(parts_are_read_in_byte_order_and_replace_what_came_before),
        TEST(maps_merge_lists_replace_and_plus_appends),
        TEST(replacing_a_value_of_a_named_entry_is_a_warning_with_both_places),
        TEST(an_empty_section_in_a_later_file_takes_nothing_away),
        TEST(plus_is_for_lists_only),
        TEST(a_later_file_may_replace_a_section_by_nonsense_and_is_blamed_for_it),
        TEST(syntax_errors_of_all_files_are_found_and_nothing_else_is_said),
        TEST(files_that_cannot_be_trusted_or_read_are_errors),
        TEST(the_folder_of_the_file_counts_not_the_working_directory),
        TEST(run_makes_a_configuration_of_one_of_each),
        TEST(run_puts_its_control_socket_where_only_the_user_is),
        TEST(the_state_is_kept_where_systemd_says_unless_a_file_says_it),
        TEST(run_keeps_its_state_with_the_user),
        TEST(run_says_what_it_cannot_run),
        TEST(the_texts_make_the_same_configuration_again),
        TEST(the_hash_is_that_of_all_paths_and_texts),
        TEST(a_replacement_is_read_where_its_file_would_be),
        TEST(a_replacement_is_named_by_what_it_replaces),
        TEST(a_replacement_must_be_for_a_part_of_the_configuration),
        TEST(a_new_configuration_can_be_checked_before_there_is_one),
        TEST(texts_of_files_are_variables_and_secret),
        TEST(files_of_variables_that_cannot_be_used_are_errors),
        TEST(nothing_can_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
