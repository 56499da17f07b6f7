/* The commands of fsdctl from the command line to the request, and from the answer to the screen and the exit code. */
#include "ctl/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/proto.h"
#include "test/support/stand_in.h"

#define REQUEST(method, params)                                                                    \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":{" params "}}\n"
#define RESULT(fields) "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{" fields "}}\n"
#define ERROR(code, message)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":" code ",\"message\":\"" message "\"}}\n"
#define APPLIED(from, to, changes)                                                                 \
    RESULT("\"schema\":\"fsd.apply/1\",\"from\":" from ",\"to\":" to                               \
           ",\"hash\":\"ab\",\"changes\":[" changes "],\"elapsed_ms\":6400")
#define KEPT                                                                                       \
    RESULT("\"schema\":\"fsd.generations/1\",\"apps\":[{\"app\":\"shop\",\"generations\":["        \
           "{\"number\":3,\"sha256\":\"0123456789abcdef\",\"at\":1795343462000,\"running\":true,"  \
           "\"confirmed\":true,\"memory_bytes\":4096}]}]")
#define KEPT_TABLE                                                                                 \
    "APP   GEN  HASH          COMMITTED              MEMORY  STATE\n"                              \
    "shop    3  0123456789ab  2026-11-22 10:31:02Z  4.0 KiB  running, confirmed\n"
#define SCALED                                                                                     \
    "{\"action\":\"scale\",\"what\":\"pool web\",\"detail\":\"count 2 -> 4\"},"                    \
    "{\"action\":\"stop\",\"what\":\"pool jobs\",\"detail\":\"\"}"

struct dialog {
    const char *words;
    const char *request;
    const char *answer;
    int code;
    const char *out;
    const char *err;
};

static void expect_dialogs(struct stand_in *stand_in, const struct dialog *dialogs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char heard[STAND_IN_HEARD_MAX];
        char *out = NULL;
        char *err = NULL;
        stand_in_start(stand_in, dialogs[i].answer, false, false);
        int code = stand_in_run(stand_in, dialogs[i].words, &out, &err);
        stand_in_stop(stand_in, heard);
        assert_string_equal(heard, dialogs[i].request);
        assert_string_equal(err, dialogs[i].err);
        assert_string_equal(out, dialogs[i].out);
        assert_int_equal(code, dialogs[i].code);
        free(out);
        free(err);
    }
}
#define EXPECT(state, dialogs)                                                                     \
    expect_dialogs(*(state), dialogs, sizeof(dialogs) / sizeof(*(dialogs)))

