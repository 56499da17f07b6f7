/* What `fsdctl config show|diff|history` print. */
#include "ctl/config_render.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ctl/output.h"

struct case_row {
    int (*render)(const json_t *result, const struct output *output);
    const char *json;
    int result;
    const char *text;
};

static void each_result_is_a_table_or_a_sentence(void **state)
{
    (void)state;
    static const struct case_row cases[] = {
        {config_render_values,
         "{\"values\":[{\"key\":\"pools.web.count\",\"value\":\"4\",\"origin\":\"override\"},"
         "{\"key\":\"a\\u001b\"},7]}",
         0,
         "KEY              VALUE\n"
         "pools.web.count  4\n"
         "a\\x1b            -\n"
         "-                -\n"},
        {config_render_origins,
         "{\"values\":[{\"key\":\"a\",\"value\":\"4\",\"origin\":\"override\"},"
         "{\"key\":\"b\",\"value\":\"\",\"origin\":\"/etc/fsd/fsd.yaml:12:5\"}]}",
         0,
         "KEY  VALUE  ORIGIN\n"
         "a    4      override\n"
         "b           /etc/fsd/fsd.yaml:12:5\n"},
        {config_render_values, "{\"values\":{}}", -EPROTO, ""},
        {config_render_diff,
         "{\"differences\":[{\"key\":\"a\",\"running\":\"1\",\"disk\":null},"
         "{\"key\":\"b\",\"running\":null,\"disk\":\"2\"}]}",
         0,
         "KEY  RUNNING  DISK\n"
         "a    1        -\n"
         "b    -        2\n"},
        {config_render_diff, "{\"differences\":[]}", 0, "no difference: the disk says what runs\n"},
        {config_render_diff, "{}", -EPROTO, ""},
        {config_render_history,
         "{\"running\":18,\"entries\":["
         "{\"number\":18,\"at\":1795343462000,\"hash\":\"9f\",\"how\":\"apply\",\"files\":3},"
         "{\"number\":9,\"at\":1795343462999,\"hash\":\"1b\",\"how\":\"start\",\"files\":12},{}]}",
         0,
         "NUMBER  APPLIED               HOW    FILES  HASH\n"
         "    18  2026-11-22 10:31:02Z  apply      3  9f    running\n"
         "     9  2026-11-22 10:31:02Z  start     12  1b\n"
         "     -  -                     -          0  -\n"},
        {config_render_history, "{\"entries\":null}", -EPROTO, ""},
        {config_render_plan, "{\"changes\":{}}", -EPROTO, ""},
        {config_render_check, "{\"ok\":true,\"files\":1,\"problems\":[\"a warning\"]}", 0,
         "a warning\nok (1 file)\n"},
        {config_render_check, "{\"ok\":false,\"problems\":[7]}", 0, "-\n"},
        {config_render_check, "{\"ok\":false}", -EPROTO, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = NULL;
        size_t len = 0;
        json_error_t where;
        struct output output = {open_memstream(&text, &len), false, false};
        json_t *result = json_loads(cases[i].json, 0, &where);
        assert_non_null(result);
        assert_int_equal(cases[i].render(result, &output), cases[i].result);
        assert_int_equal(fclose(output.file), 0);
        assert_string_equal(text, cases[i].text);
        json_decref(result);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_result_is_a_table_or_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
