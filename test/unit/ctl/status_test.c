/* `fsdctl status` from the daemon's JSON to the screen and the exit code. */
#include "ctl/status.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/proto.h"
#include "ctl/output.h"
#include "ctl/status_render.h"

#define NOW_MS 1000000000ULL

static json_t *load(const char *text)
{
    json_error_t where;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &where);
    if (value == NULL) {
        fail_msg("fixture: %s in %s", where.text, text);
    }
    return value;
}

static void expect_render(const char *json, bool utf8, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    struct output output = {open_memstream(&text, &len), false, utf8};
    json_t *status = load(json);
    struct fsd_err err = {""};
    if (status_judge(status, &err) < 0) {
        fail_msg("%s", err.text);
    }
    assert_int_equal(status_render(status, NOW_MS, &output), 0);
    assert_int_equal(fclose(output.file), 0);
    assert_string_equal(text, expected);
    free(text);
    json_decref(status);
}

static const char whole[] =
    "{\"schema\":\"fsd.status/1\",\"pid\":4121,\"version\":\"0.9.2\",\"state\":\"degraded\","
    "\"started_at\":725740000,"
    "\"config\":{\"number\":17,\"hash\":\"9f0c5a77d1e4b203\","
    "\"overrides\":[\"pools.shop.count=1 by scale\",\"x\"]},"
    "\"listeners\":[{\"name\":\"http\",\"address\":\"127.0.0.1:8080\",\"pool\":\"shop\"},"
    "{\"name\":\"feed\",\"address\":\"[::]:7000\",\"pool\":\"chat\"}],"
    "\"pools\":[{\"name\":\"shop\",\"app\":\"shop\",\"origin\":\"config\",\"generation\":17,"
    "\"state\":\"running\","
    "\"requests_total\":1234567,\"workers\":["
    "{\"slot\":0,\"pid\":4200,\"incarnation\":3,\"state\":\"ready\",\"generation\":17,\"restarts\":"
    "0,"
    "\"requests\":1234000,\"connections\":3,\"memory_bytes\":222298112,\"died_at\":null,"
    "\"ready_at\":725800000,\"started_at\":725799000,\"last_exit\":null,\"retry_in_ms\":null,"
    "\"doing\":{\"what\":\"GET /orders/7\",\"id\":\"3-a4\",\"since_ms\":12000}},"
    "{\"slot\":null,\"pid\":4201,\"state\":\"standby\",\"generation\":17,\"restarts\":0,"
    "\"requests\":0,\"memory_bytes\":5242880,\"doing\":null}]},"
    "{\"name\":\"chat\",\"app\":\"chat\",\"origin\":\"lua\",\"generation\":2,\"state\":"
    "\"degraded\","
    "\"cause\":\"killed by signal 9 (Killed)\","
    "\"requests_total\":567,\"workers\":["
    "{\"slot\":1,\"pid\":null,\"state\":\"backoff\",\"generation\":null,\"restarts\":5,"
    "\"requests\":567,\"memory_bytes\":null,\"ready_at\":999999000,"
    "\"last_exit\":\"killed by signal 9 (Killed)\",\"retry_in_ms\":3200}]}]}";

static void a_whole_status_fills_every_column(void **state)
{
    (void)state;
    expect_render(whole, true,
                  "\u25cf fsd 0.9.2  pid 4121  DEGRADED  up 3d 04:11  config 17 9f0c5a77d1e4b203\n"
                  "  http 127.0.0.1:8080 (shop)  feed [::]:7000 (chat)\n"
                  "  by command: pools.shop.count=1 by scale, x\n"
                  "  from Lua: chat\n"
                  "\n"
                  "POOL  SLOT   PID  STATE    GEN    UPTIME  RESTARTS   REQUESTS   MEMORY  DOING\n"
                  "shop     0  4200  ready     17  3d 04:10         0  1 234 000  212 MiB  GET "
                  "/orders/7 12s\n"
                  "shop     -  4201  standby   17         -         0          0  5.0 MiB  -\n"
                  "chat     1     -  backoff    -         -         5        567        -  -\n"
                  "  ! chat/1: killed by signal 9 (Killed); next start in 3.2s\n"
                  "    chat is degraded: killed by signal 9 (Killed)\n"
                  "    more: `fsdctl crashes`, `fsdctl logs chat`\n");
}

