#include "daemon/conf/schema.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/conf/conf.h"
#include "daemon/conf/schema_value.h"
#include "daemon/conf/schema_words.h"
#include "test/support/bound.h"

#define LISTENER "listeners: { http: { listen: \":80\" } }\n"
#define APP      "apps: { shop: { path: shop.lua } }\n"

static void every_row_is_sound(void **state)
{
    size_t count = 0;
    const struct schema_row *rows = schema_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        union {
            struct conf conf;
            struct conf_pool pool;
            struct conf_app app;
            struct conf_listener listener;
            struct conf_supervisor supervisor;
        } object = {0};
        const struct schema_row *row = &rows[i];
        bool is_single = row->kind >= SCHEMA_VERSION && row->kind <= SCHEMA_LOG_ACCESS;
        assert_ptr_equal(schema_find_row(row->section, row->name), row);
        assert_true(strlen(row->help) > 0);
        assert_true((row->min == NULL) == (row->max == NULL));
        if (!is_single) {
            assert_int_equal(schema_value_store(row, "x", NULL, &object), -EINVAL);
            continue;
        }
        /* Bounds and default are in the row's own notation, and within the bounds. */
        const char *const texts[] = {row->min, row->max, row->initial};
        for (size_t j = 0; j < 3; j++) {
            if (texts[j] == NULL || strcmp(texts[j], "null") == 0) {
                continue;
            }
            assert_int_equal(schema_value_store(row, texts[j], NULL, &object), 0);
            if (row->kind == SCHEMA_PATH) {
                char *path = NULL;
                memcpy(&path, (char *)&object + row->offset, sizeof(path));
                assert_int_equal(path[0], '/');
                free(path);
            }
        }
        char expected[SCHEMA_EXPECTED_MAX] = "";
        schema_value_describe(row, expected);
        assert_true(strlen(expected) > 0);
    }
}

static void words_that_are_suggested_are_accepted_and_shown_again(void **state)
{
    size_t count = 0;
    const struct schema_row *rows = schema_rows(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *words[SCHEMA_WORDS_MAX];
        size_t word_count = schema_words_list(rows[i].kind, words);
        for (size_t j = 0; j < word_count; j++) {
            struct schema_row row = rows[i];
            uint32_t value = 77;
            row.offset = 0;
            assert_int_equal(schema_value_store(&row, words[j], NULL, &value), 0);
            assert_string_equal(schema_words_name(row.kind, value), words[j]);
        }
    }
    assert_null(schema_words_name(SCHEMA_COUNT, 1));
}

static void an_empty_file_gives_the_defaults(void **state)
{
    struct bound bound;

    (void)state;
    bound_init(&bound, LISTENER APP "pools: { web: { app: shop, listeners: [http] } }");
    problems_assert_none(&bound.list);
    const struct conf *conf = bound.conf;
    assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
    assert_int_equal(conf->log_format, CONF_LOG_TEXT);
    assert_string_equal(conf->control_path, "/run/fsd/control.sock");
    assert_string_equal(conf->state_path, "/var/lib/fsd");
    assert_null(conf->log_path);
    assert_null(conf->user);
    assert_null(conf->group);
    assert_int_equal(conf->supervisor_count, 0);
    const struct conf_pool *pool = &conf->pools[0];
    assert_int_equal(pool->count, 0);
    assert_int_equal(pool->boot_ms, 60000);
    assert_int_equal(pool->drain_ms, 5000);
    assert_int_equal(pool->shutdown_ms, 30000);
    assert_int_equal(pool->standby, CONF_STANDBY_AUTO);
    assert_int_equal(pool->heartbeat_ms, 30000);
    assert_int_equal(pool->restart, SUPERVISE_PERMANENT);
    assert_int_equal(pool->intensity, CONF_INTENSITY_AUTO);
    assert_int_equal(pool->period_ms, 30000);
    assert_int_equal(pool->after.count, 0);
    assert_int_equal(pool->limits.request_timeout_ms, 30000);
    assert_int_equal(pool->limits.cpu_ms, 10000);
    assert_int_equal(pool->limits.keepalive_ms, 60000);
    assert_int_equal(pool->limits.replaced_ms, 60000);
    assert_int_equal(pool->limits.body_bytes, 10485760);
    assert_int_equal(pool->limits.actor_memory_bytes, 0);
    assert_int_equal(pool->limits.header_timeout_ms, 10000);
    assert_int_equal(pool->limits.body_timeout_ms, 30000);
    assert_int_equal(pool->limits.write_timeout_ms, 30000);
    assert_int_equal(pool->limits.url_bytes, 8192);
    assert_int_equal(pool->limits.header_bytes, 32768);
    assert_int_equal(pool->limits.headers, 64);
    assert_int_equal(pool->compress.level, 0);
    assert_int_equal(pool->compress.min_bytes, 1024);
    assert_int_equal(pool->limits.connections, 0);
    assert_int_equal(pool->limits.connections_per_ip, 0);
    /* No settings are an empty map for the application. */
    assert_int_equal(conf->apps[0].settings_len, 1);
    assert_int_equal(conf->apps[0].settings[0], 0x80);
    assert_int_equal(conf->apps[0].env_count, 0);
    bound_fini(&bound);
}

