#include "common/parse.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { UNTOUCHED = 4711 };

struct row {
    const char *text;
    int rc;
    uint64_t value;
};

typedef int (*parse_fn)(const char *text, uint64_t *ret_value);

static void check_rows(const struct row *rows, size_t count, parse_fn parse)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = UNTOUCHED;
        int rc = parse(rows[i].text, &value);
        uint64_t expected = rows[i].rc == 0 ? rows[i].value : UNTOUCHED;
        if (rc != rows[i].rc || value != expected) {
            print_error("\"%s\": %d %lu\n", rows[i].text, rc, (unsigned long)value);
        }
        assert_int_equal(rc, rows[i].rc);
        assert_int_equal(value, expected);
    }
}

#define CHECK_ROWS(rows, parse) check_rows(rows, sizeof(rows) / sizeof((rows)[0]), parse)

static void durations_need_a_unit_and_whole_milliseconds(void **state)
{
    static const struct row rows[] = {
        {"250ms", 0, 250},
        {"5s", 0, 5000},
        {"1.5s", 0, 1500},
        {"0.25m", 0, 15000},
        {"10m", 0, 600000},
        {"2h", 0, 7200000},
        {"1d", 0, 86400000},
        {"0s", 0, 0},
        {"007s", 0, 7000},
        {"1.0ms", 0, 1},
        {"0.000000001d", -EINVAL, 0},
        {"1.5ms", -EINVAL, 0},
        {"30", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {".5s", -EINVAL, 0},
        {"1.s", -EINVAL, 0},
        {"1.0000000001s", -EINVAL, 0},
        {"1 s", -EINVAL, 0},
        {" 1s", -EINVAL, 0},
        {"1s ", -EINVAL, 0},
        {"1S", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"+1s", -EINVAL, 0},
        {"1h30m", -EINVAL, 0},
        {"1sec", -EINVAL, 0},
        {"18446744073709551615ms", 0, UINT64_MAX},
        {"18446744073709551616ms", -ERANGE, 0},
        {"99999999999999999999d", -ERANGE, 0},
        {"99999999999999999999x", -EINVAL, 0},
        {"18446744073709551615s", -ERANGE, 0},
    };
    (void)state;
    CHECK_ROWS(rows, parse_duration_ms);
}

static void sizes_are_powers_of_1024(void **state)
{
    static const struct row rows[] = {
        {"512", 0, 512},
        {"0", 0, 0},
        {"64KiB", 0, 65536},
        {"64K", 0, 65536},
        {"10MiB", 0, 10485760},
        {"10M", 0, 10485760},
        {"1GiB", 0, 1073741824},
        {"1G", 0, 1073741824},
        {"1KB", -EINVAL, 0},
        {"1k", -EINVAL, 0},
        {"1.5M", -EINVAL, 0},
        {"K", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"17179869183G", 0, UINT64_C(17179869183) << 30},
        {"17179869184G", -ERANGE, 0},
    };
    (void)state;
    CHECK_ROWS(rows, parse_size_bytes);
}

static int parse_hexadecimal(const char *text, uint64_t *ret_value)
{
    return parse_digits(text, 16, UINT64_MAX, ret_value);
}

static int parse_octal_below_64(const char *text, uint64_t *ret_value)
{
    return parse_digits(text, 8, 63, ret_value);
}

static void digits_are_read_in_their_radix(void **state)
{
    static const struct row hexadecimal[] = {
        {"ff", 0, 255},    {"FF", 0, 255},   {"ffffffffffffffff", 0, UINT64_MAX},
        {"g", -EINVAL, 0}, {"", -EINVAL, 0}, {"10000000000000000", -ERANGE, 0},
    };
    static const struct row octal[] = {
        {"17", 0, 15}, {"77", 0, 63}, {"100", -ERANGE, 0}, {"8", -EINVAL, 0}, {"100x", -EINVAL, 0},
    };
    (void)state;
    CHECK_ROWS(hexadecimal, parse_hexadecimal);
    CHECK_ROWS(octal, parse_octal_below_64);
}

static void integers_are_decimal_and_within_their_range(void **state)
{
    static const struct {
        const char *text;
        int64_t min;
        int64_t max;
        int rc;
        int64_t value;
    } rows[] = {
        {"0", 0, 9, 0, 0},
        {"-0", 0, 9, 0, 0},
        {"007", 0, 9, 0, 7},
        {"9", 0, 9, 0, 9},
        {"10", 0, 9, -ERANGE, 0},
        {"-1", 0, 9, -ERANGE, 0},
        {"-5", -5, 9, 0, -5},
        {"", 0, 9, -EINVAL, 0},
        {"-", 0, 9, -EINVAL, 0},
        {"--1", -9, 9, -EINVAL, 0},
        {"+1", 0, 9, -EINVAL, 0},
        {" 1", 0, 9, -EINVAL, 0},
        {"1 ", 0, 9, -EINVAL, 0},
        {"1.0", 0, 9, -EINVAL, 0},
        {"0x1", 0, 9, -EINVAL, 0},
        {"9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX},
        {"9223372036854775808", INT64_MIN, INT64_MAX, -ERANGE, 0},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, -ERANGE, 0},
        {"99999999999999999999999999", INT64_MIN, INT64_MAX, -ERANGE, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t value = UNTOUCHED;
        assert_int_equal(parse_int(rows[i].text, rows[i].min, rows[i].max, &value), rows[i].rc);
        assert_int_equal(value, rows[i].rc == 0 ? rows[i].value : UNTOUCHED);
    }
}

static void floats_are_what_the_core_schema_of_yaml_says(void **state)
{
    static const struct {
        const char *text;
        int rc;
        double value;
    } rows[] = {
        {"1.5", 0, 1.5},     {"-2e10", 0, -2e10},   {".5", 0, 0.5},       {"5.", 0, 5.0},
        {"+1.0", 0, 1.0},    {"1E-3", 0, 0.001},    {".", -EINVAL, 0},    {"", -EINVAL, 0},
        {"e5", -EINVAL, 0},  {"1e", -EINVAL, 0},    {"1e+", -EINVAL, 0},  {"0x1p3", -EINVAL, 0},
        {"inf", -EINVAL, 0}, {"nan", -EINVAL, 0},   {"1.5x", -EINVAL, 0}, {" 1.5", -EINVAL, 0},
        {"1,5", -EINVAL, 0}, {"1e999", -ERANGE, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        double value = UNTOUCHED;
        double expected = rows[i].rc == 0 ? rows[i].value : UNTOUCHED;
        assert_int_equal(parse_float(rows[i].text, &value), rows[i].rc);
        assert_memory_equal(&value, &expected, sizeof(value));
    }
}

static void addresses_have_one_canonical_text(void **state)
{
    static const char *const rows[][2] = {
        {"127.0.0.1:8080", "127.0.0.1:8080"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"[::1]:80", "[::1]:80"},
        {"[0:0::1]:00080", "[::1]:80"},
        {":8080", "[::]:8080"},
        {"*:65535", "[::]:65535"},
        {"[::]:8080", "[::]:8080"},
        {"[::ffff:1.2.3.4]:1", "[::ffff:1.2.3.4]:1"},
        {"unix:/run/x.sock", "unix:/run/x.sock"},
        {"unix:/run/a:8080", "unix:/run/a:8080"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parse_address address;
        struct parse_address again;
        char text[PARSE_ADDRESS_TEXT_MAX];
        assert_int_equal(parse_address(rows[i][0], &address), 0);
        parse_address_format(&address, text);
        assert_string_equal(text, rows[i][1]);
        assert_int_equal(parse_address(text, &again), 0);
        assert_int_equal(address.len, again.len);
        assert_memory_equal(&address.storage, &again.storage, sizeof(address.storage));
    }
}

static void what_is_no_numeric_address_is_refused(void **state)
{
    static const struct row rows[] = {
        {"8080", -EINVAL, 0},
        {"", -EINVAL, 0},
        {":", -EINVAL, 0},
        {"localhost:80", -EINVAL, 0},
        {"1.2.3:80", -EINVAL, 0},
        {"1.2.3.4.5:80", -EINVAL, 0},
        {"::1:80", -EINVAL, 0},
        {"[::1:80", -EINVAL, 0},
        {"[::1]80", -EINVAL, 0},
        {"[1.2.3.4]:80", -EINVAL, 0},
        {"[fe80::1%eth0]:80", -EINVAL, 0},
        {"[]:80", -EINVAL, 0},
        {"[:80", -EINVAL, 0},
        {"127.0.0.1:", -EINVAL, 0},
        {"127.0.0.1:-1", -EINVAL, 0},
        {"127.0.0.1:80x", -EINVAL, 0},
        {"127.0.0.1:65536", -ERANGE, 0},
        {"127.0.0.1:99999999999999999999", -ERANGE, 0},
        {"nonsense:65536", -EINVAL, 0},
        {" 127.0.0.1:80", -EINVAL, 0},
        {"unix:", -EINVAL, 0},
        {"unix:run/x.sock", -EINVAL, 0},
        {"unix:@abstract", -EINVAL, 0},
        {"/run/x.sock", -EINVAL, 0},
        {"11111111111111111111111111111111111111111111111111111111111111111111111111:80", -EINVAL,
         0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct parse_address address = {.len = UNTOUCHED};
        assert_int_equal(parse_address(rows[i].text, &address), rows[i].rc);
        assert_int_equal(address.len, UNTOUCHED);
    }
}

static void a_path_that_a_socket_cannot_have_is_refused(void **state)
{
    char text[128] = "unix:/";
    struct parse_address address;

    (void)state;
    memset(text + 6, 'x', 106);
    assert_int_equal(parse_address(text, &address), 0);
    char printed[PARSE_ADDRESS_TEXT_MAX];
    parse_address_format(&address, printed);
    assert_string_equal(printed, text);
    memset(text + 6, 'x', 107);
    assert_int_equal(parse_address(text, &address), -ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_need_a_unit_and_whole_milliseconds),
        cmocka_unit_test(sizes_are_powers_of_1024),
        cmocka_unit_test(digits_are_read_in_their_radix),
        cmocka_unit_test(integers_are_decimal_and_within_their_range),
        cmocka_unit_test(floats_are_what_the_core_schema_of_yaml_says),
        cmocka_unit_test(addresses_have_one_canonical_text),
        cmocka_unit_test(what_is_no_numeric_address_is_refused),
        cmocka_unit_test(a_path_that_a_socket_cannot_have_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
