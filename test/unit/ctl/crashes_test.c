/* Crash reports as people read them. */
#include "ctl/crashes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/crash_render.h"
#include "ctl/output.h"

static int render_list(const json_t *result, const struct output *output)
{
    return crashes_render(result, 1795317957508, output);
}

static void expect(int (*render)(const json_t *, const struct output *), const char *json,
                   int result, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    json_error_t where;
    struct output output = {open_memstream(&text, &len), false, false};
    json_t *value = json_loads(json, JSON_DECODE_ANY, &where);
    if (value == NULL) {
        fail_msg("fixture: %s in %s", where.text, json);
    }
    assert_int_equal(render(value, &output), result);
    assert_int_equal(fclose(output.file), 0);
    assert_string_equal(text, expected);
    json_decref(value);
    free(text);
}

static void the_list_has_a_row_a_report_with_its_cause_last(void **state)
{
    (void)state;
    expect(render_list,
           "{\"folder\":\"/s\",\"crashes\":[{\"id\":\"20261122-032547-app-0-3\",\"at\":"
           "1795317947508,\"class\":\"signal\",\"running\":\"GET /orders/7\",\"cause\":\"killed by "
           "signal 11\"},{\"id\":\"x\",\"at\":null,\"class\":\"exit\",\"running\":null,\"cause\":"
           "\"exited\\u001b\"}]}",
           0,
           "ID                       AGO  CLASS   RUNNING        CAUSE\n"
           "20261122-032547-app-0-3  10s  signal  GET /orders/7  killed by signal 11\n"
           "x                          -  exit    -              exited\\x1b\n");
    expect(render_list, "{\"folder\":\"/s/crashes\",\"crashes\":[]}", 0,
           "no crash reports in /s/crashes\n");
    expect(render_list, "{\"crashes\":7}", -EPROTO, "");
}

static const char whole[] =
    "{\"schema\":\"fsd.crash/1\",\"id\":\"i\",\"at\":1795317947508,\"class\":\"signal\","
    "\"cause\":\"killed by signal 11 (Segmentation fault)\",\"detail\":\"more\\nwords\","
    "\"next\":\"the standby took its place\",\"exit_code\":null,\"signal\":11,"
    "\"signal_name\":\"SIGSEGV\",\"pool\":\"app\",\"slot\":0,\"pid\":31062,\"incarnation\":3,"
    "\"generation\":1,\"uptime_ms\":1543,\"state\":\"serving\",\"memory_bytes\":4194304,"
    "\"running\":{\"what\":\"GET /orders/7\",\"id\":\"3-a4\",\"since_ms\":1016,\"handler\":"
    "\"app.lua:14\"},"
    "\"fault\":{\"signal\":11,\"code\":1,\"meaning\":\"nothing is mapped at the address\","
    "\"address\":\"0x10\",\"sender_pid\":null,\"is_complete\":false},"
    "\"lua_stack\":\"app.lua:11: in function 'total'\\napp.lua:16: in function <app.lua:14>\","
    "\"c_backtrace\":[\"0x1 liblua\",\"0x2\",null],"
    "\"open_requests\":[{\"what\":\"GET /wait\",\"id\":\"3-a3\",\"handler\":\"app.lua:20\","
    "\"open_ms\":2500}],"
    "\"recent_requests\":[{\"what\":\"GET /\",\"id\":\"3-a2\",\"handler\":null,\"status\":200,"
    "\"duration_us\":1234}],"
    "\"log_lines\":[{\"at\":1795317946464,\"level\":\"info\",\"text\":\"greeted\"},"
    "{\"at\":1795317946496,\"level\":\"error\",\"text\":\"app.lua:3: no\\n\\tstack\\u001b\"}]}";

static void a_whole_report_tells_the_story_from_the_cause_on(void **state)
{
    (void)state;
    expect(crash_render, whole, 0,
           "app/0: killed by signal 11 (Segmentation fault)\n"
           "  2026-11-22 03:25:47Z, after 1.5s, serving, pid 31062, incarnation 3, generation 1, "
           "4.0 MiB\n"
           "  then: the standby took its place\n"
           "\n"
           "in its own words\n"
           "  more\n"
           "  words\n"
           "\n"
           "on the CPU when it died\n"
           "  GET /orders/7 for 1.0s, handler app.lua:14, request 3-a4\n"
           "\n"
           "fault\n"
           "  SIGSEGV: nothing is mapped at the address, address 0x10\n"
           "  (its handler did not come to an end: what follows may be cut)\n"
           "\n"
           "Lua stack, innermost first\n"
           "  app.lua:11: in function 'total'\n"
           "  app.lua:16: in function <app.lua:14>\n"
           "\n"
           "C stack, innermost first\n"
           "  0x1 liblua\n"
           "  0x2\n"
           "  -\n"
           "\n"
           "requests that it had not answered, newest first\n"
           "  GET /wait open for 2.5s, handler app.lua:20, request 3-a3\n"
           "\n"
           "requests that it had answered, newest first\n"
           "  200 GET / 1.2 ms, request 3-a2\n"
           "\n"
           "its last log lines\n"
           "  2026-11-22 03:25:46Z info    greeted\n"
           "  2026-11-22 03:25:46Z error   app.lua:3: no\n"
           "          stack\\x1b\n");
}

static void what_a_report_does_not_have_is_left_out(void **state)
{
    (void)state;
    expect(crash_render,
           "{\"cause\":\"exited with code 3\",\"detail\":\"exited with code 3\",\"pool\":\"web\","
           "\"slot\":1,\"pid\":9,\"running\":null,\"fault\":null,\"lua_stack\":null,"
           "\"c_backtrace\":null,\"open_requests\":[],\"recent_requests\":[],\"log_lines\":[]}",
           0, "web/1: exited with code 3\n  -, pid 9\n");
    expect(crash_render,
           "{\"cause\":\"c\",\"fault\":{\"meaning\":\"sent by a process\","
           "\"sender_pid\":30845,\"is_complete\":true},\"running\":{},"
           "\"log_lines\":[7],\"open_requests\":[null]}",
           0,
           "-: c\n  -\n\non the CPU when it died\n\n\nfault\n  -: sent by a process, pid 30845\n\n"
           "requests that it had not answered, newest first\n  -\n\n"
           "its last log lines\n  - -       -\n");
    expect(crash_render, "{}", -EPROTO, "");
    expect(crash_render, "[]", -EPROTO, "");
}

static void of_many_answered_requests_the_newest_are_shown(void **state)
{
    (void)state;
    char json[2048] = "{\"cause\":\"c\",\"recent_requests\":[";
    char expected[2048] = "-: c\n  -\n\nrequests that it had answered, newest first\n";
    size_t len = 0;
    for (int i = 0; i < 12; i++) {
        len = strlen(json);
        (void)snprintf(json + len, sizeof(json) - len, "%s{\"what\":\"GET /%d\"}", i > 0 ? "," : "",
                       i);
        len = strlen(expected);
        (void)snprintf(expected + len, sizeof(expected) - len, i < 10 ? "  GET /%d\n" : "", i);
    }
    len = strlen(json);
    (void)snprintf(json + len, sizeof(json) - len, "]}");
    len = strlen(expected);
    (void)snprintf(expected + len, sizeof(expected) - len, "  2 more with --json\n");
    expect(crash_render, json, 0, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_has_a_row_a_report_with_its_cause_last),
        cmocka_unit_test(a_whole_report_tells_the_story_from_the_cause_on),
        cmocka_unit_test(what_a_report_does_not_have_is_left_out),
        cmocka_unit_test(of_many_answered_requests_the_newest_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
