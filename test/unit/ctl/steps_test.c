/* `fsdctl reload`, step by step: what programs read, and what people see on a terminal. */
#include "ctl/steps.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/proto.h"
#include "test/support/stand_in.h"

#define RESULT(fields) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{" fields "}}\n"
#define ERROR          "{\"code\":-32000,\"message\":\"web/1: a.lua:3: no\\n    at b.lua:4\"}"
#define FAILURE        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":" ERROR "}\n"
#define NOTICE(params) "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":" params "}\n"
#define EVENTS(events) RESULT("\"schema\":\"fsd.events/1\",\"events\":[" events "],\"lost\":0")
#define STEP(id, slot, name)                                                                       \
    "{\"id\":" id ",\"event\":\"worker." name "\",\"message\":\"worker is " name                   \
    "\",\"pool\":\"web\",\"slot\":" slot ",\"generation\":4}"
#define BEGIN(id) "{\"id\":" id ",\"event\":\"reload.begin\",\"message\":\"reload begins\"}"
#define OTHER(id) "{\"id\":" id ",\"event\":\"reload.done\",\"message\":\"applied\"}"
#define REJECTED(id)                                                                               \
    "{\"id\":" id ",\"event\":\"reload.rejected\",\"message\":\"worker does not take the code\","  \
    "\"pool\":\"web\",\"slot\":1,\"generation\":4,\"reason\":\"a.lua:3: no\\n    at b.lua:4\"}"
#define OVER(id, generation)                                                                       \
    "{\"id\":" id ",\"event\":\"reload.done\",\"message\":\"done\",\"generation\":" generation "}"
#define FAILED(id, reason)                                                                         \
    "{\"id\":" id ",\"event\":\"reload.failed\",\"message\":\"nothing is changed: " reason "\"}"
#define DONE                                                                                       \
    "\"schema\":\"fsd.reload/1\",\"apps\":[{\"app\":\"a\",\"from\":3,\"to\":4,\"workers\":2}],"    \
    "\"restart\":true"
#define DONE_LINE "a  generation 3 -> 4, 2 workers replaced\n"

struct run {
    int code;
    char *out;
    char *err;
};

/* answers NULL: nobody is there to be asked. */
static struct run run(struct stand_in *stand_in, const char *words, const char *answers)
{
    struct run run = {0};
    char heard[STAND_IN_HEARD_MAX];
    if (answers != NULL) {
        stand_in_start(stand_in, answers, false, false);
    }
    run.code = stand_in_run(stand_in, words, &run.out, &run.err);
    if (answers != NULL) {
        stand_in_stop(stand_in, heard);
    }
    return run;
}

static void end(struct run *run)
{
    free(run->out);
    free(run->err);
}