static void missing_and_foreign_fields_show_as_unknown(void **state)
{
    (void)state;
    expect_render("{\"schema\":\"fsd.status/1\",\"state\":\"run\\u001b[2Jning\",\"pid\":\"x\","
                  "\"listeners\":[{},3],\"more\":{},"
                  "\"pools\":[{\"name\":\"a\",\"workers\":[{\"slot\":0,\"state\":\"new kind\","
                  "\"pid\":-1,\"restarts\":1.5,\"ready_at\":2000000000},"
                  "{\"slot\":1,\"state\":\"backoff\"}]}]}",
                  false,
                  "* fsd -  pid -  run\\x1b[2Jning  up -\n"
                  "  - - (-)  - - (-)\n"
                  "\n"
                  "POOL  SLOT  PID  STATE     GEN  UPTIME  RESTARTS  REQUESTS  MEMORY  DOING\n"
                  "a        0    -  new kind    -    0.0s         -         -       -  -\n"
                  "a        1    -  backoff     -       -         -         -       -  -\n"
                  "  ! a/1: ended for an unknown reason\n");
}

static void a_daemon_without_pools_has_no_rows(void **state)
{
    (void)state;
    expect_render("{\"schema\":\"fsd.status/1\",\"state\":\"starting\",\"version\":\"1\",\"pid\":1,"
                  "\"started_at\":999999000,\"pools\":[]}",
                  false,
                  "* fsd 1  pid 1  starting  up 1.0s\n"
                  "\n"
                  "POOL  SLOT  PID  STATE  GEN  UPTIME  RESTARTS  REQUESTS  MEMORY  DOING\n");
}

#define HEAD(state)                                                                                \
    "* fsd -  pid -  DEGRADED  up -\n\n"                                                           \
    "POOL  SLOT  PID  " state "  GEN  UPTIME  RESTARTS  REQUESTS  MEMORY  DOING\n"
#define ONE_POOL(fields, workers)                                                                  \
    "{\"schema\":\"fsd.status/1\",\"state\":\"degraded\",\"pools\":[{\"name\":\"web\"," fields     \
    ",\"workers\":[" workers "]}]}"

static void below_a_pool_that_does_not_serve_stands_why_and_what_tells_more(void **state)
{
    (void)state;
    expect_render(
        ONE_POOL("\"state\":\"held\",\"cause\":\"more than 5 restarts in 30 s:\\nexited with "
                 "code 3\",\"probe_in_ms\":12000,\"last_crash\":\"20261122-x\"",
                 "{\"slot\":0,\"state\":\"held\",\"memory_bytes\":0}"),
        false,
        HEAD("STATE") "web      0    -  held     -       -         -         -       -  -\n"
                      "  ! web is held: more than 5 restarts in 30 s:\n"
                      "    exited with code 3; next try in 12s\n"
                      "    more: `fsdctl crashes 20261122-x`, `fsdctl logs web`\n");
    expect_render(ONE_POOL("\"state\":\"held\",\"cause\":null", ""), false,
                  HEAD("STATE") "web      -    -  held\n"
                                "  ! web is held: it failed too often\n"
                                "    more: `fsdctl crashes`, `fsdctl logs web`\n");
    expect_render(
        ONE_POOL("\"state\":\"drained\",\"cause\":null", ""), false,
        HEAD("STATE  ") "web      -    -  drained\n"
                        "  ! web was drained by command: `fsdctl resume` starts it again\n");
    expect_render(
        ONE_POOL("\"state\":\"running\",\"cause\":\"old\",\"standby\":{\"wanted\":2,\"ready\":1}",
                 "{\"slot\":0,\"state\":\"ready\"}"),
        false,
        HEAD("STATE") "web      0    -  ready    -       -         -         -       -  -\n"
                      "  ! web has 1 of 2 workers in reserve\n");
}

static void a_reserve_that_is_still_booting_is_nothing_to_see_to(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\"wanted\":1,\"ready\":0,\"failing\":false", ""},
        {"\"wanted\":1,\"ready\":0,\"failing\":true", "  ! web has 0 of 1 workers in reserve\n"},
        {"\"wanted\":1,\"ready\":1,\"failing\":true", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char result[1024];
        char wanted[1024];
        (void)snprintf(
            result, sizeof(result),
            ONE_POOL("\"state\":\"running\",\"standby\":{%s}", "{\"slot\":0,\"state\":\"ready\"}"),
            rows[i][0]);
        (void)snprintf(wanted, sizeof(wanted),
                       HEAD("STATE") "web      0    -  ready    -       -         -         -"
                                     "       -  -\n%s",
                       rows[i][1]);
        expect_render(result, false, wanted);
    }
}

