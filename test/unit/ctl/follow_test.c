/* `logs -f` and `events -f`: what was, what comes, and how it ends. */
#include "ctl/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "common/proto.h"
#include "test/support/stand_in.h"

#define RECORD(text) "{\"time\":0,\"level\":\"info\",\"msg\":\"" text "\"}"
#define LINE(text)   "1970-01-01T00:00:00.000Z info    fsd " text "\n"
#define EVENT(number)                                                                              \
    "{\"at\":0,\"level\":\"info\",\"message\":\"m\",\"event\":\"e\",\"id\":" number "}"
#define EVENT_LINE(number)                                                                         \
    "1970-01-01T00:00:00.000Z info    e                  fsd m id=" number "\n"
#define RESULT(fields) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{" fields "}}\n"
#define LOGS(records)  RESULT("\"schema\":\"fsd.logs/1\",\"records\":[" records "],\"lost\":0")
#define NOTICE(method, params)                                                                     \
    "{\"jsonrpc\":\"2.0\",\"method\":\"" method "\",\"params\":" params "}\n"
#define GONE "the end: fsd has stopped, or has cut this connection\n"

static void a_stream_shows_what_was_and_what_comes_until_the_daemon_goes(void **state)
{
    static const struct {
        const char *words;
        const char *answer;
        int code;
        const char *out;
        const char *err;
    } cases[] = {
        {"logs web", LOGS(RECORD("a") "," RECORD("b")), FSD_EXIT_OK, LINE("a") LINE("b"), ""},
        {"logs -f", LOGS(RECORD("a")) NOTICE("log", RECORD("b")) NOTICE("log", RECORD("c")),
         FSD_EXIT_UNAVAILABLE, LINE("a") LINE("b") LINE("c"), GONE},
        {"logs -f --json", LOGS(RECORD("a")) NOTICE("log", RECORD("b")), FSD_EXIT_UNAVAILABLE,
         RECORD("a") "\n" RECORD("b") "\n", GONE},
        {"logs -f", LOGS("") NOTICE("lost", "{\"records\":12}") NOTICE("lost", "{\"records\":1}"),
         FSD_EXIT_UNAVAILABLE, "",
         "... 12 records were dropped: reading too slowly\n"
         "... 1 record was dropped: reading too slowly\n" GONE},
        {"logs -f --json", LOGS("") NOTICE("lost", "{\"records\":12}"), FSD_EXIT_UNAVAILABLE,
         "{\"lost\":12}\n", GONE},
        {"logs -f",
         LOGS("") NOTICE("event", RECORD("x")) NOTICE("other", "7") RESULT("") NOTICE("log", "7"),
         FSD_EXIT_UNAVAILABLE, "- -       fsd -\n", GONE},
        {"logs -f", LOGS("") "what?\n", FSD_EXIT_UNAVAILABLE, "",
         "the answer of fsd is not JSON: '[' or '{' expected near 'what'\n"},
        {"events -f",
         RESULT("\"schema\":\"fsd.events/1\",\"events\":[" EVENT("1") "," EVENT("2") "," EVENT("3") "," EVENT("4") "," EVENT(
             "5") "," EVENT("6") "," EVENT("7") "," EVENT("8") "," EVENT("9") "," EVENT("10") "," EVENT("11") "],\"lost\":0")
             NOTICE("event", EVENT("12")),
         FSD_EXIT_UNAVAILABLE,
         EVENT_LINE("2") EVENT_LINE("3") EVENT_LINE("4") EVENT_LINE("5") EVENT_LINE("6")
             EVENT_LINE("7") EVENT_LINE("8") EVENT_LINE("9") EVENT_LINE("10") EVENT_LINE("11")
                 EVENT_LINE("12"),
         GONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char heard[STAND_IN_HEARD_MAX];
        char *out = NULL;
        char *err = NULL;
        stand_in_start(*state, cases[i].answer, true, false);
        int code = stand_in_run(*state, cases[i].words, &out, &err);
        stand_in_stop(*state, heard);
        assert_string_equal(out, cases[i].out);
        assert_string_equal(err, cases[i].err);
        assert_int_equal(code, cases[i].code);
        free(out);
        free(err);
    }
}

static void what_is_wanted_is_asked_of_the_daemon(void **state)
{
    static const struct {
        const char *words;
        const char *params;
    } cases[] = {
        {"logs", "{\"follow\":false,\"lines\":100}"},
        {"logs -f -n 5 --level error web",
         "{\"follow\":true,\"pool\":\"web\",\"lines\":5,\"level\":\"error\"}"},
        {"events", "{\"follow\":false}"},
        {"events -f --since 8", "{\"follow\":true,\"since_id\":8}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char heard[STAND_IN_HEARD_MAX];
        char *out = NULL;
        char *err = NULL;
        stand_in_start(*state, "", true, false);
        assert_int_equal(stand_in_run(*state, cases[i].words, &out, &err), FSD_EXIT_UNAVAILABLE);
        stand_in_stop(*state, heard);
        assert_non_null(strstr(heard, cases[i].params));
        free(out);
        free(err);
    }
}

static void logs_since_a_time_ask_for_all_of_them(void **state)
{
    char heard[STAND_IN_HEARD_MAX];
    char *out = NULL;
    char *err = NULL;
    static const uint64_t hour_ms = 3600000;
    uint64_t before_ms = (uint64_t)time(NULL) * 1000;
    stand_in_start(*state, "", true, false);
    assert_int_equal(stand_in_run(*state, "logs --since 1h", &out, &err), FSD_EXIT_UNAVAILABLE);
    stand_in_stop(*state, heard);
    const char *since = strstr(heard, "\"since_ms\":");
    assert_non_null(since);
    uint64_t since_ms = strtoull(since + strlen("\"since_ms\":"), NULL, 10);
    assert_in_range(since_ms, before_ms - hour_ms, before_ms + 60000);
    assert_null(strstr(heard, "lines"));
    free(out);
    free(err);
}

/* The command runs in a child, as in a terminal of its own. */
static void ctrl_c_ends_a_stream_with_success(void **state)
{
    char heard[STAND_IN_HEARD_MAX];
    char *const words[] = {(char[]){"fsdctl"}, (char[]){"logs"}, (char[]){"-f"}};
    char seen[256];
    int ends[2];
    int status = -1;
    struct stand_in *stand_in = *state;
    stand_in_start(stand_in, LOGS(RECORD("a")), false, false);
    assert_int_equal(setenv("FSD_SOCKET", stand_in->path, 1), 0);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(ends[0]);
        _exit(command_main(commands_get(), 3, words, fdopen(ends[1], "w"), stderr));
    }
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], seen, sizeof(seen)), strlen(LINE("a")));
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), FSD_EXIT_OK);
    (void)close(ends[0]);
    stand_in_stop(stand_in, heard);
}

static int set_up(void **state)
{
    struct stand_in *stand_in = malloc(sizeof(*stand_in));
    assert_non_null(stand_in);
    stand_in_init(stand_in);
    *state = stand_in;
    return 0;
}

static int tear_down(void **state)
{
    stand_in_fini(*state);
    free(*state);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_stream_shows_what_was_and_what_comes_until_the_daemon_goes),
        TEST(what_is_wanted_is_asked_of_the_daemon),
        TEST(logs_since_a_time_ask_for_all_of_them),
        TEST(ctrl_c_ends_a_stream_with_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
