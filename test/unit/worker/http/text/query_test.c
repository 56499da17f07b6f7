#include "worker/http/text/query.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Writes all pairs as [name=value] and returns what query_next said last. */
static int list_pairs(const char *text, size_t len, char *out, size_t out_size)
{
    char *exact = malloc(len + 1); /* so that a read behind the end is found */
    char *buf = malloc(len + 1);
    struct query query;
    struct query_text name;
    struct query_text value;
    size_t used = 0;
    assert_non_null(exact);
    assert_non_null(buf);
    memcpy(exact + 1, text, len);
    query_init(&query, exact + 1, len);
    int r = 0;
    out[0] = '\0';
    while ((r = query_next(&query, buf, &name, &value)) == 1) {
        int n = snprintf(out + used, out_size - used, "[%.*s=%.*s]", (int)name.len, name.bytes,
                         (int)value.len, value.bytes);
        assert_true(n > 0 && (size_t)n < out_size - used);
        used += (size_t)n;
    }
    free(buf);
    free(exact);
    return r;
}

static void pairs_are_decoded_as_forms_are(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *pairs;
    } cases[] = {
        {"", ""},
        {"a=1&b=2", "[a=1][b=2]"},
        {"a", "[a=]"},
        {"a=", "[a=]"},
        {"=1", "[=1]"},
        {"=", "[=]"},
        {"&", ""},
        {"&&a=1&&&b=2&", "[a=1][b=2]"},
        {"a=1=2==", "[a=1=2==]"},
        {"a=1&a=2", "[a=1][a=2]"},
        {"a+b=c+d", "[a b=c d]"},
        {"a%20b=c%2Bd", "[a b=c+d]"},
        {"a%26b%3Dc=1", "[a&b=c=1]"},
        {"%e2%82%AC=%E2%82%ac", "[\xe2\x82\xac=\xe2\x82\xac]"},
        {"a=%", "[a=%]"},
        {"a=%4", "[a=%4]"},
        {"a=%4&b=1", "[a=%4][b=1]"},
        {"a=%&41=1", "[a=%][41=1]"},
        {"a%=41", "[a%=41]"},
        {"a=%zz%41", "[a=%zzA]"},
        {"a=%4g%g4", "[a=%4g%g4]"},
        {"a=%%41", "[a=%A]"},
        {"a=%2541", "[a=%41]"},
        {"a;b=1;c", "[a;b=1;c]"},
        {"a[]=1&a[b]=2", "[a[]=1][a[b]=2]"},
        {"\xff=\xfe", "[\xff=\xfe]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char pairs[256];
        assert_int_equal(list_pairs(cases[i].text, strlen(cases[i].text), pairs, sizeof(pairs)), 0);
        assert_string_equal(pairs, cases[i].pairs);
    }
}

static void a_value_may_hold_any_byte(void **state)
{
    (void)state;
    static const char text[] = "n%00m=%00%ff\x01";
    char buf[sizeof(text)];
    struct query query;
    struct query_text name;
    struct query_text value;
    query_init(&query, text, sizeof(text) - 1);
    assert_int_equal(query_next(&query, buf, &name, &value), 1);
    assert_int_equal(name.len, 3);
    assert_memory_equal(name.bytes, "n\0m", 3);
    assert_int_equal(value.len, 3);
    assert_memory_equal(value.bytes, "\0\xff\x01", 3);
    assert_int_equal(query_next(&query, buf, &name, &value), 0);
    assert_int_equal(query_next(&query, buf, &name, &value), 0);
}

static void more_pairs_than_the_limit_are_refused(void **state)
{
    (void)state;
    char text[2 * QUERY_PAIRS_MAX + 2];
    for (size_t i = 0; i < QUERY_PAIRS_MAX + 1; i++) {
        text[2 * i] = 'a';
        text[2 * i + 1] = '&';
    }
    char buf[sizeof(text)];
    for (size_t extra = 0; extra <= 1; extra++) {
        struct query query;
        struct query_text name;
        struct query_text value;
        query_init(&query, text, 2 * (QUERY_PAIRS_MAX + extra));
        for (int i = 0; i < QUERY_PAIRS_MAX; i++) {
            assert_int_equal(query_next(&query, buf, &name, &value), 1);
        }
        assert_int_equal(query_next(&query, buf, &name, &value), extra == 0 ? 0 : -E2BIG);
    }
}

static void a_path_parameter_is_decoded_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *decoded; /* NULL: refused */
    } cases[] = {
        {"", ""},
        {"abc", "abc"},
        {"a+b", "a+b"},
        {"%41%42", "AB"},
        {"a%2Fb", "a/b"},
        {"%e2%82%ac", "\xe2\x82\xac"},
        {"%7f%01", "\x7f\x01"},
        {"%", NULL},
        {"%4", NULL},
        {"a%", NULL},
        {"a%4", NULL},
        {"%zz", NULL},
        {"%4z", NULL},
        {"%z4", NULL},
        {"%%41", NULL},
        {"%00", NULL},
        {"a%00b", NULL},
        {"%2541", "%41"},
        {"%ff", "\xff"},
        {"%-1", NULL},
        {"%+1", NULL},
        {"% 1", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[64];
        size_t len = 77;
        int r = query_percent_decode(cases[i].text, strlen(cases[i].text), out, &len);
        if (cases[i].decoded == NULL) {
            assert_int_equal(r, -EINVAL);
            assert_int_equal(len, 77);
        } else {
            assert_int_equal(r, 0);
            assert_int_equal(len, strlen(cases[i].decoded));
            assert_memory_equal(out, cases[i].decoded, len);
        }
    }
}

static void a_path_parameter_can_be_decoded_in_place_up_to_its_end(void **state)
{
    (void)state;
    char text[] = "a%20b%414";
    size_t len = 0;
    assert_int_equal(query_percent_decode(text, strlen(text) - 1, text, &len), 0);
    assert_int_equal(len, 4);
    assert_memory_equal(text, "a bA", 4);
    char cut[] = "a%20";
    assert_int_equal(query_percent_decode(cut, 3, cut, &len), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_decoded_as_forms_are),
        cmocka_unit_test(a_value_may_hold_any_byte),
        cmocka_unit_test(more_pairs_than_the_limit_are_refused),
        cmocka_unit_test(a_path_parameter_is_decoded_strictly),
        cmocka_unit_test(a_path_parameter_can_be_decoded_in_place_up_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