#define LAGGARDS(count, items)                                                                     \
    ONE_POOL("\"state\":\"running\"",                                                              \
             "{\"slot\":0,\"state\":\"ready\",\"laggards\":{\"count\":" count                      \
             ",\"generation\":5,\"items\":[" items "]}}")
#define LAGGARD(what) "{\"kind\":\"task\",\"what\":\"" what "\",\"since_ms\":0,\"at\":\"a:1\"}"

static void what_still_runs_on_replaced_code_stands_below_its_worker(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *note;
    } cases[] = {
        {LAGGARDS("2", "{\"kind\":\"request\",\"what\":\"GET /slow\",\"since_ms\":12000,\"at\":"
                       "\"app.lua:40\"},{\"kind\":\"actor\",\"what\":\"room\",\"since_ms\":64000,"
                       "\"at\":\"?\"}"),
         "  ! web/0 still runs 2 things of generation 5:\n"
         "      request GET /slow since 12s at app.lua:40\n"
         "      actor room since 1m 04s\n"},
        {LAGGARDS("1", LAGGARD("t")),
         "  ! web/0 still runs 1 thing of generation 5: task t since 0.0s at a:1\n"},
        {LAGGARDS("70", LAGGARD("1") "," LAGGARD("2") "," LAGGARD("3") "," LAGGARD("4") "," LAGGARD(
                            "5") "," LAGGARD("6")),
         "  ! web/0 still runs 70 things of generation 5:\n"
         "      task 1 since 0.0s at a:1\n      task 2 since 0.0s at a:1\n"
         "      task 3 since 0.0s at a:1\n      task 4 since 0.0s at a:1\n"
         "      task 5 since 0.0s at a:1\n      and 65 more: `fsdctl status --json`\n"},
        {LAGGARDS("1", "{\"kind\":null,\"what\":\"odd \\u001b[2J\",\"since_ms\":null,\"at\":null}"),
         "  ! web/0 still runs 1 thing of generation 5: odd \\x1b[2J\n"},
        {LAGGARDS("1", "7"), "  ! web/0 still runs 1 thing of generation 5: -\n"},
        {LAGGARDS("3", ""), "  ! web/0 still runs 3 things of generation 5\n"},
        {LAGGARDS("0", ""), ""},
        {ONE_POOL("\"state\":\"running\"", "{\"slot\":0,\"state\":\"ready\",\"laggards\":null}"),
         ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char wanted[1024];
        (void)snprintf(wanted, sizeof(wanted),
                       HEAD("STATE") "web      0    -  ready    -       -         -         -"
                                     "       -  -\n%s",
                       cases[i].note);
        expect_render(cases[i].json, false, wanted);
    }
}

static void a_start_that_waits_for_room_is_told(void **state)
{
    (void)state;
    expect_render(
        ONE_POOL("\"state\":\"running\",\"waiting\":2", "{\"slot\":0,\"state\":\"ready\"}"), false,
        HEAD("STATE") "web      0    -  ready    -       -         -         -       -  -\n"
                      "  ! web waits for older workers to leave before it starts 2 more\n");
    expect_render(
        ONE_POOL("\"state\":\"running\",\"waiting\":0", "{\"slot\":0,\"state\":\"ready\"}"), false,
        HEAD("STATE") "web      0    -  ready    -       -         -         -       -  -\n");
}

#define SETBACK(fields)                                                                            \
    "{\"schema\":\"fsd.status/1\",\"state\":\"running\",\"pools\":[],\"apps\":[{\"name\":\"a\","   \
    "\"setback\":null},{\"name\":\"shop\",\"setback\":{\"from\":4,\"at\":1795343462000,"           \
    "\"why\":\"pool web: more than 5 restarts in 30 s:\\nexited with code 3\"" fields "}}]}"
#define EMPTY                                                                                      \
    "* fsd -  pid -  running  up -\n\n"                                                            \
    "POOL  SLOT  PID  STATE  GEN  UPTIME  RESTARTS  REQUESTS  MEMORY  DOING\n"

static void below_all_stands_which_code_was_taken_back(void **state)
{
    (void)state;
    expect_render(SETBACK(",\"to\":null,\"origin\":null"), false,
                  EMPTY "  ! shop: generation 4 is being taken back since 2026-11-22 10:31:02Z: "
                        "pool web: more than 5 restarts in 30 s:\n    exited with code 3\n");
    expect_render(SETBACK(",\"to\":5,\"origin\":3"), false,
                  EMPTY "  ! shop: generation 4 was taken back at 2026-11-22 10:31:02Z: pool web: "
                        "more than 5 restarts in 30 s:\n    exited with code 3\n"
                        "    generation 5 runs now, the code of 3: reload better code, or say that "
                        "it is fine with `fsdctl confirm shop`\n");
}