static void every_key_reaches_its_field(void **state)
{
    static const char text[] =
        "pools:\n" /* sections may come in any order */
        "  web: { app: shop, listeners: [tls, http], count: 3, boot: 1s, drain: 2s,\n"
        "         shutdown: 3m, limits: { request_timeout: 4s, cpu: 3s, keepalive: 5ms, replaced: "
        "7s, body: 6KiB, actor_memory: 7MiB } }\n"
        "  jobs: { app: mail }\n"
        "apps:\n"
        "  shop: { path: shop/app.lua }\n"
        "  mail: { path: /srv/mail.lua, env: { A: 1, B: 'x y', C: \"\", D: null } }\n"
        "listeners:\n"
        "  http: { listen: \":80\" }\n"
        "  tls: { listen: \"127.0.0.1:443\" }\n"
        "log: { level: warn, format: json }\n"
        "control: { path: run/c.sock }\n"
        "version: 1\n";
    struct bound bound;

    (void)state;
    bound_init(&bound, text);
    problems_assert_none(&bound.list);
    const struct conf *conf = bound.conf;
    assert_int_equal(conf->pool_count, 2);
    const struct conf_pool *web = &conf->pools[0];
    assert_string_equal(web->name, "web");
    assert_string_equal(conf->apps[web->app].name, "shop");
    assert_int_equal(web->listener_count, 2);
    assert_string_equal(conf->listeners[web->listeners[0]].name, "tls");
    assert_string_equal(conf->listeners[web->listeners[1]].name, "http");
    assert_int_equal(web->count, 3);
    assert_int_equal(web->boot_ms, 1000);
    assert_int_equal(web->drain_ms, 2000);
    assert_int_equal(web->shutdown_ms, 180000);
    assert_int_equal(web->limits.request_timeout_ms, 4000);
    assert_int_equal(web->limits.cpu_ms, 3000);
    assert_int_equal(web->limits.keepalive_ms, 5);
    assert_int_equal(web->limits.replaced_ms, 7000);
    assert_int_equal(web->limits.body_bytes, 6144);
    assert_int_equal(web->limits.actor_memory_bytes, 7 << 20);
    assert_ptr_equal(web->place.file, conf->files[0]);
    assert_int_equal(web->place.line, 2);
    assert_int_equal(web->place.column, 3);
    assert_string_equal(conf->apps[conf->pools[1].app].name, "mail");
    assert_int_equal(conf->pools[1].listener_count, 0);
    assert_string_equal(conf->apps[0].path, "/etc/fsd/shop/app.lua");
    const struct conf_app *mail = &conf->apps[1];
    assert_string_equal(mail->path, "/srv/mail.lua");
    assert_int_equal(mail->env_count, 3);
    assert_string_equal(mail->env[0].name, "A");
    assert_string_equal(mail->env[0].value, "1");
    assert_string_equal(mail->env[1].value, "x y");
    assert_string_equal(mail->env[2].value, "");
    assert_int_equal(conf->listener_count, 2);
    assert_int_equal(conf->listeners[1].place.line, 10);
    char address[PARSE_ADDRESS_TEXT_MAX];
    parse_address_format(&conf->listeners[1].address, address);
    assert_string_equal(address, "127.0.0.1:443");
    assert_int_equal(conf->log_level, LOG_LEVEL_WARNING);
    assert_int_equal(conf->log_format, CONF_LOG_JSON);
    assert_string_equal(conf->control_path, "/etc/fsd/run/c.sock");
    bound_fini(&bound);
}

