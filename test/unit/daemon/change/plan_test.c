/* Pairs of configurations, and what takes the place of what. */
#include "daemon/change/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/change/plan_listener.h"
#include "daemon/change/plan_text.h"
#include "daemon/conf/conf.h"
#include "test/support/problems.h"

enum { TEXT_MAX = 4096 };

static const char *const scripts[] = {"shop.lua", "mail.lua"};

static int set_up(void **state)
{
    char folder[] = "/tmp/fsd-plan-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(scripts[i], "w");
        assert_non_null(file);
        assert_int_equal(fclose(file), 0);
    }
    assert_int_equal(setenv("STATE_DIRECTORY", "/var/lib/fsd", 1), 0); /* the same for everybody */
    *state = strdup(folder);
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        (void)unlink(scripts[i]);
    }
    (void)rmdir(*state);
    free(*state);
    return 0;
}

static struct conf *parse(const char *text)
{
    struct problem_list list;
    problem_list_init(&list);
    struct conf *conf = conf_parse("t.yaml", text, strlen(text), &list);
    if (conf == NULL) {
        print_error("%s\n", text);
        problems_assert_none(&list);
    }
    problem_list_fini(&list);
    return conf;
}

/* A line a row: "ACTION WHAT: DETAIL". */
static void print_plan(const struct plan *plan, char text[TEXT_MAX])
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_row *row = &plan->rows[i];
        char what[PLAN_WHAT_MAX];
        plan_describe(row, what);
        len += (size_t)snprintf(text + len, TEXT_MAX - len, "%s %s: %s\n",
                                plan_action_format(row->action), what, row->detail);
        assert_true(len < TEXT_MAX);
    }
}

/* The indexes of every row lead to what it names. */
static void check_indexes(const struct plan *plan, const struct conf *from, const struct conf *to)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct plan_row *row = &plan->rows[i];
        size_t new_index = row->to_index;
        size_t old_index = row->from_index;
        switch (row->kind) {
        case PLAN_LISTENER:
            if (new_index != SIZE_MAX) {
                assert_string_equal(to->listeners[new_index].name, row->name);
            } else {
                assert_string_equal(from->listeners[old_index].name, row->name);
            }
            assert_int_equal(old_index == SIZE_MAX, row->action == PLAN_OPEN);
            break;
        case PLAN_POOL:
            assert_int_equal(new_index == SIZE_MAX, row->action == PLAN_STOP);
            assert_int_equal(old_index == SIZE_MAX, row->action == PLAN_START);
            assert_true(old_index == SIZE_MAX ||
                        strcmp(from->pools[old_index].name, row->name) == 0);
            assert_true(new_index == SIZE_MAX || strcmp(to->pools[new_index].name, row->name) == 0);
            break;
        case PLAN_SUPERVISOR:
            assert_true(old_index == SIZE_MAX ||
                        strcmp(from->supervisors[old_index].name, row->name) == 0);
            assert_true(new_index == SIZE_MAX ||
                        strcmp(to->supervisors[new_index].name, row->name) == 0);
            break;
        case PLAN_SHARED:
            assert_int_equal(old_index == SIZE_MAX, row->action == PLAN_OPEN);
            assert_int_equal(new_index == SIZE_MAX, row->action == PLAN_CLOSE);
            assert_true(old_index == SIZE_MAX ||
                        strcmp(from->shared[old_index].name, row->name) == 0);
            assert_true(new_index == SIZE_MAX ||
                        strcmp(to->shared[new_index].name, row->name) == 0);
            break;
        case PLAN_KEY:
            assert_true(new_index == SIZE_MAX && old_index == SIZE_MAX);
            break;
        }
    }
}

static void check(const char *before, const char *after, const char *expected)
{
    struct conf *from = parse(before);
    struct conf *to = parse(after);
    struct plan plan = {.count = 0};
    char text[TEXT_MAX];
    assert_int_equal(plan_make(from, to, &plan), 0);
    print_plan(&plan, text);
    assert_string_equal(text, expected);
    check_indexes(&plan, from, to);
    plan_fini(&plan);
    conf_free(from);
    conf_free(to);
}