static void each_command_asks_and_shows(void **state)
{
    static const struct dialog dialogs[] = {
        {"scale web 4", REQUEST("scale", "\"pool\":\"web\",\"count\":4"),
         APPLIED("17", "18", SCALED), FSD_EXIT_OK,
         "ACTION  WHAT       DETAIL\n"
         "scale   pool web   count 2 -> 4\n"
         "stop    pool jobs\n"
         "configuration 18 runs, in place of 17 (took 6.4s)\n",
         ""},
        {"scale web 3", REQUEST("scale", "\"pool\":\"web\",\"count\":3"),
         RESULT("\"schema\":\"fsd.apply/1\",\"from\":3,\"to\":3,\"changes\":[],\"note\":\"so many "
                "already\""),
         FSD_EXIT_OK, "nothing to change: configuration 3 runs\n", "so many already\n"},
        {"generations", REQUEST("generations", ""), KEPT, FSD_EXIT_OK, KEPT_TABLE, ""},
        {"generations shop", REQUEST("generations", "\"app\":\"shop\""), KEPT, FSD_EXIT_OK,
         KEPT_TABLE, ""},
        {"confirm shop", REQUEST("confirm", "\"app\":\"shop\""), KEPT, FSD_EXIT_OK, KEPT_TABLE, ""},
        {"rollback", REQUEST("rollback", ""),
         RESULT("\"schema\":\"fsd.reload/1\",\"restart\":false,\"apps\":[{\"app\":\"shop\","
                "\"from\":4,\"to\":5,\"origin\":3,\"workers\":2}]"),
         FSD_EXIT_OK, "shop  generation 4 -> 5 (the code of 3), 2 workers changed over\n", ""},
        {"rollback shop", REQUEST("rollback", "\"app\":\"shop\""),
         ERROR("-32000", "there is nothing to go back to"), FSD_EXIT_FAILED, "",
         "there is nothing to go back to\n"},
        {"wait --for=confirmed", REQUEST("wait", "\"for\":\"confirmed\""),
         ERROR("-32000", "generation 4 was taken back"), FSD_EXIT_FAILED, "",
         "generation 4 was taken back\n"},
        {"confirm chat", REQUEST("confirm", "\"app\":\"chat\""),
         ERROR("-32602", "there is no app \\\"chat\\\""), FSD_EXIT_FAILED, "",
         "there is no app \"chat\"\n"},
        {"config apply", REQUEST("config.apply", ""), APPLIED("18", "18", ""), FSD_EXIT_OK,
         "nothing to change: configuration 18 runs\n", ""},
        {"config rollback", REQUEST("config.rollback", ""), APPLIED("18", "19", ""), FSD_EXIT_OK,
         "configuration 19 runs, in place of 18 (took 6.4s)\n", ""},
        {"config rollback 16", REQUEST("config.rollback", "\"to\":16"), APPLIED("null", "19", ""),
         FSD_EXIT_OK, "configuration 19 runs (took 6.4s)\n", ""},
        {"config plan", REQUEST("config.plan", ""),
         RESULT("\"schema\":\"fsd.plan/1\",\"from\":1,\"changes\":[]"), FSD_EXIT_OK,
         "nothing to change\n", ""},
        {"config plan", REQUEST("config.plan", ""),
         RESULT("\"schema\":\"fsd.plan/1\",\"from\":1,\"changes\":[" SCALED "],\"dropped\":["
                "{\"pool\":\"web\",\"count\":3,\"configured\":2},"
                "{\"pool\":\"chat\",\"count\":1,\"configured\":\"auto\"},"
                "{\"pool\":\"jobs\",\"count\":4,\"configured\":4},{\"pool\":7},9]"),
         FSD_EXIT_OK,
         "ACTION  WHAT       DETAIL\n"
         "scale   pool web   count 2 -> 4\n"
         "stop    pool jobs\n"
         "pool web: count 3 was set by `fsdctl scale`; apply sets it back to 2\n"
         "pool chat: count 1 was set by `fsdctl scale`; apply sets it back to auto\n"
         "pool jobs: count 4 was set by `fsdctl scale`; the configuration says so, too, now\n",
         ""},
        {"restart web", REQUEST("restart", "\"pool\":\"web\""),
         RESULT("\"schema\":\"fsd.reload/1\",\"restart\":true,\"apps\":[{\"app\":\"shop\",\"from\":"
                "1,\"to\":1,\"workers\":2}]"),
         FSD_EXIT_OK, "shop  generation 1 -> 1, 2 workers replaced\n", ""},
        {"restart web", REQUEST("restart", "\"pool\":\"web\""),
         RESULT("\"schema\":\"fsd.reload/1\",\"restart\":true,\"apps\":[{\"app\":\"shop\",\"from\":"
                "1,\"to\":1,\"workers\":0,\"drained\":true}]"),
         FSD_EXIT_OK, "shop  generation 1 -> 1, drained: new workers come with `fsdctl resume`\n",
         ""},
        {"reload", REQUEST("reload", "\"restart\":false"),
         RESULT("\"schema\":\"fsd.reload/1\",\"restart\":true,\"from\":1,\"to\":2,\"apps\":[],"
                "\"changes\":[" SCALED "],\"note\":\"by the\\u001b way\""),
         FSD_EXIT_OK,
         "ACTION  WHAT       DETAIL\n"
         "scale   pool web   count 2 -> 4\n"
         "stop    pool jobs\n"
         "configuration 2 runs, in place of 1\n",
         "by the\\x1b way\n"},
        {"reload --no-wait --restart", REQUEST("reload", "\"restart\":true,\"wait\":false"),
         RESULT("\"schema\":\"fsd.reload/1\",\"accepted\":true"), FSD_EXIT_OK,
         "reload is accepted; `fsdctl events` shows what comes of it\n", ""},
        {"reload --no-wait --json", REQUEST("reload", "\"restart\":false,\"wait\":false"),
         RESULT("\"schema\":\"fsd.reload/1\",\"accepted\":true"), FSD_EXIT_OK,
         "{\"schema\":\"fsd.reload/1\",\"accepted\":true}\n", ""},
        {"drain", REQUEST("drain", ""), RESULT("\"drained\":true"), FSD_EXIT_OK,
         "drained: all workers have left; `fsdctl resume` starts them again\n", ""},
        {"resume", REQUEST("resume", ""), RESULT("\"resumed\":true"), FSD_EXIT_OK,
         "resumed: all pools serve\n", ""},
        {"wait --for=config=17", REQUEST("wait", "\"for\":\"config\",\"number\":17"),
         RESULT("\"schema\":\"fsd.wait/1\",\"for\":\"config\",\"waited_ms\":1200"), FSD_EXIT_OK,
         "config=17 after 1.2s\n", ""},
        {"logs reopen", REQUEST("logs.reopen", ""), RESULT("\"reopened\":true"), FSD_EXIT_OK,
         "the log goes to a new file now\n", ""},
        {"logs reopen", REQUEST("logs.reopen", ""), RESULT("\"reopened\":false"), FSD_EXIT_OK,
         "nothing to open: the log goes to no file\n", ""},
        {"upgrade", REQUEST("upgrade", ""),
         RESULT("\"schema\":\"fsd.upgrade/1\",\"from\":\"0.1.0\",\"to\":\"0.2.0\",\"pid\":7"),
         FSD_EXIT_OK, "fsd 0.1.0 -> 0.2.0, pid 7, workers untouched\n", ""},
        {"config check", REQUEST("config.check", ""),
         RESULT("\"schema\":\"fsd.config-check/1\",\"ok\":true,\"files\":2,\"problems\":[]"),
         FSD_EXIT_OK, "ok (2 files)\n", ""},
    };
    EXPECT(state, dialogs);
}

