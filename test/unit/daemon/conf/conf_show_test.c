#include "daemon/conf/conf_show.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/conf_show_text.h"
#include "daemon/conf/schema.h"
#include "daemon/conf/schema_format.h"
#include "test/support/problems.h"

static void write_line(void *ctx, const char *key, const char *value, const char *origin)
{
    (void)fprintf(ctx, "%s = %s # %s\n", key, value, origin);
}

/* All lines; the caller frees them. */
static char *show(const struct conf *conf)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_int_equal(conf_show(conf, write_line, out), 0);
    assert_int_equal(fclose(out), 0);
    return text;
}

static struct conf *parse(const char *text)
{
    struct problem_list list;

    problem_list_init(&list);
    struct conf *conf = conf_parse("/t.yaml", text, strlen(text), &list);
    problems_assert_none(&list);
    assert_non_null(conf);
    problem_list_fini(&list);
    return conf;
}

static void assert_lines(const char *shown, const char *const *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(shown, lines[i]) == NULL) {
            print_error("missing: %s\nshown:\n%s", lines[i], shown);
            fail();
        }
    }
}

static void every_value_is_shown_with_its_place(void **state)
{
    static const char *const lines[] = {
        "version = 1 # default\nlisteners.http.listen = [::]:80 # /t.yaml:1:30\n",
        "apps.a.path = /dev/../etc/passwd # /t.yaml:4:11\n",
        "apps.a.settings.text = NO # /t.yaml:6:13\n",
        "apps.a.settings.deep.er = 1.50 # /t.yaml:7:19\n",
        "apps.a.settings.deep.none = {} # /t.yaml:7:25\n",
        "apps.a.settings.list = [1, {k: v}, []] # /t.yaml:8:7\n",
        "apps.a.settings.nothing = ~ # /t.yaml:9:16\n",
        "apps.a.settings.lines = a\\nb\\tc\\x1b\\x00\303\244 # /t.yaml:10:14\n"
        "apps.a.env.X = y # /t.yaml:11:15\napps.a.env_files = {} # default\n",
        "pools.web.app = a # /t.yaml:14:10\npools.web.listeners = [http] # /t.yaml:15:5\n"
        "pools.web.count = 3 # /t.yaml:16:12\n",
        "pools.web.boot = 2m # /t.yaml:17:11\n",
        "pools.web.shutdown = infinity # /t.yaml:18:15\n",
        "pools.web.restart = permanent # default\n",
        "pools.web.after = [s, db] # /t.yaml:19:5\n",
        "pools.web.limits.keepalive = 60s # default\n"
        "pools.web.limits.replaced = 60s # default\n"
        "pools.web.limits.body = 10MiB # /t.yaml:20:21\n"
        "pools.web.limits.memory = 512MiB # default\n"
        "pools.web.limits.actor_memory = 0 # default\n"
        "pools.web.limits.header_timeout = 10s # default\n"
        "pools.web.limits.body_timeout = 30s # default\n"
        "pools.web.limits.write_timeout = 30s # default\n"
        "pools.web.limits.url_bytes = 8KiB # default\n"
        "pools.web.limits.header_bytes = 32KiB # default\n"
        "pools.web.limits.headers = 64 # default\n"
        "pools.web.limits.connections = 0 # default\n"
        "pools.web.limits.connections_per_ip = 0 # default\n"
        "pools.web.trusted_proxies = null # default\n"
        "pools.web.compress.level = 0 # default\n"
        "pools.web.compress.min_size = 1KiB # default\n"
        "pools.db.app = a # /t.yaml:21:14\n",
        "pools.db.count = auto # default\n",
        "supervisors.s.strategy = one_for_one # default\n",
        "supervisors.s.children = [jobs] # /t.yaml:23:21\n",
        "shared.cache.size = 16MiB # default\nshared.hits.size = 64KiB # /t.yaml:24:36\n",
        "log.level = info # default\n",
        "log.path = null # default\n",
        "user = null # default\n",
    };
    struct conf *conf = parse("listeners: { http: { listen: \":80\" } }\n"
                              "apps:\n"
                              "  a:\n"
                              "    path: /dev/../etc/passwd\n"
                              "    settings:\n"
                              "      text: NO\n"
                              "      deep: { er: 1.50, none: {} }\n"
                              "      list: [1, { k: v }, []]\n"
                              "      nothing: ~\n"
                              "      lines: \"a\\nb\\tc\\e\\0\303\244\"\n"
                              "    env: { X: y, GONE: null }\n"
                              "pools:\n"
                              "  web:\n"
                              "    app: a\n"
                              "    listeners: [http]\n"
                              "    count: 3\n"
                              "    boot: 120000ms\n"
                              "    shutdown: infinity\n"
                              "    after: [s, db]\n"
                              "    limits: { body: 10240K, keepalive: ~ }\n"
                              "  db: { app: a }\n"
                              "  jobs: { app: a }\n"
                              "supervisors: { s: { children: [jobs] } }\n"
                              "shared: { cache: {}, hits: { size: 64K } }\n");
    char *shown = show(conf);

    (void)state;
    assert_lines(shown, lines, sizeof(lines) / sizeof(lines[0]));
    assert_null(strstr(shown, "GONE"));
    free(shown);
    conf_free(conf);
}

