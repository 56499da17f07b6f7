#include "worker/http/text/cookie_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct parameter_text text_of(const char *text)
{
    return (struct parameter_text){.bytes = text, .len = strlen(text)};
}

/* Writes all pairs as [name=value]. */
static void list_pairs(const char *text, char *out, size_t size)
{
    size_t len = strlen(text);
    char *exact = malloc(len + 1); /* so that a read behind the end is found */
    struct cookie_text cookies;
    struct parameter_text name;
    struct parameter_text value;
    size_t used = 0;
    assert_non_null(exact);
    memcpy(exact + 1, text, len);
    cookie_text_init(&cookies, exact + 1, len);
    out[0] = '\0';
    while (cookie_text_next(&cookies, &name, &value)) {
        int n = snprintf(out + used, size - used, "[%.*s=%.*s]", (int)name.len, name.bytes,
                         (int)value.len, value.bytes);
        assert_true(n > 0 && (size_t)n < size - used);
        used += (size_t)n;
    }
    free(exact);
}

static void pairs_are_read_as_the_package_cookie_does(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"=", ""},
        {"a", ""},
        {"a=1", "[a=1]"},
        {"a=1; b=2", "[a=1][b=2]"},
        {"a=1;b=2;", "[a=1][b=2]"},
        {" a\t= 1 ;\tb =\t2 ", "[a=1][b=2]"},
        {"a=", "[a=]"},
        {"a=;b=1", "[a=][b=1]"},
        {"=x", "[=x]"},
        {"a=b=c==", "[a=b=c==]"},
        {"a; b=1; c", "[b=1]"},
        {";;;a=1;;", "[a=1]"},
        {"a=\"b c\"", "[a=b c]"},
        {"a=\"", "[a=]"},
        {"a=\"\"", "[a=]"},
        {"a=\"b", "[a=\"b]"},
        {"a=b\"", "[a=b\"]"},
        {"a=1; a=2", "[a=1][a=2]"},
        {"$Version=1; a=%20", "[$Version=1][a=%20]"},
        {"a=\x01\xff", "[a=\x01\xff]"},
        {"a=1, b=2", "[a=1, b=2]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char pairs[256];
        list_pairs(cases[i][0], pairs, sizeof(pairs));
        assert_string_equal(pairs, cases[i][1]);
    }
}

static void a_flood_ends_after_200_pairs(void **state)
{
    (void)state;
    char text[8 * COOKIE_TEXT_PAIRS_MAX];
    struct cookie_text cookies;
    struct parameter_text name;
    struct parameter_text value;
    unsigned count = 0;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = "a=;"[i % 3];
    }
    cookie_text_init(&cookies, text, sizeof(text));
    while (cookie_text_next(&cookies, &name, &value)) {
        count++;
    }
    assert_int_equal(count, COOKIE_TEXT_PAIRS_MAX);
}

static void escapes_are_decoded_as_decodeuricomponent_does(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"abc", "abc"},
        {"a%20b+c", "a b+c"},
        {"%41%7a", "Az"},
        {"%c3%A4", "\xc3\xa4"},
        {"%E2%82%AC%F0%9F%98%80", "\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xff%41", "\xff"
                    "A"},
        {"%f4%8f%bf%bf", "\xf4\x8f\xbf\xbf"},
        {"%ed%9f%bf", "\xed\x9f\xbf"},
        /* bad ones stay as they are */
        {"%41%", "%41%"},
        {"%4", "%4"},
        {"%zz", "%zz"},
        {"%41%c3", "%41%c3"},
        {"%c3\xa4", "%c3\xa4"},
        {"%c3%41", "%c3%41"},
        {"%c3%zz", "%c3%zz"},
        {"%80", "%80"},
        {"%c0%80", "%c0%80"},
        {"%e0%80%80", "%e0%80%80"},
        {"%ed%a0%80", "%ed%a0%80"},
        {"%f0%80%80%80", "%f0%80%80%80"},
        {"%f4%90%80%80", "%f4%90%80%80"},
        {"%f5%80%80%80", "%f5%80%80%80"},
        {"%e2%82x", "%e2%82x"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[64];
        size_t len = cookie_text_decode(cases[i][0], strlen(cases[i][0]), out);
        assert_int_equal(len, strlen(cases[i][1]));
        assert_memory_equal(out, cases[i][1], len);
    }
    char out[8];
    assert_int_equal(cookie_text_decode("%00", 3, out), 1);
    assert_int_equal(out[0], 0);
}

static void what_is_encoded_is_decoded_to_the_same(void **state)
{
    (void)state;
    char out[64];
    size_t len = cookie_text_encode("aZ9-_.!~*'()\0 ;,\"\\\xc3\xa4", 20, out);
    assert_int_equal(len, 12 + 3 * 8);
    assert_memory_equal(out, "aZ9-_.!~*'()%00%20%3B%2C%22%5C%C3%A4", len);
    char back[64];
    assert_int_equal(cookie_text_decode(out, len, back), 20);
    assert_memory_equal(back, "aZ9-_.!~*'()\0 ;,\"\\\xc3\xa4", 20);
}

static void check_format(const struct cookie_text_set *set, const char *expected)
{
    char out[COOKIE_TEXT_MAX];
    assert_null(cookie_text_find_fault(set));
    size_t len = cookie_text_format(set, out);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(out, expected, len);
}