struct row {
    const char *before;
    const char *after;
    const char *expected;
};

#define CHECK_ROWS(rows)                                                                           \
    for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++) {                                \
        check((rows)[i].before, (rows)[i].after, (rows)[i].expected);                              \
    }

#define APPS "apps: { shop: { path: shop.lua }, mail: { path: mail.lua } }\n"
#define WEB  "pools: { web: { app: shop, listeners: [http] }, jobs: { app: mail } }\n"
#define HTTP "listeners: { http: { listen: \"127.0.0.1:80\" } }\n"

static void the_same_configuration_changes_nothing(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {HTTP APPS WEB, HTTP APPS WEB, ""},
        /* other words, another order */
        {HTTP APPS WEB, WEB APPS "listeners: { http: { listen: \"127.0.0.1:80\" } }\n", ""},
        {"apps: { a: { path: shop.lua, env: { X: \"1\", Y: \"2\" } } }\npools: { p: { app: a } }\n",
         "apps: { a: { path: shop.lua, env: { Y: \"2\", X: \"1\" } } }\npools: { p: { app: a } }\n",
         ""},
        {"apps: { a: { path: shop.lua } }\npools: { p: { app: a, boot: 60s, drain: 5000ms } }\n",
         "apps: { a: { path: shop.lua } }\npools: { p: { app: a, boot: 1m } }\n", ""},
        {"listeners: { a: { listen: \":1\" }, b: { listen: \":2\" } }\n" APPS
         "pools: { p: { app: shop, listeners: [a, b] }, q: { app: mail } }\n",
         "listeners: { b: { listen: \"*:2\" }, a: { listen: \":1\" } }\n" APPS
         "pools: { q: { app: mail }, p: { app: shop, listeners: [b, a] } }\n",
         ""},
    };
    CHECK_ROWS(rows)
}

#define TWO "listeners: { a: { listen: \"127.0.0.1:1\" }, b: { listen: \"unix:/run/b\" } }\n"
#define ONE "listeners: { a: { listen: \"127.0.0.1:1\" } }\n"

