#include "worker/toolbox/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void bytes_go_both_ways(void **state)
{
    (void)state;
    char text[8];
    uint8_t bytes[4];
    hex_encode((const uint8_t *)"\x00\x7f\xab\xff", 4, text);
    assert_memory_equal(text, "007fabff", 8);
    assert_int_equal(hex_decode("007faBFf", 8, bytes), 8);
    assert_memory_equal(bytes, "\x00\x7f\xab\xff", 4);
}

static void what_is_no_pair_of_digits_ends_it(void **state)
{
    (void)state;
    static const char *const wrong[] = {"00g0", "000g", "00 1", "00/0", "00:0", "00@a", "00`a"};
    uint8_t bytes[4];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(hex_decode(wrong[i], 4, bytes), 2);
    }
    assert_int_equal(hex_decode("001", 3, bytes), 2);
    assert_int_equal(hex_decode("", 0, bytes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways),
        cmocka_unit_test(what_is_no_pair_of_digits_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