static void every_key_of_supervision_reaches_its_field(void **state)
{
    static const char text[] =
        "supervisors:\n" /* it may name what comes later */
        "  all: { children: [inner, jobs] }\n"
        "  inner: { strategy: rest_for_one, intensity: 0, period: 1m, children: [db, web],\n"
        "           after: [jobs] }\n"
        "pools:\n"
        "  web: { app: shop, standby: 8, heartbeat: 2s, restart: transient, intensity: 1000,\n"
        "         period: 1h, after: [db, inner], shutdown: infinity }\n"
        "  db: { app: shop, standby: auto, restart: temporary, shutdown: brutal_kill }\n"
        "  jobs: { app: shop, standby: 0 }\n" APP
        "log: { path: log/fsd.log }\nstate: { path: /s }\nuser: nobody\ngroup: nogroup\n";
    struct bound bound;

    (void)state;
    bound_init(&bound, text);
    problems_assert_none(&bound.list);
    const struct conf *conf = bound.conf;
    assert_string_equal(conf->log_path, "/etc/fsd/log/fsd.log");
    assert_string_equal(conf->state_path, "/s");
    assert_string_equal(conf->user, "nobody");
    assert_string_equal(conf->group, "nogroup");
    const struct conf_pool *web = &conf->pools[0];
    assert_int_equal(web->standby, 8);
    assert_int_equal(web->heartbeat_ms, 2000);
    assert_int_equal(web->restart, SUPERVISE_TRANSIENT);
    assert_int_equal(web->intensity, 1000);
    assert_int_equal(web->period_ms, 3600000);
    assert_int_equal(web->shutdown_ms, SUPERVISE_INFINITY);
    assert_int_equal(web->after.count, 2);
    assert_false(web->after.items[0].is_supervisor);
    assert_int_equal(web->after.items[0].index, 1);
    assert_true(web->after.items[1].is_supervisor);
    assert_int_equal(web->after.items[1].index, 1);
    assert_int_equal(conf->pools[1].standby, CONF_STANDBY_AUTO);
    assert_int_equal(conf->pools[1].restart, SUPERVISE_TEMPORARY);
    assert_int_equal(conf->pools[1].shutdown_ms, SUPERVISE_BRUTAL_KILL);
    assert_int_equal(conf->pools[2].standby, 0);
    assert_int_equal(conf->supervisor_count, 2);
    const struct conf_supervisor *all = &conf->supervisors[0];
    assert_string_equal(all->name, "all");
    assert_int_equal(all->strategy, SUPERVISE_ONE_FOR_ONE);
    assert_int_equal(all->intensity, 5);
    assert_int_equal(all->period_ms, 30000);
    assert_int_equal(all->place.line, 2);
    assert_int_equal(all->children.count, 2);
    assert_true(all->children.items[0].is_supervisor);
    assert_int_equal(all->children.items[0].index, 1);
    assert_false(all->children.items[1].is_supervisor);
    assert_int_equal(all->children.items[1].index, 2);
    const struct conf_supervisor *inner = &conf->supervisors[1];
    assert_int_equal(inner->strategy, SUPERVISE_REST_FOR_ONE);
    assert_int_equal(inner->intensity, 0);
    assert_int_equal(inner->period_ms, 60000);
    assert_int_equal(inner->after.count, 1);
    bound_fini(&bound);
}