static void with_json_the_result_is_one_object_on_one_line(void **state)
{
    static const struct dialog dialogs[] = {
        {"scale web 4 --json", REQUEST("scale", "\"pool\":\"web\",\"count\":4"),
         APPLIED("1", "2", ""), FSD_EXIT_OK,
         "{\"schema\":\"fsd.apply/1\",\"from\":1,\"to\":2,\"hash\":\"ab\",\"changes\":[],"
         "\"elapsed_ms\":6400}\n",
         ""},
        {"drain --json", REQUEST("drain", ""), RESULT("\"drained\":true"), FSD_EXIT_OK,
         "{\"drained\":true}\n", ""},
        {"wait --for drained --json", REQUEST("wait", "\"for\":\"drained\""),
         RESULT("\"waited_ms\":0"), FSD_EXIT_OK, "{\"waited_ms\":0}\n", ""},
        {"config check --json", REQUEST("config.check", ""),
         RESULT("\"schema\":\"fsd.config-check/1\",\"ok\":false,\"problems\":[]"), FSD_EXIT_CONFIG,
         "{\"schema\":\"fsd.config-check/1\",\"ok\":false,\"problems\":[]}\n", ""},
        {"logs -n 0 --json", REQUEST("logs", "\"follow\":false,\"lines\":0"),
         RESULT("\"schema\":\"fsd.logs/1\",\"records\":[],\"lost\":0"), FSD_EXIT_OK,
         "{\"schema\":\"fsd.logs/1\",\"records\":[],\"lost\":0}\n", ""},
    };
    EXPECT(state, dialogs);
}

