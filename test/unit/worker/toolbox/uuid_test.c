#include "worker/toolbox/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void version_and_variant_stand_where_they_have_to(void **state)
{
    (void)state;
    uint8_t bytes[UUID_BYTES];
    char text[UUID_TEXT_LEN];
    memset(bytes, 0xff, sizeof(bytes));
    uuid_make_v4(bytes);
    uuid_format(bytes, text);
    assert_memory_equal(text, "ffffffff-ffff-4fff-bfff-ffffffffffff", sizeof(text));
    struct uuid_order order = {0};
    memset(bytes, 0, sizeof(bytes));
    uuid_make_v7(&order, 0x0123456789abULL, bytes);
    uuid_format(bytes, text);
    assert_memory_equal(text, "01234567-89ab-7000-8000-000000000000", sizeof(text));
}

static void those_of_version_7_rise_whatever_the_clock_does(void **state)
{
    (void)state;
    static const uint64_t clock[] = {5000, 5000, 5001, 4000, 0, 5001, 6000};
    struct uuid_order order = {0};
    uint8_t before[UUID_BYTES] = {0};
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t bytes[UUID_BYTES];
        memset(bytes, (int)(i * 37 % 256), sizeof(bytes));
        uuid_make_v7(&order, clock[i * 7 / 20000], bytes);
        assert_true(memcmp(before, bytes, sizeof(bytes)) < 0);
        memcpy(before, bytes, sizeof(bytes));
    }
}

static void only_the_form_with_hyphens_is_read(void **state)
{
    (void)state;
    static const char good[] = "01234567-89AB-7cde-8fab-0123456789ab";
    uint8_t bytes[UUID_BYTES];
    char text[UUID_TEXT_LEN + 2];
    assert_true(uuid_parse(good, UUID_TEXT_LEN, bytes));
    assert_memory_equal(bytes, "\x01\x23\x45\x67\x89\xab\x7c\xde\x8f\xab\x01\x23\x45\x67\x89\xab",
                        16);
    assert_false(uuid_parse(good, UUID_TEXT_LEN - 1, bytes));
    for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
        memcpy(text, good, sizeof(good));
        text[i] = good[i] == '-' ? '0' : '-';
        assert_false(uuid_parse(text, UUID_TEXT_LEN, bytes));
        text[i] = 'g';
        assert_false(uuid_parse(text, UUID_TEXT_LEN, bytes));
    }
    assert_false(uuid_parse("{1234567-89ab-7cde-8fab-0123456789ab}", 37, bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_and_variant_stand_where_they_have_to),
        cmocka_unit_test(those_of_version_7_rise_whatever_the_clock_does),
        cmocka_unit_test(only_the_form_with_hyphens_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
