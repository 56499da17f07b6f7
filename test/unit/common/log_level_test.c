#include "common/log_level.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_level_has_one_name_that_parses_back(void **state)
{
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};

    (void)state;
    for (int i = 0; i < 5; i++) {
        enum log_level expected = (enum log_level)(LOG_LEVEL_ERROR + i);
        enum log_level level = LOG_LEVEL_ERROR;
        assert_string_equal(log_level_format(expected), names[i]);
        assert_int_equal(log_level_parse(names[i], &level), 0);
        assert_int_equal(level, expected);
    }
}

static void warn_is_understood(void **state)
{
    enum log_level level = LOG_LEVEL_DEBUG;

    (void)state;
    assert_int_equal(log_level_parse("warn", &level), 0);
    assert_int_equal(level, LOG_LEVEL_WARNING);
}

static void other_words_leave_the_level_alone(void **state)
{
    static const char *const words[] = {"", "Error", "err", "4", "trace", "info ", "warnings"};
    enum log_level level = LOG_LEVEL_NOTICE;

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_int_equal(log_level_parse(words[i], &level), -EINVAL);
        assert_int_equal(level, LOG_LEVEL_NOTICE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_has_one_name_that_parses_back),
        cmocka_unit_test(warn_is_understood),
        cmocka_unit_test(other_words_leave_the_level_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
