/* How a process ended, in words. */
#include "daemon/proc/cause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_end_has_its_words(void **state)
{
    (void)state;
    static const struct {
        struct cause cause;
        bool asked;
        const char *words;
    } cases[] = {
        {{false, 3}, false, "exited with code 3"},
        {{false, 3}, true, "exited with code 3"},
        {{false, 0}, false, "exited with code 0 without being asked to"},
        {{false, 0}, true, "exited with code 0"},
        {{true, 11}, false, "killed by signal 11 (Segmentation fault)"},
        {{true, 9}, true, "killed by signal 9 (Killed)"},
        {{true, 500}, false, "killed by signal 500 (unknown)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[CAUSE_TEXT_MAX];
        cause_format(&cases[i].cause, cases[i].asked, text);
        assert_string_equal(text, cases[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_has_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
