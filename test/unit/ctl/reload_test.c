/* `fsdctl reload`: what its result looks like. */
#include "ctl/reload.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ctl/output.h"

#define RESULT(apps, restart)                                                                      \
    "{\"schema\":\"fsd.reload/1\",\"apps\":[" apps "],\"restart\":" restart "}"
#define APP(name, from, to, workers)                                                               \
    "{\"app\":\"" name "\",\"from\":" from ",\"to\":" to ",\"workers\":" workers "}"

static void each_result_is_one_line_an_app(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int result;
        const char *text;
    } cases[] = {
        {RESULT(APP("hello", "3", "4", "2"), "true"), 0,
         "hello  generation 3 -> 4, 2 workers replaced\n"},
        {RESULT(APP("a", "3", "4", "1") "," APP("b\\n", "1", "2", "0"), "true"), 0,
         "a  generation 3 -> 4, 1 worker replaced\nb\\x0a  generation 1 -> 2, 0 workers "
         "replaced\n"},
        {RESULT(APP("hello", "3", "4", "2"), "false"), 0,
         "hello  generation 3 -> 4, 2 workers changed over\n"},
        {RESULT(APP("hello", "null", "1", "2"), "true"), 0,
         "hello  generation 1, 2 workers replaced\n"},
        {RESULT("", "true"), 0, ""},
        {RESULT(APP("hello", "1", "null", "2"), "true"), -EPROTO, ""},
        {RESULT("7", "true"), -EPROTO, ""},
        {"null", -EPROTO, ""},
        {"{\"schema\":\"fsd.reload/1\",\"apps\":{}}", -EPROTO, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = NULL;
        size_t len = 0;
        json_error_t where;
        struct output output = {open_memstream(&text, &len), false, false};
        json_t *result = json_loads(cases[i].json, JSON_DECODE_ANY, &where);
        assert_non_null(result);
        assert_int_equal(reload_render(result, &output), cases[i].result);
        assert_int_equal(fclose(output.file), 0);
        assert_string_equal(text, cases[i].text);
        json_decref(result);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_result_is_one_line_an_app),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
