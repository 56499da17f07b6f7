#include "worker/core/json/json_number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RANDOM_NUMBERS = 200000 };

static double parse_float(const char *text)
{
    struct json_number number = {.is_integer = true};
    const char *at = text;
    assert_int_equal(json_number_parse(&at, text + strlen(text), &number), 0);
    assert_int_equal(*at, '\0');
    assert_false(number.is_integer);
    return number.number;
}

/* xorshift64 with a fixed start: the same numbers in every run. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* A float of any bits, or one with few decimals, or a whole one. */
static double make_float(uint64_t *seed, int i)
{
    double value = 0;
    uint64_t bits = next_random(seed);
    if (i % 3 == 0) {
        memcpy(&value, &bits, sizeof(value));
        return isfinite(value) ? value : 1.5;
    }
    if (i % 3 == 1) {
        return (double)(bits % 100000000) / pow(10, (double)(bits >> 32 & 7));
    }
    return (double)(bits >> (bits & 63));
}

static size_t count_digits(const char *text)
{
    size_t digits = 0;
    size_t trailing_zeros = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text >= '0' && *text <= '9' && (digits > 0 || *text != '0')) {
            digits++;
            trailing_zeros = *text == '0' ? trailing_zeros + 1 : 0;
        }
    }
    return digits - trailing_zeros;
}

static void floats_come_back_equal_and_no_shorter_text_would(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252;
    for (int i = 0; i < RANDOM_NUMBERS; i++) {
        double value = make_float(&seed, i);
        char text[JSON_NUMBER_TEXT_MAX + 1];
        char shortest[64];
        size_t len = json_number_format_float(value, text);
        text[len] = '\0';
        double again = parse_float(text);
        assert_memory_equal(&again, &value, sizeof(value));
        for (int digits = 1; digits <= 17; digits++) {
            (void)snprintf(shortest, sizeof(shortest), "%.*e", digits - 1, value);
            if (strtod(shortest, NULL) == value) {
                break;
            }
        }
        if (count_digits(text) > count_digits(shortest)) {
            fail_msg("%s is longer than %s", text, shortest);
        }
    }
}

static void floats_are_parsed_as_strtod_does(void **state)
{
    (void)state;
    uint64_t seed = 362436069;
    for (int i = 0; i < RANDOM_NUMBERS; i++) {
        char text[64];
        uint64_t bits = next_random(&seed);
        unsigned digits = (unsigned)(bits % 20);
        int exponent = (int)(bits >> 32 & 63) - 32;
        (void)snprintf(text, sizeof(text), "%llu.%0*llue%d",
                       (unsigned long long)(next_random(&seed) >> (bits & 63)), (int)digits,
                       (unsigned long long)(bits >> 40), exponent);
        double expected = strtod(text, NULL);
        double value = parse_float(text);
        assert_memory_equal(&value, &expected, sizeof(value));
    }
}

static void integers_are_written_and_read_to_the_last(void **state)
{
    (void)state;
    static const int64_t cases[] = {0,  1,   -1,  9,         10,        99,           100,
                                    -9, -10, -99, INT64_MAX, INT64_MIN, INT64_MAX - 1};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[JSON_NUMBER_TEXT_MAX];
        char expected[JSON_NUMBER_TEXT_MAX];
        struct json_number number;
        size_t len = json_number_format_integer(cases[i], text);
        int expected_len = snprintf(expected, sizeof(expected), "%lld", (long long)cases[i]);
        assert_int_equal(len, expected_len);
        assert_memory_equal(text, expected, len);
        const char *at = text;
        assert_int_equal(json_number_parse(&at, text + len, &number), 0);
        assert_true(number.is_integer && number.integer == cases[i]);
    }
}

static void a_number_ends_where_its_grammar_ends(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int r;
        size_t len;
    } cases[] = {
        {"1,", 0, 1},        {"1.5]", 0, 3},      {"1e5}", 0, 3},      {"12 3", 0, 2},
        {"1-", 0, 1},        {"01", -EINVAL, 1},  {"-", -EINVAL, 1},   {"1.", -EINVAL, 2},
        {"1.x", -EINVAL, 2}, {"1ex", -EINVAL, 2}, {"1e+", -EINVAL, 3}, {"1e999", -ERANGE, 5},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json_number number = {.integer = 77};
        const char *at = cases[i].text;
        int r = json_number_parse(&at, cases[i].text + strlen(cases[i].text), &number);
        assert_int_equal(r, cases[i].r);
        assert_int_equal(at - cases[i].text, cases[i].len);
        assert_true(r == 0 || number.integer == 77);
    }
}

static void the_locale_changes_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "ps_AF"};
    const char *name = NULL;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && name == NULL; i++) {
        name = setlocale(LC_NUMERIC, names[i]);
    }
    if (name == NULL) {
        skip(); /* no locale with another decimal point is installed */
    }
    char text[JSON_NUMBER_TEXT_MAX + 1];
    assert_string_not_equal(localeconv()->decimal_point, ".");
    text[json_number_format_float(1.0 / 3, text)] = '\0';
    assert_string_equal(text, "0.3333333333333333");
    assert_true(parse_float("0.33333333333333331483") == 1.0 / 3);
    (void)setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_come_back_equal_and_no_shorter_text_would),
        cmocka_unit_test(floats_are_parsed_as_strtod_does),
        cmocka_unit_test(integers_are_written_and_read_to_the_last),
        cmocka_unit_test(a_number_ends_where_its_grammar_ends),
        cmocka_unit_test(the_locale_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