#define POOL(workers) "[{\"name\":\"a\",\"workers\":[" workers "]}]"
#define STATUS(state, pools)                                                                       \
    "{\"schema\":\"fsd.status/1\",\"state\":\"" state "\",\"pools\":" pools "}"
#define WORKER(slot, state) "{\"slot\":" slot ",\"state\":\"" state "\"}"

static void the_exit_code_says_whether_all_is_as_configured(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int code;
    } cases[] = {
        {STATUS("running", "[]"), FSD_EXIT_OK},
        {STATUS("running", POOL(WORKER("0", "ready"))), FSD_EXIT_OK},
        {STATUS("degraded", POOL(WORKER("0", "ready"))), FSD_EXIT_DEGRADED},
        {STATUS("stopping", POOL(WORKER("0", "ready"))), FSD_EXIT_DEGRADED},
        {STATUS("running", POOL(WORKER("0", "ready") "," WORKER("1", "backoff"))),
         FSD_EXIT_DEGRADED},
        {STATUS("running", POOL(WORKER("0", "starting"))), FSD_EXIT_DEGRADED},
        {STATUS("running", POOL(WORKER("0", "draining"))), FSD_EXIT_DEGRADED},
        {STATUS("running", POOL(WORKER("0", "draining") "," WORKER("0", "ready"))), FSD_EXIT_OK},
        {STATUS("running", POOL(WORKER("null", "standby") "," WORKER("0", "ready"))), FSD_EXIT_OK},
        {STATUS("running", POOL(WORKER("0", "done"))), FSD_EXIT_OK},
        {STATUS("running", POOL(WORKER("0", "held"))), FSD_EXIT_DEGRADED},
        {STATUS("running", "[{\"name\":\"a\",\"count\":1,\"workers\":[" WORKER(
                               "0", "ready") "," WORKER("1", "draining") "]}]"),
         FSD_EXIT_OK},
        {SETBACK(""), FSD_EXIT_DEGRADED},
        {STATUS("running", "[{\"name\":\"a\",\"state\":\"held\",\"workers\":[]}]"),
         FSD_EXIT_DEGRADED},
        {STATUS("running", "[{\"name\":\"a\",\"state\":\"running\",\"workers\":[]}]"), FSD_EXIT_OK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *status = load(cases[i].json);
        assert_int_equal(status_judge(status, NULL), cases[i].code);
        json_decref(status);
    }
}

static void what_is_no_status_is_refused_with_a_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *sentence;
    } cases[] = {
        {"null", "the status makes no sense: it has no state or no pools"},
        {"[]", "the status makes no sense: it has no state or no pools"},
        {"{\"schema\":\"fsd.status/1\",\"pools\":[]}",
         "the status makes no sense: it has no state or no pools"},
        {STATUS("running", "{}"), "the status makes no sense: it has no state or no pools"},
        {STATUS("running", "[1]"), "the status makes no sense: pools[0] has no name or no workers"},
        {STATUS("running", "[{\"name\":\"a\"}]"),
         "the status makes no sense: pools[0] has no name or no workers"},
        {STATUS("running", POOL("null")),
         "the status makes no sense: pools[0].workers[0] has no slot"},
        {STATUS("running", POOL("{\"slot\":\"0\"}")),
         "the status makes no sense: pools[0].workers[0] has no slot"},
        {STATUS("running", POOL(WORKER("0", "ready") ",{\"slot\":1,\"state\":null}")),
         "the status makes no sense: pools[0].workers[1] has no state"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *status = load(cases[i].json);
        struct fsd_err err = {""};
        assert_int_equal(status_judge(status, &err), -EPROTO);
        assert_string_equal(err.text, cases[i].sentence);
        json_decref(status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_status_fills_every_column),
        cmocka_unit_test(missing_and_foreign_fields_show_as_unknown),
        cmocka_unit_test(a_daemon_without_pools_has_no_rows),
        cmocka_unit_test(below_a_pool_that_does_not_serve_stands_why_and_what_tells_more),
        cmocka_unit_test(a_reserve_that_is_still_booting_is_nothing_to_see_to),
        cmocka_unit_test(what_still_runs_on_replaced_code_stands_below_its_worker),
        cmocka_unit_test(a_start_that_waits_for_room_is_told),
        cmocka_unit_test(below_all_stands_which_code_was_taken_back),
        cmocka_unit_test(the_exit_code_says_whether_all_is_as_configured),
        cmocka_unit_test(what_is_no_status_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
