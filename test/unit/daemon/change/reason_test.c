/* Which worker it was, in the words of a failure. */
#include "daemon/change/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/log/log_record.h"

static void the_worker_stands_behind_the_first_line(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        unsigned slot;
        const char *text;
    } cases[] = {
        {"app.lua:3: no", 0, "app.lua:3: no (worker web/0)"},
        {"app.lua:3: no\nstack traceback:\n [C]: in ?", 12,
         "app.lua:3: no (worker web/12)\nstack traceback:\n [C]: in ?"},
        {"no", LOG_SLOT_NONE, "no (worker web/-)"},
        {"", 1, " (worker web/1)"},
        {"\nno", 1, " (worker web/1)\nno"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[128];
        reason_format(text, sizeof(text), cases[i].why, "web", cases[i].slot);
        assert_string_equal(text, cases[i].text);
    }
}

static void what_does_not_fit_is_cut(void **state)
{
    (void)state;
    char text[16];
    reason_format(text, sizeof(text), "app.lua:3: no", "web", 0);
    assert_string_equal(text, "app.lua:3: no (");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worker_stands_behind_the_first_line),
        cmocka_unit_test(what_does_not_fit_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
