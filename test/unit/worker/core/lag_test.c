#include "worker/core/lag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void turns_are_counted_by_powers_of_two(void **state)
{
    static const struct {
        uint64_t turn_ms;
        unsigned bucket;
    } rows[] = {{0, 0},         {1, 1},          {2, 2},     {3, 2},     {4, 3},
                {7, 3},         {8, 4},          {1023, 10}, {1024, 11}, {(1U << 22) - 1, 22},
                {1U << 22, 23}, {UINT64_MAX, 23}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct lag lag = {0};
        lag_add(&lag, rows[i].turn_ms);
        assert_int_equal(lag.counts[rows[i].bucket], 1);
        assert_int_equal(lag.total, 1);
        assert_int_equal(lag.max_ms, rows[i].turn_ms);
    }
}

static void
percentiles_are_rounded_up_to_the_end_of_a_bucket_and_no_further_than_the_longest(void **state)
{
    (void)state;
    struct lag lag = {0};
    assert_int_equal(lag_percentile_ms(&lag, 990), 0);
    for (int i = 0; i < 985; i++) {
        lag_add(&lag, 0);
    }
    for (int i = 0; i < 10; i++) {
        lag_add(&lag, 2);
    }
    for (int i = 0; i < 5; i++) {
        lag_add(&lag, 40);
    }
    assert_int_equal(lag_percentile_ms(&lag, 500), 1);
    assert_int_equal(lag_percentile_ms(&lag, 985), 1);
    assert_int_equal(lag_percentile_ms(&lag, 990), 4);
    assert_int_equal(lag_percentile_ms(&lag, 1000), 41); /* below 41 ms */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_are_counted_by_powers_of_two),
        cmocka_unit_test(
            percentiles_are_rounded_up_to_the_end_of_a_bucket_and_no_further_than_the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
