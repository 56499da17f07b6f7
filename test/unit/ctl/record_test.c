/* Records of the log and events as lines. */
#include "ctl/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ctl/output.h"

struct case_row {
    void (*print)(const json_t *record, const struct output *output);
    bool color;
    const char *json;
    const char *text;
};

#define TIME  "1795319663599"
#define SHOWN "2026-11-22T03:54:23.599Z"

static void each_record_is_a_line_and_its_blocks(void **state)
{
    (void)state;
    static const struct case_row cases[] = {
        {record_print, false,
         "{\"time\":" TIME ",\"level\":\"warning\",\"msg\":\"hello\",\"pool\":\"web\",\"slot\":0,"
         "\"pid\":42,\"number\":1,\"yes\":true,\"none\":null,\"ratio\":0.5,\"text\":\"a b\","
         "\"empty\":\"\",\"word\":\"w\",\"list\":[1,\"\\u001b\"]}",
         SHOWN " warning web/0[42] hello number=1 yes=true none=null ratio=0.5 text=\"a b\" "
               "empty=\"\" word=w list=[1,\"\\u001B\"]\n"},
        {record_print, false,
         "{\"time\":" TIME
         ",\"level\":\"info\",\"msg\":\"ready\",\"pid\":1,\"event\":\"worker.ready\","
         "\"event_id\":7}",
         SHOWN " info    fsd[1] ready event=worker.ready\n"},
        {record_print, false,
         "{\"time\":" TIME ",\"level\":\"error\",\"msg\":\"it failed\\nwhere:\\n\\there\",\"pool\":"
         "\"web\",\"pid\":42,\"id\":3,\"traceback\":\"a\\nb\"}",
         SHOWN " error   web/-[42] it failed id=3\n"
               "    where:\n"
               "        here\n"
               "    traceback: a\n"
               "    b\n"},
        {record_print, false,
         "{\"time\":" TIME ",\"level\":\"\\u001b[2J\",\"msg\":\"\\u001b]0;x\\u0007\",\"pool\":"
         "\"\\u009bx\",\"slot\":3,\"k\\u001b\":\"v\\u202e\"}",
         SHOWN " \\x1b[2J \\xc2\\x9bx/3 \\x1b]0;x\\x07 k\\x1b=v\\xe2\\x80\\xae\n"},
        {record_print, false, "{}", "- -       fsd -\n"},
        {record_print, false, "{\"time\":-1,\"msg\":7}", "- -       fsd -\n"},
        {record_print, true, "{\"level\":\"error\"}", "- \033[31merror\033[0m   fsd -\n"},
        {record_print_event, false,
         "{\"at\":" TIME ",\"level\":\"notice\",\"message\":\"worker is ready\",\"pool\":\"web\","
         "\"slot\":1,\"pid\":9,\"event\":\"worker.ready\",\"id\":12,\"boot_ms\":3}",
         SHOWN " notice  worker.ready       web/1[9] worker is ready id=12 boot_ms=3\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = NULL;
        size_t len = 0;
        json_error_t where;
        struct output output = {open_memstream(&text, &len), cases[i].color, false};
        json_t *record = json_loads(cases[i].json, 0, &where);
        if (record == NULL) {
            fail_msg("fixture: %s in %s", where.text, cases[i].json);
        }
        cases[i].print(record, &output);
        assert_int_equal(fclose(output.file), 0);
        assert_string_equal(text, cases[i].text);
        json_decref(record);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_record_is_a_line_and_its_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