static void listeners_are_known_by_their_address(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* one more, one less */
        {ONE APPS "pools: { p: { app: shop, listeners: [a] }, q: { app: mail } }\n",
         TWO APPS "pools: { p: { app: shop, listeners: [a, b] }, q: { app: mail } }\n",
         "open listener b: unix:/run/b\nreplace pool p: new listeners: b\n"},
        {TWO APPS "pools: { p: { app: shop, listeners: [a, b] }, q: { app: mail } }\n",
         ONE APPS "pools: { p: { app: shop, listeners: [a] }, q: { app: mail } }\n",
         "replace pool p: without listeners: b\nclose listener b: unix:/run/b\n"},
        /* another address */
        {ONE APPS "pools: { p: { app: shop, listeners: [a] }, q: { app: mail } }\n",
         "listeners: { a: { listen: \"[::1]:1\" } }\n" APPS
         "pools: { p: { app: shop, listeners: [a] }, q: { app: mail } }\n",
         "open listener a: [::1]:1, was 127.0.0.1:1\nreplace pool p: new address of listeners: a\n"
         "close listener a: 127.0.0.1:1\n"},
        /* another name */
        {ONE APPS "pools: { p: { app: shop, listeners: [a] }, q: { app: mail } }\n",
         "listeners: { z: { listen: \"127.0.0.1:1\" } }\n" APPS
         "pools: { p: { app: shop, listeners: [z] }, q: { app: mail } }\n",
         "keep listener z: the socket of 127.0.0.1:1 is kept, was called a\n"
         "replace pool p: new listeners: z, without listeners: a\n"},
        /* another pool */
        {TWO APPS "pools: { p: { app: shop, listeners: [a, b] }, q: { app: mail } }\n",
         TWO APPS "pools: { p: { app: shop, listeners: [a] }, q: { app: mail, listeners: [b] } }\n",
         "keep listener b: the socket of unix:/run/b is kept, moves from pool p to pool q\n"
         "replace pool p: without listeners: b\nreplace pool q: new listeners: b\n"},
        /* to no pool, and from none */
        {ONE APPS "pools: { p: { app: shop, listeners: [a] }, q: { app: mail } }\n",
         ONE APPS "pools: { p: { app: shop }, q: { app: mail } }\n",
         "keep listener a: the socket of 127.0.0.1:1 is kept, leaves pool p\n"
         "replace pool p: without listeners: a\n"},
        {ONE APPS "pools: { p: { app: shop }, q: { app: mail } }\n",
         ONE APPS "pools: { p: { app: shop, listeners: [a] }, q: { app: mail } }\n",
         "keep listener a: the socket of 127.0.0.1:1 is kept, goes to pool p\n"
         "replace pool p: new listeners: a\n"},
        /* its pool has another name */
        {ONE APPS "pools: { p: { app: shop, listeners: [a] }, q: { app: mail } }\n",
         ONE APPS "pools: { r: { app: shop, listeners: [a] }, q: { app: mail } }\n",
         "keep listener a: the socket of 127.0.0.1:1 is kept, moves from pool p to pool r\n"
         "start pool r: app shop\nstop pool p: \n"},
        /* two have exchanged their addresses */
        {TWO APPS "pools: { p: { app: shop, listeners: [a, b] }, q: { app: mail } }\n",
         "listeners: { b: { listen: \"127.0.0.1:1\" }, a: { listen: \"unix:/run/b\" } }\n" APPS
         "pools: { p: { app: shop, listeners: [a, b] }, q: { app: mail } }\n",
         "keep listener b: the socket of 127.0.0.1:1 is kept, was called a\n"
         "keep listener a: the socket of unix:/run/b is kept, was called b\n"
         "replace pool p: new address of listeners: a, b\n"},
    };
    CHECK_ROWS(rows)
}

static void a_port_that_the_kernel_chooses_belongs_to_a_name(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"listeners: { a: { listen: \"127.0.0.1:0\" }, b: { listen: \"127.0.0.1:0\" } }\n" APPS
         "pools: { p: { app: shop, listeners: [a, b] }, q: { app: mail } }\n",
         "listeners: { b: { listen: \"127.0.0.1:0\" }, c: { listen: \"[::1]:0\" } }\n" APPS
         "pools: { p: { app: shop, listeners: [b, c] }, q: { app: mail } }\n",
         "open listener c: [::1]:0\n"
         "replace pool p: new listeners: c, without listeners: a\nclose listener a: 127.0.0.1:0\n"},
        {"listeners: { a: { listen: \"127.0.0.1:0\" } }\n" APPS
         "pools: { p: { app: shop, listeners: [a] }, q: { app: mail } }\n",
         "listeners: { b: { listen: \"127.0.0.1:0\" } }\n" APPS
         "pools: { p: { app: shop, listeners: [b] }, q: { app: mail } }\n",
         "open listener b: 127.0.0.1:0\n"
         "replace pool p: new listeners: b, without listeners: a\nclose listener a: 127.0.0.1:0\n"},
    };
    CHECK_ROWS(rows)
    struct conf *from = parse(rows[0].before);
    struct conf *to = parse(rows[0].after);
    assert_int_equal(plan_listener_find(from, to, 0), 1);
    assert_int_equal(plan_listener_find(from, to, 1), SIZE_MAX);
    conf_free(from);
    conf_free(to);
}

#define POOL(values) "apps: { a: { path: shop.lua } }\npools: { p: { app: a" values " } }\n"
#define APP(values)  "apps: { a: { path: shop.lua" values " } }\npools: { p: { app: a } }\n"