static void null_and_empty_sections_mean_the_defaults(void **state)
{
    struct bound bound;

    (void)state;
    bound_init(&bound, LISTENER "log:\ncontrol: ~\n"
                                "apps: { shop: { path: s.lua, settings: , env: null } }\n"
                                "pools:\n"
                                "  web: { app: shop, count: null, boot: ~, limits: }\n");
    problems_assert_none(&bound.list);
    assert_int_equal(bound.conf->pools[0].boot_ms, 60000);
    assert_int_equal(bound.conf->pools[0].limits.keepalive_ms, 60000);
    bound_fini(&bound);
}

/* The text begins with LISTENER and APP, so its own lines count from 3. */
static void mistakes_are_explained_at_their_place(void **state)
{
    static const char *const rows[][2] = {
        {"version: 2\n", "t.yaml:3:10: error: version must be 1, got \"2\"\n"},
        {"version: one\n", "t.yaml:3:10: error: version must be 1, got \"one\"\n"},
        {"poolz: {}\n", "t.yaml:3:1: error: unknown key \"poolz\" at the top of the file\n"},
        {"poolz: {}\n", "      | ^~~~~ did you mean \"pools\"?\n"},
        {"databases: {}\n", "there are: version, listeners, apps, pools, supervisors, "
                            "shared, log, control, state, user, group\n"},
        {"pools: { web: { app: shop, max_conn: 4 } }\n",
         "t.yaml:3:28: error: unknown key \"max_conn\" in pools.web\n"},
        {"pools: { web: { app: shop, limits: { bdoy: 1 } } }\n",
         "t.yaml:3:38: error: unknown key \"bdoy\" in pools.web.limits\n"},
        {"pools: { web: { } }\n", "t.yaml:3:10: error: pools.web needs the key \"app\"\n"},
        {"pools: { web: }\n", "t.yaml:3:10: error: pools.web needs the key \"app\"\n"},
        {"pools: { web: { app: null } }\n",
         "t.yaml:3:10: error: pools.web needs the key \"app\"\n"},
        {"pools: { web: { app: shpo } }\n",
         "t.yaml:3:22: error: pools.web.app: there is no app \"shpo\"\n"},
        {"pools: { web: { app: shpo } }\n", "did you mean \"shop\"?\n"},
        {"pools: { web: { app: xyz } }\n", "it must be a key in \"apps:\"\n"},
        {"pools: { web: { app: [shop] } }\n",
         "t.yaml:3:17: error: pools.web.app must be the name of an app, got a list\n"},
        {"pools: { web: { app: shop, listeners: [htpp] } }\n",
         "t.yaml:3:40: error: pools.web.listeners: there is no listener \"htpp\"\n"},
        {"pools: { web: { app: shop, listeners: http } }\n",
         "t.yaml:3:39: error: pools.web.listeners must be a list of names\n"},
        {"pools: { web: { app: shop, listeners: http } }\n", "write \"[http]\"\n"},
        {"pools: { web: { app: shop, listeners: {} } }\n",
         "t.yaml:3:28: error: pools.web.listeners must be a list of names\n"},
        {"pools: { web: { app: shop, listeners: [http, http] } }\n",
         "t.yaml:3:46: error: pools.web.listeners names \"http\" twice\n"},
        {"pools: { web: { app: shop, listeners: [[]] } }\n",
         "t.yaml:3:40: error: pools.web.listeners must be the name of a listener, got a list\n"},
        {"pools: { web: { app: shop, listeners: [~] } }\n", "there is no listener \"~\"\n"},
        {"pools: { web: { app: shop, count: 0 } }\n",
         "t.yaml:3:35: error: pools.web.count must be auto or a number between 1 and 64, got "
         "\"0\"\n"},
        {"pools: { web: { app: shop, count: 65 } }\n", "between 1 and 64, got \"65\"\n"},
        {"pools: { web: { app: shop, count: -1 } }\n", "between 1 and 64, got \"-1\"\n"},
        {"pools: { web: { app: shop, count: atuo } }\n", "did you mean \"auto\"?\n"},
        {"pools: { web: { app: shop, count: {} } }\n",
         "t.yaml:3:28: error: pools.web.count must be auto or a number between 1 and 64, got a "
         "map\n"},
        {"pools: { web: { app: shop, count: } }\n",
         "t.yaml:3:28: error: pools.web.count has no value\n"},
        {"pools: { web: { app: shop, count: \"1\\0\" } }\n", "pools.web.count has a NUL byte\n"},
        {"pools: { web: { app: shop, boot: 30 } }\n",
         "t.yaml:3:34: error: pools.web.boot must be a duration between 100ms and 1h, got "
         "\"30\"\n"},
        {"pools: { web: { app: shop, boot: 30 } }\n", "say the unit: \"30s\" or \"30ms\"?\n"},
        {"pools: { web: { app: shop, boot: 2h } }\n", "between 100ms and 1h, got \"2h\"\n"},
        {"pools: { web: { app: shop, boot: 99ms } }\n", "between 100ms and 1h, got \"99ms\"\n"},
        {"pools: { web: { app: shop, limits: { body: 10MB } } }\n",
         "t.yaml:3:44: error: pools.web.limits.body must be a size between 0 and 1024GiB, "
         "got \"10MB\"\n"},
        {"pools: { web: { app: shop, trusted_proxies: \"loopback, 10.0.0.0/33\" } }\n",
         "\"10.0.0.0/33\" is neither an address"},
        {"pools: { web: { app: shop, limits: { body: 10MB } } }\n", "did you mean \"10MiB\"?\n"},
        {"pools: { web: { app: shop, limits: [] } }\n",
         "t.yaml:3:28: error: pools.web.limits must be a map\n"},
        {"pools: { web: { app: shop, standby: 9 } }\n",
         "pools.web.standby must be auto or a number between 0 and 8, got \"9\"\n"},
        {"pools: { web: { app: shop, intensity: 1001 } }\n",
         "pools.web.intensity must be auto or a number between 0 and 1000, got \"1001\"\n"},
        {"pools: { web: { app: shop } }\nsupervisors: { s: { children: [web], intensity: auto } "
         "}\n",
         "supervisors.s.intensity must be a number between 0 and 1000, got \"auto\"\n"},
        {"pools: { web: { app: shop, shutdown: infinite } }\n",
         "t.yaml:3:38: error: pools.web.shutdown must be infinity, brutal_kill or a duration "
         "between 100ms and 1d, got \"infinite\"\n"},
        {"pools: { web: { app: shop, shutdown: infinite } }\n", "did you mean \"infinity\"?\n"},
        {"pools: { web: { app: shop, shutdown: 30 } }\n", "say the unit: \"30s\" or \"30ms\"?\n"},
        {"pools: { web: { app: shop, restart: always } }\n",
         "pools.web.restart must be permanent, transient or temporary, got \"always\"\n"},
        {"pools: { web: { app: shop, after: [wbe] } }\n",
         "t.yaml:3:36: error: pools.web.after: there is no pool or supervisor \"wbe\"\n"},
        {"pools: { web: { app: shop, after: [wbe] } }\n", "did you mean \"web\"?\n"},
        {"pools: { web: { app: shop, after: [xyz] } }\n",
         "it must be a key in \"pools:\" or \"supervisors:\"\n"},
        {"pools: { web: { app: shop, after: web } }\n",
         "t.yaml:3:35: error: pools.web.after must be a list of names\n"},
        {"supervisors: { s: { strategy: one_for_al, children: [s] } }\n",
         "did you mean \"one_for_all\"?\n"},
        {"supervisors: { s: {} }\n",
         "t.yaml:3:16: error: supervisors.s needs the key \"children\"\n"},
        {"supervisors: { s: {} }\n", "it is a list of names of pools and supervisors\n"},
        {"supervisors: { s: { children: [] } }\n",
         "t.yaml:3:21: error: supervisors.s.children must name at least one\n"},
        {"supervisors: { s: { children: [s, s] } }\n",
         "t.yaml:3:35: error: supervisors.s.children names \"s\" twice\n"},
        {"user: \"\"\n", "t.yaml:3:7: error: user must be the name of a user, got \"\"\n"},
        {"pools: [web]\n", "t.yaml:3:1: error: pools must be a map\n"},
        {"pools: { web: shop }\n", "t.yaml:3:15: error: pools.web must be a map\n"},
        {"pools: { \"a b\": { app: shop } }\n",
         "t.yaml:3:10: error: \"a b\" cannot be a name in pools\n"},
        {"pools: { -x: { app: shop } }\n", "\"-x\" cannot be a name in pools\n"},
        {"log: { level: inf }\n",
         "t.yaml:3:15: error: log.level must be error, warning, notice, info "
         "or debug, got \"inf\"\n"},
        {"log: { level: inf }\n", "did you mean \"info\"?\n"},
        {"log: { format: xml }\n",
         "t.yaml:3:16: error: log.format must be text or json, got \"xml\"\n"},
        {"control: { path: \"\" }\n",
         "t.yaml:3:18: error: control.path must be a path, got \"\"\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bound bound;
        char text[512];
        (void)snprintf(text, sizeof(text), "%s%s", LISTENER APP, rows[i][0]);
        bound_init(&bound, text);
        if (bound.list.errors != 1) {
            print_error("%s", rows[i][0]);
        }
        assert_int_equal(bound.list.errors, 1);
        problems_assert_contains(&bound.list, rows[i][1]);
        bound_fini(&bound);
    }
}

static void mistakes_in_listeners_and_apps_are_explained_as_well(void **state)
{
    static const char *const rows[][2] = {
        {"listeners: { a: { listen: 8080 } }",
         "t.yaml:1:27: error: listeners.a.listen must be an address such as "},
        {"listeners: { a: { listen: 8080 } }", "did you mean \":8080\"?\n"},
        {"listeners: { a: { listen: \"localhost:80\" } }", "got \"localhost:80\"\n"},
        {"listeners: { a: { } }", "t.yaml:1:14: error: listeners.a needs the key \"listen\"\n"},
        {"listeners: { a: { port: 80 } }", "unknown key \"port\" in listeners.a\n"},
        {"apps: { a: { } }", "t.yaml:1:9: error: apps.a needs the key \"path\"\n"},
        {"apps: { a: { path: x, settings: 1 } }",
         "t.yaml:1:33: error: apps.a.settings must be a map\n"},
        {"apps: { a: { path: x, settings: { n: 9223372036854775808 } } }",
         "t.yaml:1:38: error: apps.a.settings: 9223372036854775808 does not fit a 64-bit "
         "integer\n"},
        {"apps: { a: { path: x, settings: { n: -0x1, m: 0x8000000000000000 } } }",
         "t.yaml:1:47: error: apps.a.settings: 0x8000000000000000 does not fit a 64-bit integer\n"},
        {"apps: { a: { path: x, settings: { n: 1e999 } } }",
         "t.yaml:1:38: error: apps.a.settings: 1e999 does not fit a floating point number\n"},
        {"apps: { a: { path: x, env: [] } }", "t.yaml:1:23: error: apps.a.env must be a map\n"},
        {"apps: { a: { path: x, env: { \"A-B\": 1 } } }",
         "t.yaml:1:30: error: \"A-B\" cannot be the name of a variable in apps.a.env\n"},
        {"apps: { a: { path: x, env: { 1A: 1 } } }", "\"1A\" cannot be the name of a variable"},
        {"apps: { a: { path: x, env: { A: [1] } } }",
         "t.yaml:1:30: error: apps.a.env.A must be a string (\"\" for an empty one), got a list\n"},
        {"apps: { a: { path: x, env: { A: } } }",
         "t.yaml:1:30: error: apps.a.env.A has no value\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bound bound;
        bound_init(&bound, rows[i][0]);
        problems_assert_contains(&bound.list, rows[i][1]);
        bound_fini(&bound);
    }
}

static void all_mistakes_are_found_at_once(void **state)
{
    struct bound bound;

    (void)state;
    bound_init(&bound, "version: 3\nlogg: {}\nlog: { level: x, format: y }\n"
                       "pools: { a: { app: b, count: 0, nope: 1 }, c: 1 }\n");
    assert_int_equal(bound.list.errors, 8);
    bound_fini(&bound);
}

static void a_pool_has_room_for_sixteen_listeners(void **state)
{
    char *text = NULL;
    size_t len = 0;
    struct bound bound;

    (void)state;
    for (int count = 16; count <= 17; count++) {
        FILE *out = open_memstream(&text, &len);
        (void)fputs(APP "listeners:\n", out);
        for (int i = 0; i < count; i++) {
            (void)fprintf(out, "  l%d: { listen: \":%d\" }\n", i, i);
        }
        (void)fputs("pools: { web: { app: shop, listeners: [", out);
        for (int i = 0; i < count; i++) {
            (void)fprintf(out, "l%d,", i);
        }
        (void)fputs("] } }\n", out);
        (void)fclose(out);
        bound_init(&bound, text);
        if (count == 16) {
            problems_assert_none(&bound.list);
            assert_int_equal(bound.conf->pools[0].listener_count, 16);
        } else {
            problems_assert_contains(&bound.list, "pools.web.listeners has more than 16 names\n");
        }
        bound_fini(&bound);
        free(text);
    }
}

static void thirty_two_shared_dictionaries_are_the_most(void **state)
{
    char *text = NULL;
    size_t len = 0;
    struct problem_list list;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    (void)fputs("apps: { a: { path: /etc/passwd } }\npools: { p: { app: a } }\nshared:\n", out);
    for (int i = 0; i < 33; i++) {
        (void)fprintf(out, "  d%d: { size: %dKiB }\n", i, 64 + i);
    }
    (void)fclose(out);
    problem_list_init(&list);
    assert_null(conf_parse("/t.yaml", text, len, &list));
    problems_assert_contains(&list, "/t.yaml:36:3: error: shared has more than 32 dictionaries\n");
    problem_list_fini(&list);
    free(text);
}

static void too_many_entries_are_refused(void **state)
{
    char *text = NULL;
    size_t len = 0;
    struct bound bound;
    FILE *out = open_memstream(&text, &len);

    (void)state;
    (void)fputs("listeners:\n", out);
    for (int i = 0; i < 257; i++) {
        (void)fprintf(out, "  l%d: { listen: \":%d\" }\n", i, i);
    }
    (void)fclose(out);
    bound_init(&bound, text);
    problems_assert_contains(&bound.list,
                             "t.yaml:1:1: error: listeners has more than 256 entries\n");
    bound_fini(&bound);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_sound),
        cmocka_unit_test(words_that_are_suggested_are_accepted_and_shown_again),
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(every_key_reaches_its_field),
        cmocka_unit_test(every_key_of_supervision_reaches_its_field),
        cmocka_unit_test(null_and_empty_sections_mean_the_defaults),
        cmocka_unit_test(mistakes_are_explained_at_their_place),
        cmocka_unit_test(mistakes_in_listeners_and_apps_are_explained_as_well),
        cmocka_unit_test(all_mistakes_are_found_at_once),
        cmocka_unit_test(a_pool_has_room_for_sixteen_listeners),
        cmocka_unit_test(thirty_two_shared_dictionaries_are_the_most),
        cmocka_unit_test(too_many_entries_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
