/* The count of kills in the kernel's texts. */
#include "daemon/crash/oom_parse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_count_is_read_from_both_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int result;
        uint64_t count;
    } cases[] = {
        {"low 0\nhigh 0\nmax 17\noom 3\noom_kill 2\noom_group_kill 0\n", 0, 2},
        {"oom_kill_disable 0\nunder_oom 0\noom_kill 5\n", 0, 5},
        {"oom_kill 18446744073709551615", 0, UINT64_MAX},
        {"oom_kill_disable 0\nunder_oom 0\n", -EINVAL, 0}, /* Linux before 4.13 */
        {"oom_kill\n", -EINVAL, 0},
        {"oom_kill x\n", -EINVAL, 0},
        {"oom_kill 111111111111111111111111111111\n", -EINVAL, 0},
        {"my_oom_kill 2\noom_kill_x 3\n\noom_kill 7", 0, 7},
        {"oom_kill \n7\n", -EINVAL, 0},
        {"", -EINVAL, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t count = 0;
        assert_int_equal(oom_parse_count(cases[i].text, &count), cases[i].result);
        assert_int_equal(count, cases[i].count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_count_is_read_from_both_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
