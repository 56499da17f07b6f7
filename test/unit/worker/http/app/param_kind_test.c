/* What a parameter of a path may be asked to be. */
#include "worker/http/app/param_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *text;
    bool fits;
};

static void check(enum param_kind kind, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (param_kind_fits(kind, rows[i].text, strlen(rows[i].text)) != rows[i].fits) {
            fail_msg("\"%s\" should %sfit", rows[i].text, rows[i].fits ? "" : "not ");
        }
    }
}

#define CHECK(kind, rows) check(kind, rows, sizeof(rows) / sizeof((rows)[0]))

static void kinds_have_names(void **state)
{
    (void)state;
    assert_int_equal(param_kind_find("integer"), PARAM_INTEGER);
    assert_int_equal(param_kind_find("number"), PARAM_NUMBER);
    assert_int_equal(param_kind_find("uuid"), PARAM_UUID);
    assert_int_equal(param_kind_find("slug"), PARAM_SLUG);
    assert_int_equal(param_kind_find("Integer"), PARAM_ANY);
    assert_int_equal(param_kind_find(""), PARAM_ANY);
    assert_string_equal(param_kind_name(PARAM_SLUG), "slug");
    assert_string_equal(param_kind_name(PARAM_ANY), "");
    assert_true(param_kind_fits(PARAM_ANY, "%%%", 3));
}

static void integers_have_64_bits(void **state)
{
    static const struct row rows[] = {
        {"0", true},
        {"-0", true},
        {"007", true},
        {"9223372036854775807", true},
        {"9223372036854775808", false},
        {"-9223372036854775808", true},
        {"-9223372036854775809", false},
        {"99999999999999999999", false},
        {"", false},
        {"-", false},
        {"+1", false},
        {"1.0", false},
        {" 1", false},
        {"1a", false},
        {"0x1", false},
        {"%31", false},
    };
    (void)state;
    CHECK(PARAM_INTEGER, rows);
}

static void numbers_are_decimal(void **state)
{
    static const struct row rows[] = {
        {"0", true},
        {"-1.5", true},
        {"1e6", true},
        {"1E-6", true},
        {"1.25e+10", true},
        {"", false},
        {"-", false},
        {".5", false},
        {"5.", false},
        {"1e", false},
        {"1e+", false},
        {"1.2.3", false},
        {"nan", false},
        {"inf", false},
        {"0x10", false},
        {"1e5x", false},
        {"1 ", false},
        {"1111111111111111111111111111111111111111111111111111111111111111", true},
        {"11111111111111111111111111111111111111111111111111111111111111111", false},
    };
    (void)state;
    CHECK(PARAM_NUMBER, rows);
}

static void uuids_have_36_characters(void **state)
{
    static const struct row rows[] = {
        {"0190a6f2-1234-7abc-8def-0123456789ab", true},
        {"0190A6F2-1234-7ABC-8DEF-0123456789AB", true},
        {"00000000-0000-0000-0000-000000000000", true},
        {"0190a6f2-1234-7abc-8def-0123456789a", false},
        {"0190a6f2-1234-7abc-8def-0123456789abc", false},
        {"0190a6f2_1234-7abc-8def-0123456789ab", false},
        {"0190a6f2-1234-7abc-8def-0123456789ag", false},
        {"0190a6f2-1234-7abc-8def-01234567-9ab", false},
        {"", false},
    };
    (void)state;
    CHECK(PARAM_UUID, rows);
}

static void slugs_are_letters_digits_and_dashes(void **state)
{
    static const struct row rows[] = {
        {"a", true},    {"Z", true},    {"a-Post_2", true}, {"-", true},     {"0", true},
        {"", false},    {"a.b", false}, {"a b", false},     {"a%20", false}, {"\xc3\xbc", false},
        {"a/b", false}, {"a@b", false}, {"[", false},       {"`", false},    {"{", false},
    };
    char text[256];
    (void)state;
    CHECK(PARAM_SLUG, rows);
    memset(text, 'x', sizeof(text));
    assert_true(param_kind_fits(PARAM_SLUG, text, 255));
    assert_false(param_kind_fits(PARAM_SLUG, text, 256));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_have_names),
        cmocka_unit_test(integers_have_64_bits),
        cmocka_unit_test(numbers_are_decimal),
        cmocka_unit_test(uuids_have_36_characters),
        cmocka_unit_test(slugs_are_letters_digits_and_dashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