static void what_a_process_is_made_of_needs_a_new_process(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {APP(""), APP(", settings: { x: 1 }"), "replace pool p: settings changed\n"},
        {APP(", settings: { x: 1 }"), APP(", settings: { x: 2 }"),
         "replace pool p: settings changed\n"},
        {APP(", settings: { x: 1 }"), APP(", settings: { x: \"1\" }"),
         "replace pool p: settings changed\n"},
        {APP(""), APP(", env: { K: v }"), "replace pool p: env changed\n"},
        {APP(", env: { K: v }"), APP(", env: { K: secret }"), "replace pool p: env changed\n"},
        {APP(", env: { K: v }"), APP(", env: { L: v }"), "replace pool p: env changed\n"},
        /* new processes have the limits anyhow */
        {POOL(""),
         "apps: { a: { path: shop.lua, env: { K: v } } }\n"
         "pools: { p: { app: a, count: 3, limits: { body: 2MiB } } }\nlog: { level: debug }\n",
         "replace pool p: env changed, limits.body 10MiB -> 2MiB, log.level info -> debug\n"
         "scale pool p: count auto -> 3\nmaster log.level: info -> debug\n"},
    };
    CHECK_ROWS(rows)
}

static void another_app_or_path_is_named(void **state)
{
    (void)state;
    char expected[TEXT_MAX];
    char here[1024];
    assert_non_null(getcwd(here, sizeof(here)));
    (void)snprintf(expected, sizeof(expected),
                   "replace pool p: app shop -> mail, path \"%s/shop.lua\" -> \"%s/mail.lua\"\n",
                   here, here);
    check(APPS "pools: { p: { app: shop }, q: { app: mail } }\n",
          APPS "pools: { p: { app: mail }, q: { app: mail } }\n", expected);
}

static void limits_are_taken_over_in_place(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {POOL(""), POOL(", limits: { request_timeout: 15s }"),
         "update pool p: limits.request_timeout 30s -> 15s\n"},
        {POOL(", limits: { cpu: 2s }"), POOL(", limits: { cpu: 250ms }"),
         "update pool p: limits.cpu 2s -> 250ms\n"},
        {POOL(", limits: { keepalive: 90s, body: 1K }"),
         POOL(", limits: { keepalive: 250ms, body: 0 }"),
         "update pool p: limits.keepalive 90s -> 250ms, limits.body 1KiB -> 0\n"},
        {POOL(", limits: { body: 1G }"), POOL(", limits: { body: 1000 }"),
         "update pool p: limits.body 1GiB -> 1000\n"},
        {POOL(""), POOL(", limits: { replaced: 2m }"), "update pool p: limits.replaced 1m -> 2m\n"},
        {POOL(""), POOL(", limits: { actor_memory: 4MiB }"),
         "update pool p: limits.actor_memory 0 -> 4MiB\n"},
        {POOL(""), POOL(", limits: { header_timeout: 5s, body_timeout: 5s, write_timeout: 5s }"),
         "update pool p: limits.header_timeout 10s -> 5s, limits.body_timeout 30s -> 5s, "
         "limits.write_timeout 30s -> 5s\n"},
        {POOL(""), POOL(", limits: { url_bytes: 1K, header_bytes: 1K, headers: 9 }"),
         "update pool p: limits.url_bytes 8KiB -> 1KiB, limits.header_bytes 32KiB -> 1KiB, "
         "limits.headers 64 -> 9\n"},
        {POOL(""), POOL(", limits: { connections: 1000, connections_per_ip: 10 }"),
         "update pool p: limits.connections 0 -> 1000, limits.connections_per_ip 0 -> 10\n"},
        {POOL(""), POOL(", trusted_proxies: 10.0.0.0/8"),
         "update pool p: trusted_proxies changed\n"},
        {POOL(""), POOL(", compress: { level: 1, min_size: 2K }"),
         "update pool p: compress.level 0 -> 1, compress.min_size 1KiB -> 2KiB\n"},
        {POOL(""), POOL("") "log: { level: error }\n",
         "update pool p: log.level info -> error\nmaster log.level: info -> error\n"},
    };
    CHECK_ROWS(rows)
}

