/* Which characters are refused on a terminal. */
#include "common/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void controls_separators_and_direction_marks_are_unsafe(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0x00,   0x07,   0x0a,   0x1b,   0x1f,   0x7f,
                                   0x80,   0x9f,   0x061c, 0x200e, 0x200f, 0x2028,
                                   0x2029, 0x202a, 0x202e, 0x2066, 0x2069};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_true(terminal_is_unsafe(bad[i]));
    }
}

static void what_people_write_is_safe(void **state)
{
    (void)state;
    static const uint32_t good[] = {' ',    'a',    '~',    0xa0,   0xe4,   0x061b, 0x061d,
                                    0x200d, 0x2010, 0x2027, 0x202f, 0x2065, 0x206a, 0x1f600};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_false(terminal_is_unsafe(good[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_separators_and_direction_marks_are_unsafe),
        cmocka_unit_test(what_people_write_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