static void a_wrong_configuration_is_printed_as_it_came_and_exits_with_78(void **state)
{
    static const struct dialog dialogs[] = {
        {"config check", REQUEST("config.check", ""),
         RESULT("\"schema\":\"fsd.config-check/1\",\"ok\":false,\"files\":0,\"problems\":["
                "\"a.yaml:1:2: error: no\\n    1 | \\tx: 1\",\"      | \\t^\"]"),
         FSD_EXIT_CONFIG,
         "a.yaml:1:2: error: no\n"
         "    1 |     x: 1\n"
         "      |     ^\n",
         ""},
        {"config apply", REQUEST("config.apply", ""),
         ERROR("-32002", "a.yaml:1:2: error: no\\n    1 | x: \\u001b[2J\\n"), FSD_EXIT_CONFIG, "",
         "a.yaml:1:2: error: no\n    1 | x: \\x1b[2J\n"},
        {"config plan", REQUEST("config.plan", ""), ERROR("-32002", "no"), FSD_EXIT_CONFIG, "",
         "no\n"},
        {"reload", REQUEST("reload", "\"restart\":false"), ERROR("-32002", "no"), FSD_EXIT_CONFIG,
         "", "no\n"},
    };
    EXPECT(state, dialogs);
}

static void a_failure_is_its_reason_and_exit_code(void **state)
{
    static const struct dialog dialogs[] = {
        {"scale web 4", REQUEST("scale", "\"pool\":\"web\",\"count\":4"),
         ERROR("-32000", "web/1: no such file\\n\\tstack"), FSD_EXIT_FAILED, "",
         "web/1: no such file\n    stack\n"},
        {"upgrade", REQUEST("upgrade", ""), ERROR("-32601", "unknown method"), FSD_EXIT_UNAVAILABLE,
         "", "unknown method\n"},
        {"drain", REQUEST("drain", ""), ERROR("-32003", "not you"), FSD_EXIT_UNKNOWN, "",
         "not you\n"},
        {"drain --timeout 200ms", REQUEST("drain", ""), "", FSD_EXIT_TIMEOUT, "",
         "fsd did not answer within 0.2 s\nit goes on; `fsdctl events` shows what comes of it\n"},
        {"wait --for=confirmed --timeout=200ms", REQUEST("wait", "\"for\":\"confirmed\""), "",
         FSD_EXIT_TIMEOUT, "", "not confirmed after 0.2 s, and fsd does not answer\n"},
        {"wait --for=ready --timeout=200ms", REQUEST("wait", "\"for\":\"ready\""), "",
         FSD_EXIT_TIMEOUT, "", "not ready after 0.2 s, and fsd does not answer\n"},
        {"config show", REQUEST("config.show", "\"origin\":false"),
         RESULT("\"schema\":\"fsd.config/2\""), FSD_EXIT_UNAVAILABLE, "",
         "the answer is of kind \"fsd.config/2\", this fsdctl reads \"fsd.config/1\"\n"},
        {"config show", REQUEST("config.show", "\"origin\":false"),
         RESULT("\"schema\":\"fsd.config/1\",\"values\":7"), FSD_EXIT_UNAVAILABLE, "",
         "it is done, but the answer makes no sense to this fsdctl\n"},
        {"logs", REQUEST("logs", "\"follow\":false,\"lines\":100"), RESULT("\"records\":[]"),
         FSD_EXIT_UNAVAILABLE, "", "the answer makes no sense to this fsdctl\n"},
        {"events --since 7", REQUEST("events", "\"follow\":false,\"since_id\":7"),
         RESULT("\"schema\":\"fsd.events/1\",\"events\":[],\"lost\":3"), FSD_EXIT_OK, "",
         "3 earlier ones are no longer kept\n"},
    };
    EXPECT(state, dialogs);
}

