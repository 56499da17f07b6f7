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
    "\"listeners\":[{\"name\":\"http\",\"address\":\"127.0.0.1:8080\",\"pool\":\"shop\"},"
    "{\"name\":\"feed\",\"address\":\"[::]:7000\",\"pool\":\"chat\"}],"
    "\"pools\":[{\"name\":\"shop\",\"app\":\"shop\",\"generation\":17,\"state\":\"running\","
    "\"requests_total\":1234567,\"workers\":["
    "{\"slot\":0,\"pid\":4200,\"incarnation\":3,\"state\":\"ready\",\"generation\":17,\"restarts\":"
    "0,"
    "\"requests\":1234000,\"connections\":3,\"memory_bytes\":222298112,\"died_at\":null,"
    "\"ready_at\":725800000,\"started_at\":725799000,\"last_exit\":null,\"retry_in_ms\":null}]},"
    "{\"name\":\"chat\",\"app\":\"chat\",\"generation\":2,\"state\":\"degraded\","
    "\"requests_total\":567,\"workers\":["
    "{\"slot\":1,\"pid\":null,\"state\":\"backoff\",\"generation\":null,\"restarts\":5,"
    "\"requests\":567,\"memory_bytes\":null,\"ready_at\":999999000,"
    "\"last_exit\":\"killed by signal 9 (Killed)\",\"retry_in_ms\":3200}]}]}";

static void a_whole_status_fills_every_column(void **state)
{
    (void)state;
    expect_render(whole, true,
                  "\u25cf fsd 0.9.2  pid 4121  degraded  up 3d 04:11\n"
                  "  http 127.0.0.1:8080 (shop)  feed [::]:7000 (chat)\n"
                  "\n"
                  "POOL  SLOT   PID  STATE    GEN    UPTIME  RESTARTS   REQUESTS   MEMORY\n"
                  "shop     0  4200  ready     17  3d 04:10         0  1 234 000  212 MiB\n"
                  "chat     1     -  backoff    -         -         5        567        -\n"
                  "  ! chat/1: killed by signal 9 (Killed); next start in 3.2s\n");
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
                  "POOL  SLOT  PID  STATE     GEN  UPTIME  RESTARTS  REQUESTS  MEMORY\n"
                  "a        0    -  new kind    -    0.0s         -         -       -\n"
                  "a        1    -  backoff     -       -         -         -       -\n"
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
                  "POOL  SLOT  PID  STATE  GEN  UPTIME  RESTARTS  REQUESTS  MEMORY\n");
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
        {"null", "the status is of kind \"-\", this fsdctl reads \"fsd.status/1\""},
        {"[]", "the status is of kind \"-\", this fsdctl reads \"fsd.status/1\""},
        {"{\"schema\":7}", "the status is of kind \"-\", this fsdctl reads \"fsd.status/1\""},
        {"{\"schema\":\"fsd.status/2\"}",
         "the status is of kind \"fsd.status/2\", this fsdctl reads \"fsd.status/1\""},
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
        cmocka_unit_test(the_exit_code_says_whether_all_is_as_configured),
        cmocka_unit_test(what_is_no_status_is_refused_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
