/* The names of crash reports. */
#include "daemon/crash/crash_id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define AT_US 1795343635123456ULL /* 2026-11-22 10:33:55 */

static void an_id_says_when_and_who(void **state)
{
    (void)state;
    static const struct {
        uint64_t at_us;
        const char *pool;
        unsigned slot;
        uint64_t incarnation;
        unsigned repeat;
        const char *id;
    } cases[] = {
        {AT_US, "web", 0, 17, 0, "20261122-103355-web-0-17"},
        {AT_US, "web", 3, 17, 2, "20261122-103355-web-3-17-2"},
        {AT_US, "My_Pool.x", 0, 1, 0, "20261122-103355-my-pool-x-0-1"},
        {AT_US, "../../etc/p", 0, 1, 0, "20261122-103355-------etc-p-0-1"},
        {0, "w", 0, 1, 0, "19700101-000000-w-0-1"},
        {UINT64_MAX, "w", 0, 1, 0, "99991231-235959-w-0-1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char id[CRASH_ID_MAX];
        crash_id_format(cases[i].at_us, cases[i].pool, cases[i].slot, cases[i].incarnation,
                        cases[i].repeat, id);
        assert_string_equal(id, cases[i].id);
        assert_true(crash_id_is_valid(id));
        assert_true(crash_id_is_of(id, cases[i].at_us));
        assert_false(crash_id_is_of(id, AT_US + 1000000));
    }
}

static void the_longest_id_is_valid(void **state)
{
    (void)state;
    char pool[80];
    memset(pool, 'p', sizeof(pool) - 1);
    pool[sizeof(pool) - 1] = '\0';
    char id[CRASH_ID_MAX];
    crash_id_format(AT_US, pool, CRASH_NO_SLOT - 1, UINT64_MAX, UINT32_MAX, id);
    assert_true(crash_id_is_valid(id));
    assert_non_null(strstr(id, "-4294967294-18446744073709551615-4294967295"));
}

static void nothing_else_is_an_id(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "web",
        "20261122-103355",
        "20261122-103355-w",
        "20261122-103355-/etc/passwd",
        "20261122-103355-..-0-17",
        "../../20261122-103355-web-0-17",
        "20261122-103355-web-0-17\n",
        "20261122-103355-Web-0-17",
        "20261122x103355-web-0-17",
        "20261122-103355xweb-0-17",
        "2026112a-103355-web-0-17",
        "20261122-103355-web-0-17.json",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(crash_id_is_valid(cases[i]));
    }
    char id[CRASH_ID_MAX + 8];
    memset(id, 'a', sizeof(id));
    memcpy(id, "20261122-103355-", 16);
    id[CRASH_ID_MAX] = '\0';
    assert_false(crash_id_is_valid(id));
    id[CRASH_ID_MAX - 1] = '\0';
    assert_true(crash_id_is_valid(id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_says_when_and_who),
        cmocka_unit_test(the_longest_id_is_valid),
        cmocka_unit_test(nothing_else_is_an_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
