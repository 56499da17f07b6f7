/* The numbers on the command line of a program that takes over. */
#include "daemon/upgrade/upgrade_passage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void three_numbers_are_the_way_there(void **state)
{
    (void)state;
    struct upgrade_passage passage;
    assert_int_equal(upgrade_passage_parse("3:44:555", true, &passage), 0);
    assert_int_equal(passage.state, 3);
    assert_int_equal(passage.back, 44);
    assert_int_equal(passage.note, 555);
}

static void two_numbers_are_the_way_back_from_which_there_is_none(void **state)
{
    (void)state;
    struct upgrade_passage passage;
    assert_int_equal(upgrade_passage_parse("3:44", false, &passage), 0);
    assert_int_equal(passage.state, 3);
    assert_int_equal(passage.back, -1);
    assert_int_equal(passage.note, 44);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "3",
        "3:4",
        "3:4:",
        "3:4:5:",
        "3:4:5:6",
        ":4:5",
        "3::5",
        "2:4:5",
        "0:4:5",
        "-3:4:5",
        "+3:4:5",
        " 3:4:5",
        "3:4:5 ",
        "3:4:x",
        "3,4,5",
        "0x3:4:5",
        "3:4:999999999",
        "3:4:99999999999999999999999999999999999999999",
    };
    struct upgrade_passage passage;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(upgrade_passage_parse(texts[i], true, &passage), -EINVAL);
    }
    assert_int_equal(upgrade_passage_parse("3:4:5", false, &passage), -EINVAL);
}

static void a_program_that_is_not_there_is_an_error_and_nothing_else(void **state)
{
    (void)state;
    struct upgrade_passage passage = {3, 4, 5};
    assert_int_equal(upgrade_passage_go("/nonexistent/fsd", &passage), -ENOENT);
    passage.back = 999;
    assert_int_equal(upgrade_passage_return(&passage), -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_numbers_are_the_way_there),
        cmocka_unit_test(two_numbers_are_the_way_back_from_which_there_is_none),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(a_program_that_is_not_there_is_an_error_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