static void attributes_are_written_in_the_order_of_the_package_cookie(void **state)
{
    (void)state;
    struct cookie_text_set set = {.name = text_of("a"), .value = text_of("")};
    check_format(&set, "a=");
    set = (struct cookie_text_set){
        .name = text_of("a"),
        .value = text_of("b"),
        .domain = text_of("example.com"),
        .path = text_of("/x"),
        .has_max_age = true,
        .max_age_s = -1,
        .expires = text_of("Thu, 01 Jan 1970 00:00:00 GMT"),
        .is_http_only = true,
        .is_secure = true,
        .is_partitioned = true,
        .same_site = COOKIE_TEXT_SAME_SITE_NONE,
        .priority = COOKIE_TEXT_PRIORITY_HIGH,
    };
    check_format(&set, "a=b; Max-Age=-1; Domain=example.com; Path=/x; Expires=Thu, 01 Jan 1970 "
                       "00:00:00 GMT; HttpOnly; Secure; Partitioned; Priority=High; SameSite=None");
    set = (struct cookie_text_set){.name = text_of("__Host-a"),
                                   .value = text_of("\"b\""),
                                   .path = text_of("/"),
                                   .is_secure = true,
                                   .same_site = COOKIE_TEXT_SAME_SITE_LAX,
                                   .priority = COOKIE_TEXT_PRIORITY_LOW};
    check_format(&set, "__Host-a=\"b\"; Path=/; Secure; Priority=Low; SameSite=Lax");
    set = (struct cookie_text_set){.name = text_of("__Secure-a"),
                                   .value = text_of("b"),
                                   .domain = text_of(".a-b.c"),
                                   .is_secure = true,
                                   .same_site = COOKIE_TEXT_SAME_SITE_STRICT,
                                   .priority = COOKIE_TEXT_PRIORITY_MEDIUM};
    check_format(&set, "__Secure-a=b; Domain=.a-b.c; Secure; Priority=Medium; SameSite=Strict");
}

static void a_cookie_that_is_too_long_is_not_written(void **state)
{
    (void)state;
    char value[COOKIE_TEXT_MAX];
    char out[COOKIE_TEXT_MAX];
    memset(value, 'v', sizeof(value));
    struct cookie_text_set set = {.name = text_of("a"),
                                  .value = {.bytes = value, .len = COOKIE_TEXT_MAX - 2}};
    assert_int_equal(cookie_text_format(&set, out), COOKIE_TEXT_MAX);
    set.value.len++;
    assert_int_equal(cookie_text_format(&set, out), 0);
}

static void check_fault(const struct cookie_text_set *set, const char *word)
{
    const char *fault = cookie_text_find_fault(set);
    assert_non_null(fault);
    assert_non_null(strstr(fault, word));
}

static void check_fault_of(const char *name, const char *value, const char *domain,
                           const char *path, const char *word)
{
    struct cookie_text_set set = {.name = text_of(name),
                                  .value = text_of(value),
                                  .domain = text_of(domain),
                                  .path = text_of(path)};
    check_fault(&set, word);
}

static void nothing_can_be_smuggled_into_a_cookie(void **state)
{
    (void)state;
    static const char *const names[] = {"", "a b", "a;b", "a=b", "a\r\nb", "\xe4", "a,b", "a\"b"};
    static const char *const values[] = {"a b", "a;b",       "a,b",   "a\\b",     "a\"b",    "\"a",
                                         "\"",  "a\r\nX: 1", "a\x7f", "\xc3\xa4", "\"a\"b\""};
    static const char *const domains[] = {".",
                                          "..a",
                                          "a..b",
                                          "a.",
                                          "-a",
                                          "a-",
                                          "a_b",
                                          "a;b",
                                          "a b",
                                          "a\n",
                                          "[::1]",
                                          "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffff"
                                          "ffffgggg"};
    static const char *const paths[] = {"/;b", "/\n", "/\x7f", "/\xe4", "/<", "/\x01"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        check_fault_of(names[i], "v", "", "/", "name");
    }
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        check_fault_of("a", values[i], "", "/", "value");
    }
    for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
        check_fault_of("a", "v", domains[i], "/", "domain");
    }
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        check_fault_of("a", "v", "", paths[i], "path");
    }
    struct cookie_text_set set = {
        .name = text_of("a"), .value = {.bytes = "a\0b", .len = 3}, .path = text_of("/")};
    check_fault(&set, "value");
    set = (struct cookie_text_set){
        .name = text_of("a"), .value = text_of("b"), .expires = text_of("now; x=1")};
    check_fault(&set, "expires");
}

static void prefixes_that_browsers_know_are_kept_to(void **state)
{
    (void)state;
    check_fault_of("__Secure-a", "v", "", "/", "secure");
    check_fault_of("__Host-a", "v", "", "/", "secure");
    struct cookie_text_set set = {.name = text_of("__host-a"),
                                  .value = text_of("v"),
                                  .path = text_of("/x"),
                                  .is_secure = true};
    check_fault(&set, "__Host-");
    set.path = text_of("/");
    set.domain = text_of("a.b");
    check_fault(&set, "__Host-");
    set.domain = text_of("");
    assert_null(cookie_text_find_fault(&set));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_read_as_the_package_cookie_does),
        cmocka_unit_test(a_flood_ends_after_200_pairs),
        cmocka_unit_test(escapes_are_decoded_as_decodeuricomponent_does),
        cmocka_unit_test(what_is_encoded_is_decoded_to_the_same),
        cmocka_unit_test(attributes_are_written_in_the_order_of_the_package_cookie),
        cmocka_unit_test(a_cookie_that_is_too_long_is_not_written),
        cmocka_unit_test(nothing_can_be_smuggled_into_a_cookie),
        cmocka_unit_test(prefixes_that_browsers_know_are_kept_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