static void rules_of_supervision_concern_the_master_alone(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {POOL(", boot: 1m, drain: 0s"), POOL(", boot: 1h, drain: 10s, shutdown: 1d"),
         "adjust pool p: boot 1m -> 1h, drain 0s -> 10s, shutdown 30s -> 24h\n"},
        {POOL(""), POOL(", shutdown: infinity"), "adjust pool p: shutdown 30s -> infinity\n"},
        {POOL(""), "apps: { a: { path: shop.lua, probation: 5m } }\npools: { p: { app: a } }\n",
         "adjust pool p: probation 1m -> 5m\n"},
        {POOL(", shutdown: infinity"), POOL(", shutdown: brutal_kill"),
         "adjust pool p: shutdown infinity -> brutal_kill\n"},
        {POOL(""),
         POOL(", standby: 2, heartbeat: 5s, restart: transient, intensity: 3, period: 1m"),
         "adjust pool p: standby auto -> 2, heartbeat 30s -> 5s, restart permanent -> transient, "
         "intensity auto -> 3, period 30s -> 1m\n"},
        {POOL(", intensity: 5"), POOL(""), "adjust pool p: intensity 5 -> auto\n"},
        {POOL(", standby: 0, restart: temporary"), POOL(""),
         "adjust pool p: standby 0 -> auto, restart temporary -> permanent\n"},
        {APPS "pools: { p: { app: shop, after: [q] }, q: { app: mail } }\n",
         APPS "pools: { p: { app: shop }, q: { app: mail, after: [p] } }\n",
         "adjust pool p: after changed\nadjust pool q: after changed\n"},
        {APPS "pools: { p: { app: shop, after: [q] }, q: { app: mail }, r: { app: mail } }\n",
         APPS "pools: { r: { app: mail }, p: { app: shop, after: [r] }, q: { app: mail } }\n",
         "adjust pool p: after changed\n"},
        {APPS "pools: { p: { app: shop, after: [q] }, q: { app: mail } }\n",
         APPS "pools: { q: { app: mail }, p: { app: shop, after: [q] } }\n", ""},
    };
    CHECK_ROWS(rows)
}

static void a_pool_may_have_several_rows_and_each_is_found(void **state)
{
    (void)state;
    struct conf *from = parse(POOL(", count: 2"));
    struct conf *to = parse(POOL(
        ", count: 4, drain: 1s, limits: { body: 1 }") "listeners: { p: { listen: \":7\" } }\n");
    struct plan plan = {.count = 0};
    char text[TEXT_MAX];
    assert_int_equal(plan_make(from, to, &plan), 0);
    print_plan(&plan, text);
    assert_string_equal(text, "open listener p: [::]:7\nupdate pool p: limits.body 10MiB -> 1\n"
                              "scale pool p: count 2 -> 4\nadjust pool p: drain 5s -> 1s\n");
    assert_string_equal(plan_find(&plan, "p", PLAN_SCALE)->detail, "count 2 -> 4");
    assert_int_equal(plan_find(&plan, "p", PLAN_ADJUST)->to_index, 0);
    assert_null(plan_find(&plan, "p", PLAN_REPLACE));
    assert_null(plan_find(&plan, "p", PLAN_OPEN)); /* the listener */
    assert_null(plan_find(&plan, "q", PLAN_SCALE));
    conf_free(from);
    conf_free(to);
    assert_string_equal(plan.rows[0].name, "p"); /* nothing is borrowed */
    plan_fini(&plan);
    plan_fini(&plan);
    assert_int_equal(plan.count, 0);
}

static void pools_that_are_new_or_gone_start_and_stop(void **state)
{
    (void)state;
    check(HTTP APPS WEB, APPS "pools: { jobs: { app: mail, count: 1 }, chat: { app: shop } }\n",
          "scale pool jobs: count auto -> 1\nstart pool chat: app shop\nstop pool web: \n"
          "close listener http: 127.0.0.1:80\n");
}