static void a_wrong_command_line_asks_nobody(void **state)
{
    static const struct {
        const char *words;
        const char *err;
    } cases[] = {
        {"scale web", "fsdctl: \"scale\" needs COUNT\nsee \"fsdctl scale --help\"\n"},
        {"scale web 0", "fsdctl: a number of workers from 1 to 64 is needed, not \"0\"\n"},
        {"scale web 65", "fsdctl: a number of workers from 1 to 64 is needed, not \"65\"\n"},
        {"scale web many", "fsdctl: a number of workers from 1 to 64 is needed, not \"many\"\n"},
        {"wait", "fsdctl: say what to wait for: --for=ready, --for=confirmed, --for=drained or "
                 "--for=config=N\n"},
        {"wait --for=config=x", "fsdctl: say what to wait for: --for=ready, --for=confirmed, "
                                "--for=drained or --for=config=N\n"},
        {"wait --for=redy", "fsdctl: say what to wait for: --for=ready, --for=confirmed, "
                            "--for=drained or --for=config=N\n"},
        {"drain --timeout 5", "fsdctl: --timeout must be a time with its unit, as in 500ms, 10s or "
                              "2m, not \"5\"\n"},
        {"wait --for=ready --timeout x", "fsdctl: --timeout must be a time with its unit, as in "
                                         "500ms, 10s or 2m, not \"x\"\n"},
        {"config rollback 0", "fsdctl: the number of a configuration is needed, as `fsdctl config "
                              "history` shows it, not \"0\"\n"},
        {"logs --since 10", "fsdctl: --since must be a time with its unit, as in 30s, 10m or 2h, "
                            "not \"10\"\n"},
        {"logs -n some", "fsdctl: --lines must be a number, not \"some\"\n"},
        {"logs --level loud", "fsdctl: --level must be error, warning, notice, info or debug, not "
                              "\"loud\"\n"},
        {"events --since soon", "fsdctl: --since must be the number of an event, not \"soon\"\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *out = NULL;
        char *err = NULL;
        assert_int_equal(stand_in_run(*state, cases[i].words, &out, &err), FSD_EXIT_USAGE);
        assert_string_equal(err, cases[i].err);
        assert_string_equal(out, "");
        free(out);
        free(err);
    }
}

static void without_a_daemon_every_command_exits_with_3(void **state)
{
    static const char *const commands[] = {
        "status",
        "crashes",
        "crashes x",
        "events",
        "events -f",
        "logs",
        "logs -f web",
        "logs reopen",
        "reload",
        "restart web",
        "scale web 2",
        "drain",
        "resume",
        "config check",
        "config plan",
        "config apply",
        "config diff",
        "config rollback",
        "config show",
        "config history",
        "upgrade",
        "stop",
        "wait --for=ready --timeout=30ms",
    };
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        char *out = NULL;
        char *err = NULL;
        assert_int_equal(stand_in_run(*state, commands[i], &out, &err), FSD_EXIT_NOT_RUNNING);
        assert_non_null(strstr(err, "fsd is not running"));
        assert_string_equal(out, "");
        free(out);
        free(err);
    }
}

static void wait_waits_for_the_socket_too(void **state)
{
    struct stand_in *stand_in = *state;
    char heard[STAND_IN_HEARD_MAX];
    char *out = NULL;
    char *err = NULL;
    stand_in_start(stand_in, RESULT("\"waited_ms\":5"), false, true);
    assert_int_equal(stand_in_run(stand_in, "wait --for=ready", &out, &err), FSD_EXIT_OK);
    assert_string_equal(out, "ready after 0.0s\n");
    stand_in_stop(stand_in, heard);
    assert_string_equal(heard, REQUEST("wait", "\"for\":\"ready\""));
    free(out);
    free(err);
}

static void stop_returns_when_the_daemon_has_gone(void **state)
{
    struct stand_in *stand_in = *state;
    static const char *const words[] = {"stop", "stop --json"};
    static const char *const outs[] = {"fsd has stopped\n", "{\"stopped\":true}\n"};
    for (size_t i = 0; i < 2; i++) {
        char heard[STAND_IN_HEARD_MAX];
        char *out = NULL;
        char *err = NULL;
        stand_in_start(stand_in, RESULT("\"stopping\":true"), true, false);
        assert_int_equal(stand_in_run(stand_in, words[i], &out, &err), FSD_EXIT_OK);
        stand_in_stop(stand_in, heard);
        assert_string_equal(out, outs[i]);
        free(out);
        free(err);
    }
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
        TEST(each_command_asks_and_shows),
        TEST(with_json_the_result_is_one_object_on_one_line),
        TEST(a_wrong_configuration_is_printed_as_it_came_and_exits_with_78),
        TEST(a_failure_is_its_reason_and_exit_code),
        TEST(a_wrong_command_line_asks_nobody),
        TEST(without_a_daemon_every_command_exits_with_3),
        TEST(wait_waits_for_the_socket_too),
        TEST(stop_returns_when_the_daemon_has_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