static void secrets_are_masked(void **state)
{
    static const char *const lines[] = {
        "apps.a.settings.key = *** #",
        "apps.a.settings.list = [1, ***, {k: ***}] #",
        "apps.a.env.ENV = *** #",
        "apps.a.env.FILE = *** #",
        "apps.a.env_files.TEXT = /tmp/fsd-show-test #",
        "control.path = *** # /t.yaml:",
        /* fsd's own values from the environment are no secrets. */
        "log.level = debug # /t.yaml:",
    };
    FILE *file = fopen("/tmp/fsd-show-test", "w");

    (void)state;
    assert_non_null(file);
    assert_true(fputs("/s3cret", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(setenv("FSD_TEST", "s3cret", 1), 0);
    assert_int_equal(setenv("FSD_TEST_LEVEL", "debug", 1), 0);
    struct conf *conf = parse("apps:\n  a:\n    path: /etc/passwd\n"
                              "    settings:\n"
                              "      key: \"${ENV:FSD_TEST}\"\n"
                              "      list: [1, \"${ENV:FSD_TEST}\", { k: \"${ENV:FSD_TEST}\" }]\n"
                              "    env: { ENV: \"${ENV:FSD_TEST}\", "
                              "FILE: \"${FILE:/tmp/fsd-show-test}\" }\n"
                              "    env_files: { TEXT: /tmp/fsd-show-test }\n"
                              "pools: { p: { app: a } }\n"
                              "control: { path: \"${FILE:/tmp/fsd-show-test}\" }\n"
                              "log: { level: \"${ENV:FSD_TEST_LEVEL}\" }\n");
    char *shown = show(conf);
    assert_lines(shown, lines, sizeof(lines) / sizeof(lines[0]));
    assert_null(strstr(shown, "s3cret"));
    free(shown);
    conf_free(conf);
    (void)unlink("/tmp/fsd-show-test");
}

static void what_no_file_says_has_its_own_origin(void **state)
{
    static const char *const lines[] = {"pools.web.count = 5 # override\n",
                                        "pools.db.count = 2 # /t.yaml:2:"};
    static const struct conf_override item = {"web", 5};
    static const struct conf_overrides overrides = {&item, 1};
    struct conf *conf = parse("apps: { a: { path: /etc/passwd } }\n"
                              "pools: { web: { app: a, count: 2 }, db: { app: a, count: 2 } }\n");

    (void)state;
    conf_override(conf, &overrides);
    char *shown = show(conf);
    assert_lines(shown, lines, 2);
    free(shown);
    conf_free(conf);
}

static void a_configuration_without_files_is_shown_as_well(void **state)
{
    static const char *const lines[] = {
        "listeners.http.listen = 127.0.0.1:80 # run\napps.passwd.path = /etc/passwd # run\n"
        "apps.passwd.settings = {} # default\n",
        "pools.passwd.app = passwd # run\npools.passwd.listeners = [http] # run\n"
        "pools.passwd.count = 2 # run\npools.passwd.standby = auto # default\n",
        "pools.passwd.drain = 1s # run\n", "control.path = /c.sock # run\n"};
    struct parse_address address;
    struct problem_list list;

    (void)state;
    problem_list_init(&list);
    assert_int_equal(parse_address("127.0.0.1:80", &address), 0);
    struct conf *conf = conf_new_for_run("/etc/passwd", &address, 2, "/c.sock", &list);
    assert_non_null(conf);
    char *shown = show(conf);
    assert_lines(shown, lines, sizeof(lines) / sizeof(lines[0]));
    free(shown);
    conf_free(conf);
    problem_list_fini(&list);
}

static char *format(enum schema_kind kind, const void *field)
{
    struct schema_row row = {.kind = kind};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    schema_format(&row, NULL, field, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void a_value_has_one_form(void **state)
{
    static const struct {
        enum schema_kind kind;
        uint64_t value;
        const char *text;
    } rows[] = {
        {SCHEMA_DURATION, 0, "0s"},
        {SCHEMA_DURATION, 1, "1ms"},
        {SCHEMA_DURATION, 1500, "1500ms"},
        {SCHEMA_DURATION, 1000, "1s"},
        {SCHEMA_DURATION, 60000, "60s"},
        {SCHEMA_DURATION, 119000, "119s"},
        {SCHEMA_DURATION, 120000, "2m"},
        {SCHEMA_DURATION, 3600000, "1h"},
        {SCHEMA_DURATION, 5400000, "90m"},
        {SCHEMA_DURATION, 86400000, "1d"},
        {SCHEMA_DURATION, 90000000, "25h"},
        {SCHEMA_SHUTDOWN, 0, "brutal_kill"},
        {SCHEMA_SHUTDOWN, 30000, "30s"},
        {SCHEMA_SIZE, 0, "0"},
        {SCHEMA_SIZE, 1023, "1023"},
        {SCHEMA_SIZE, 1024, "1KiB"},
        {SCHEMA_SIZE, 1536, "1536"},
        {SCHEMA_SIZE, 1 << 20, "1MiB"},
        {SCHEMA_SIZE, 3 << 19, "1536KiB"},
        {SCHEMA_SIZE, UINT64_C(1) << 40, "1024GiB"},
        {SCHEMA_COUNT, 0, "auto"},
        {SCHEMA_COUNT, 64, "64"},
        {SCHEMA_STANDBY, 0, "0"},
        {SCHEMA_STANDBY, UINT32_MAX, "auto"},
        {SCHEMA_INTENSITY, 0, "0"},
        {SCHEMA_INTENSITY, CONF_INTENSITY_AUTO, "auto"},
        {SCHEMA_NUMBER, 0, "0"},
        {SCHEMA_RESTART, 2, "temporary"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t narrow = (uint32_t)rows[i].value;
        char *text = format(rows[i].kind,
                            rows[i].kind == SCHEMA_SIZE ? (const void *)&rows[i].value : &narrow);
        assert_string_equal(text, rows[i].text);
        free(text);
    }
}

static void defaults_are_shown_as_their_rows_say_them(void **state)
{
    struct conf *conf = parse("apps: { a: { path: /etc/passwd } }\npools: { p: { app: a } }\n"
                              "supervisors: { s: { children: [p] } }\n"
                              "shared: { d: {} }\n");
    char *shown = show(conf);
    size_t count = 0;
    const struct schema_row *rows = schema_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        char line[256];
        if (rows[i].initial == NULL) {
            continue;
        }
        (void)snprintf(line, sizeof(line), "%s = %s # default\n", rows[i].name, rows[i].initial);
        const char *const expected = line;
        assert_lines(shown, &expected, 1);
    }
    free(shown);
    conf_free(conf);
}

static void what_is_no_text_is_escaped(void **state)
{
    char *text = conf_show_text_escape("a\xff\xc3\xa4\x7f\xe2\x80\xae", 8);

    (void)state;
    assert_string_equal(text, "a\\xff\xc3\xa4\\x7f\\xe2\\x80\\xae");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_shown_with_its_place),
        cmocka_unit_test(secrets_are_masked),
        cmocka_unit_test(what_no_file_says_has_its_own_origin),
        cmocka_unit_test(a_configuration_without_files_is_shown_as_well),
        cmocka_unit_test(a_value_has_one_form),
        cmocka_unit_test(defaults_are_shown_as_their_rows_say_them),
        cmocka_unit_test(what_is_no_text_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