#define TREE(values)                                                                               \
    APPS "pools: { p: { app: shop }, q: { app: mail } }\nsupervisors: { " values " }\n"

static void supervisors_are_compared_by_name(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {TREE("s: { children: [p] }"), TREE("t: { children: [p] }"),
         "adjust supervisor t: new\nadjust supervisor s: gone\n"},
        {TREE("s: { children: [p, q] }"), TREE("s: { children: [q, p] }"),
         "adjust supervisor s: children changed\n"},
        {TREE("s: { children: [p] }"), TREE("s: { children: [p, q], intensity: 2, period: 60s }"),
         "adjust supervisor s: intensity 5 -> 2, period 30s -> 1m, children changed\n"},
        {TREE("s: { children: [p] }"),
         TREE("s: { children: [p], strategy: rest_for_one, after: [q] }"),
         "adjust supervisor s: strategy one_for_one -> rest_for_one, after changed\n"},
        {TREE("s: { children: [p] }, t: { children: [s], strategy: one_for_all }"),
         TREE("t: { children: [s], strategy: one_for_all }, s: { children: [p] }"), ""},
    };
    CHECK_ROWS(rows)
}

#define SHARED(values) APPS "pools: { p: { app: shop } }\nshared: { " values " }\n"

static void shared_dictionaries_are_compared_by_name_and_size(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {SHARED("a: {}"), SHARED("a: { size: 16384KiB }"), ""},
        {SHARED("a: {}, b: {}"), SHARED("b: {}, a: {}"), ""},
        {SHARED("a: {}"), SHARED("a: { size: 32MiB }"),
         "replace shared a: size 16MiB -> 32MiB, starts empty\n"},
        {SHARED("a: {}"), SHARED("b: {}"), "open shared b: \nclose shared a: \n"},
    };
    CHECK_ROWS(rows)
}

static void what_needs_a_restart_is_listed(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {POOL(""), POOL("") "control: { path: /run/a }\nlog: { path: /tmp/l, format: json }\n",
         "master log.format: text -> json\n"
         "needs-restart control.path: /run/fsd/control.sock -> /run/a\n"
         "needs-restart log.path: stderr -> /tmp/l\n"},
        {POOL("") "user: root\ngroup: root\n", POOL("") "state: { path: /tmp/s }\n",
         "needs-restart state.path: /var/lib/fsd -> /tmp/s\n"
         "needs-restart user: root -> default\nneeds-restart group: root -> default\n"},
    };
    CHECK_ROWS(rows)
}

enum { OVERRIDDEN = 1 };

static bool would_change(const char *before, const char *after, int how)
{
    struct conf *from = parse(before);
    struct conf *to = parse(after);
    struct plan plan = {.count = 0};
    to->pools[0].is_count_override = how == OVERRIDDEN;
    assert_int_equal(plan_make(from, to, &plan), 0);
    bool would = plan_would_change(&plan, from, to);
    plan_fini(&plan);
    conf_free(from);
    conf_free(to);
    return would;
}

static void a_comment_or_an_order_of_the_same_number_is_a_change(void **state)
{
    (void)state;
    assert_false(would_change(POOL(""), POOL(""), 0));
    assert_true(would_change(POOL(""), POOL("") "# but for these words\n", 0));
    assert_true(would_change(POOL(""), POOL("") "log: { format: json }\n", 0));
    assert_true(would_change(POOL(""), POOL(""), OVERRIDDEN));
}

static void what_needs_a_restart_is_no_change_in_itself(void **state)
{
    (void)state;
    struct conf *from = parse(POOL(""));
    struct conf *to = parse(POOL("") "control: { path: /run/a }\nuser: root\n");
    struct plan plan = {.count = 0};
    if (from == NULL || to == NULL) {
        fail();
        return;
    }
    assert_int_equal(plan_make(from, to, &plan), 0);
    assert_int_equal(plan.count, 2);
    (void)snprintf(from->hash, sizeof(from->hash), "%s", to->hash); /* as after it was applied */
    assert_false(plan_would_change(&plan, from, to));
    plan_fini(&plan);
    conf_free(from);
    conf_free(to);
}