static void with_json_each_step_is_a_line_and_the_result_the_last_one(void **state)
{
    static const struct {
        const char *answers; /* to events, reload, and events again */
        const char *out;
    } cases[] = {
        {EVENTS(STEP("7", "0", "old")) NOTICE(BEGIN("8")) NOTICE(STEP("9", "0", "ready"))
             NOTICE(OTHER("10")) RESULT(DONE) NOTICE(STEP("11", "1", "ready"))
                 EVENTS(STEP("11", "1", "ready") "," STEP("12", "null", "ready") "," OVER(
                     "13", "4") "," BEGIN("14") "," STEP("15", "0", "of somebody else")),
         BEGIN("8") "\n" STEP("9", "0", "ready") "\n" STEP("11", "1", "ready") "\n" STEP(
             "12", "null", "ready") "\n{" DONE "}\n"},
        {EVENTS("") RESULT(DONE) EVENTS(""), "{" DONE "}\n"},
        /* what was waited for has been overtaken, too */
        {EVENTS("") RESULT(DONE) EVENTS(OVER("8", "3") "," BEGIN("9") "," OVER("10", "4")),
         BEGIN("9") "\n{" DONE "}\n"},
        {EVENTS("{},7") NOTICE("7") NOTICE("{\"id\":\"x\"}") RESULT(DONE) RESULT(""),
         "{" DONE "}\n"},
        /* too many follow */
        {FAILURE NOTICE(STEP("9", "0", "ready")) RESULT(DONE), "{" DONE "}\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct run result = run(*state, "reload --json", cases[i].answers);
        assert_string_equal(result.out, cases[i].out);
        assert_string_equal(result.err, "");
        assert_int_equal(result.code, FSD_EXIT_OK);
        end(&result);
    }
}

static void a_failure_is_the_last_line_and_said_to_people_as_well(void **state)
{
    struct run result =
        run(*state, "reload --json",
            EVENTS("") NOTICE(BEGIN("8")) FAILURE EVENTS(
                BEGIN("8") "," FAILED("9", "other") "," STEP("10", "1", "refused") "," FAILED(
                    "11", "web/1: a.lua:3: no\\n    at b.lua:4") "," BEGIN("12")));
    assert_string_equal(result.out,
                        BEGIN("8") "\n" STEP("10", "1", "refused") "\n{\"schema\":\"fsd.reload/1\","
                                                                   "\"error\":" ERROR "}\n");
    assert_string_equal(result.err, "web/1: a.lua:3: no\n    at b.lua:4\n");
    assert_int_equal(result.code, FSD_EXIT_FAILED);
    end(&result);
    result = run(*state, "reload --json --timeout 50ms", EVENTS("") NOTICE(BEGIN("8")));
    assert_string_equal(result.err, "fsd did not answer within 0.05 s\n"
                                    "it goes on; `fsdctl events` shows what comes of it\n");
    assert_int_equal(result.code, FSD_EXIT_TIMEOUT);
    end(&result);
}

static void on_a_pipe_there_is_nothing_but_the_result(void **state)
{
    struct run result = run(*state, "reload", RESULT(DONE));
    assert_string_equal(result.out, DONE_LINE);
    assert_string_equal(result.err, "");
    end(&result);
    result = run(*state, "reload", FAILURE);
    assert_string_equal(result.out, "");
    assert_string_equal(result.err, "web/1: a.lua:3: no\n    at b.lua:4\n");
    assert_int_equal(result.code, FSD_EXIT_FAILED);
    end(&result);
    result = run(*state, "reload --wait --no-wait", NULL);
    assert_string_equal(result.err, "fsdctl: --wait and --no-wait are opposites\n");
    assert_int_equal(result.code, FSD_EXIT_USAGE);
    end(&result);
}

#define END_MARK "<end>"

/* Runs it with standard error on a terminal; what that shows is in screen. */
static int run_on_terminal(struct stand_in *stand_in, const char *answers, char *screen,
                           size_t size)
{
    int main_end = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char heard[STAND_IN_HEARD_MAX];
    char *argv[] = {(char[]){"fsdctl"}, (char[]){"reload"}};
    assert_true(main_end >= 0);
    assert_int_equal(grantpt(main_end), 0);
    assert_int_equal(unlockpt(main_end), 0);
    FILE *err = fopen(ptsname(main_end), "we");
    FILE *out = fopen("/dev/null", "we");
    assert_non_null(err);
    assert_non_null(out);
    stand_in_start(stand_in, answers, false, false);
    assert_int_equal(setenv("FSD_SOCKET", stand_in->path, 1), 0);
    int code = command_main(commands_get(), 2, argv, out, err);
    stand_in_stop(stand_in, heard);
    assert_true(fputs(END_MARK, err) >= 0);
    assert_int_equal(fflush(err), 0);
    size_t len = 0;
    char *end_mark = NULL;
    while (end_mark == NULL) { /* the kernel passes on what is written in parts, and later */
        ssize_t got = read(main_end, screen + len, size - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
        screen[len] = '\0';
        end_mark = strstr(screen, END_MARK);
    }
    *end_mark = '\0';
    assert_int_equal(fclose(err), 0);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(close(main_end), 0);
    return code;
}

static void on_a_terminal_each_step_of_a_worker_is_a_line(void **state)
{
    char screen[1024];
    int code = run_on_terminal(
        *state,
        EVENTS("") NOTICE(BEGIN("1")) NOTICE(STEP("2", "0", "ready"))
            NOTICE("{\"id\":3,\"event\":\"worker.died\",\"pool\":\"\\u001b\",\"message\":\"died: "
                   "\\u001b[2J\\nmore\"}") NOTICE("{\"id\":4,\"event\":\"worker.odd\"}")
                NOTICE(REJECTED("5")) RESULT(DONE) EVENTS(""),
        screen, sizeof(screen));
    assert_string_equal(screen,
                        "reload begins\r\n"
                        "web/0 worker is ready, generation 4\r\n"
                        "\\x1b/- died: \\x1b[2J\r\n"
                        "-\r\n"
                        "web/1 worker does not take the code, generation 4: a.lua:3: no\r\n");
    assert_int_equal(code, FSD_EXIT_OK);
}

static void the_reason_of_a_failure_stands_below_the_steps(void **state)
{
    char screen[1024];
    int code = run_on_terminal(
        *state, EVENTS("") NOTICE(BEGIN("1")) FAILURE EVENTS(STEP("2", "1", "refused")), screen,
        sizeof(screen));
    assert_string_equal(screen, "reload begins\r\n"
                                "web/1 worker is refused, generation 4\r\n"
                                "web/1: a.lua:3: no\r\n    at b.lua:4\r\n");
    assert_int_equal(code, FSD_EXIT_FAILED);
}

static int setup(void **state)
{
    static struct stand_in stand_in;
    stand_in_init(&stand_in);
    *state = &stand_in;
    return 0;
}

static int teardown(void **state)
{
    stand_in_fini(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_json_each_step_is_a_line_and_the_result_the_last_one),
        cmocka_unit_test(a_failure_is_the_last_line_and_said_to_people_as_well),
        cmocka_unit_test(on_a_pipe_there_is_nothing_but_the_result),
        cmocka_unit_test(on_a_terminal_each_step_of_a_worker_is_a_line),
        cmocka_unit_test(the_reason_of_a_failure_stands_below_the_steps),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