static void many_rows_find_room(void **state)
{
    (void)state;
    enum { POOLS = 200 };
    char text[POOLS * 32];
    size_t len = (size_t)snprintf(text, sizeof(text), APPS "pools:\n");
    for (int i = 0; i < POOLS; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "  p%d: { app: shop }\n", i);
    }
    struct conf *from = parse(POOL(""));
    struct conf *to = parse(text);
    struct plan plan = {.count = 0};
    assert_int_equal(plan_make(from, to, &plan), 0);
    assert_int_equal(plan.count, POOLS + 1);
    assert_string_equal(plan.rows[POOLS - 1].name, "p199");
    plan_fini(&plan);
    conf_free(from);
    conf_free(to);
}

static void a_detail_that_is_too_long_says_so(void **state)
{
    (void)state;
    struct plan_text text = {.len = 0};
    for (int i = 0; i < 1000; i++) {
        plan_text_add(&text, "listener%d", i);
    }
    assert_in_range(text.len, PLAN_DETAIL_MAX - 32, PLAN_DETAIL_MAX - 1);
    assert_int_equal(strlen(text.text), text.len);
    assert_string_equal(text.text + text.len - 3, "...");
    struct plan_text cut = {.len = 0};
    char long_item[2 * PLAN_DETAIL_MAX];
    memset(long_item, 0xc3, sizeof(long_item)); /* the first halves of characters */
    for (size_t i = 1; i < sizeof(long_item); i += 2) {
        long_item[i] = (char)0xa9;
    }
    long_item[sizeof(long_item) - 1] = '\0';
    plan_text_add(&cut, "%s", long_item);
    assert_int_equal(strlen(cut.text), cut.len);
    assert_string_equal(cut.text + cut.len - 5, "\xc3\xa9...");
}

/* Whatever the lengths, the buffer holds. */
static void a_detail_never_overflows(void **state)
{
    (void)state;
    for (size_t size = 1; size < PLAN_DETAIL_MAX + 8; size++) {
        struct plan_text text = {.len = 0};
        char item[PLAN_DETAIL_MAX + 16];
        memset(item, 'x', size);
        item[size] = '\0';
        for (int i = 0; i < 600; i++) {
            plan_text_add(&text, "%s", item);
            assert_true(text.len < PLAN_DETAIL_MAX);
            assert_int_equal(strlen(text.text), text.len);
        }
        assert_true(text.is_full);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_configuration_changes_nothing),
        cmocka_unit_test(listeners_are_known_by_their_address),
        cmocka_unit_test(a_port_that_the_kernel_chooses_belongs_to_a_name),
        cmocka_unit_test(what_a_process_is_made_of_needs_a_new_process),
        cmocka_unit_test(another_app_or_path_is_named),
        cmocka_unit_test(limits_are_taken_over_in_place),
        cmocka_unit_test(rules_of_supervision_concern_the_master_alone),
        cmocka_unit_test(a_pool_may_have_several_rows_and_each_is_found),
        cmocka_unit_test(pools_that_are_new_or_gone_start_and_stop),
        cmocka_unit_test(supervisors_are_compared_by_name),
        cmocka_unit_test(shared_dictionaries_are_compared_by_name_and_size),
        cmocka_unit_test(what_needs_a_restart_is_listed),
        cmocka_unit_test(a_comment_or_an_order_of_the_same_number_is_a_change),
        cmocka_unit_test(what_needs_a_restart_is_no_change_in_itself),
        cmocka_unit_test(many_rows_find_room),
        cmocka_unit_test(a_detail_that_is_too_long_says_so),
        cmocka_unit_test(a_detail_never_overflows),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
