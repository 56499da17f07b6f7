/* Secrets in the texts of reports. */
#include "daemon/crash/mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/crash/mask_key.h"

static void check(const struct mask *mask, const char *text, const char *expected)
{
    char copy[512];
    memset(copy, 'X', sizeof(copy));
    size_t len = mask_text(mask, text, strlen(text), copy, sizeof(copy));
    assert_string_equal(copy, expected);
    assert_int_equal(len, strlen(copy));
}

static void known_secrets_are_hidden_wherever_they_stand(void **state)
{
    (void)state;
    static const char *const secrets[] = {"hunter2", "hunter2-and-more", "two words", "a/b+c=d",
                                          "abc"};
    static const struct mask mask = {secrets, sizeof(secrets) / sizeof(secrets[0])};
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"", ""},
        {"nothing", "nothing"},
        {"hunter2", "***"},
        {"x hunter2 y", "x *** y"},
        {"xhunter2y", "x***y"},
        {"hunter2hunter2", "******"},
        {"hunter3", "hunter3"},
        {"hunter2-and-more!", "***!"}, /* the longest one */
        {"hunter2-and-less", "***-and-less"},
        {"/x/hunter%32/y", "/x/***/y"}, /* percent-encoded */
        {"/two%20words", "/***"},
        {"?q=a%2Fb%2bc%3dd&r", "?q=***&r"},
        {"%", "%"},
        {"%2", "%2"},
        {"%zz%2", "%zz%2"},
        {"it broke off in hunt", "it broke off in ***"}, /* the text was cut */
        {"it broke off in hun", "it broke off in hun"},  /* too little to tell */
        {"abc", "abc"},                                  /* a secret too short to look for */
        {"password=two words", "password=***"},
        {"password: two words", "password: ***"}, /* begins where one word would be hidden */
        {"password: xtwo words", "password: ***"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(&mask, cases[i].text, cases[i].expected);
    }
}

static void keys_tell_that_their_value_is_secret(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        /* queries */
        {"GET /x?token=abc&user=1", "GET /x?token=***&user=1"},
        {"/x?access_token=abc", "/x?access_token=***"},
        {"/x?a=1&api-key=abc#f", "/x?a=1&api-key=***"},
        {"/x?user=1&id=2", "/x?user=1&id=2"},
        /* fields of a log line, which have blanks in them */
        {"login user=bob password=a b c next=1", "login user=bob password=*** next=1"},
        {"db.password=x y\nnext line", "db.password=***\nnext line"},
        {"session.id=abc", "session.id=***"},
        {"PASSWD=abc", "PASSWD=***"},
        {"X_API_KEY=abc", "X_API_KEY=***"},
        {"passphrase=\"a b\" c=d", "passphrase=\"***\" c=d"},
        {"secret='a b' c=d", "secret='***' c=d"},
        {"secret=it's here x=1", "secret=*** x=1"},
        {"f(secret='x')", "f(secret='***')"},
        {"url=\"/x?token=abc\" status=500", "url=\"/x?token=***\" status=500"},
        /* words and headers */
        {"password: hunter2 is wrong", "password: *** is wrong"},
        {"Authorization: Bearer abc.def", "Authorization: ***"},
        {"authorization=Basic YWJj== x", "authorization=***"},
        {"Cookie: sid=abc; theme=dark\r\nHost: x", "Cookie: ***?\nHost: x"},
        {"set-cookie: a=b; Path=/", "set-cookie: ***"},
        {"\"cookie\": \"a=b; c=d\", \"x\": 1", "\"cookie\": \"***\", \"x\": 1"},
        /* JSON, Lua */
        {"{\"password\":\"a \\\" b\",\"n\":1}", "{\"password\":\"***\",\"n\":1}"},
        {"{\"apiKey\" : 12345 }", "{\"apiKey\" : *** }"},
        {"{\"secrets\":[\"a\",\"b c\"]}", "{\"secrets\":***"},
        {"{\"secrets\":{\"a\":1}}", "{\"secrets\":***"},
        {"{\\\"token\\\":\\\"abc\\\",\\\"n\\\":1}", "{\\\"token\\\":\\\"***\\\",\\\"n\\\":1}"},
        {"token = \"abc\"", "token = \"***\""},
        {"[\"token\"] = 'abc', n = 1", "[\"token\"] = '***', n = 1"},
        {"\"token\": \"never closed", "\"token\": \"***"},
        {"token=\"ends with \\", "token=\"***"},
        /* other words of the list */
        {"credentials=x", "credentials=***"},
        {"private_key=x", "private_key=***"},
        {"X-Amz-Signature=x&y=1", "X-Amz-Signature=***&y=1"},
        {"pwd=x", "pwd=***"},
        /* nothing to hide */
        {"token=", "token="},
        {"token", "token"},
        {"\"token", "\"token"},
        {"token == nil", "token == nil"},
        {"token::parse", "token::parse"},
        {"token is missing", "token is missing"},
        {"unexpected symbol near 'token'", "unexpected symbol near 'token'"},
        {"attempt to index a nil value (field 'session')",
         "attempt to index a nil value (field 'session')"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(NULL, cases[i].text, cases[i].expected);
    }
}

static void places_in_files_stay(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "/srv/private/session.lua:12: attempt to call a nil value",
        "token.lua:3: in function 'cookie.parse'",
        "[string \"session\"]:1: no",
        "fsd-worker(session_open+0x12)",
        "module 'app.session' not found",
        "in function <handlers/token.lua:12>",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(NULL, cases[i], cases[i]);
    }
}

static void tokens_of_http_are_hidden(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"sent Bearer abc.d-e_f~g+h/i= back", "sent Bearer *** back"},
        {"bearer  x", "bearer  ***"},
        {"Bearer", "Bearer"},
        {"Bearer ", "Bearer"},
        {"Bearer (none)", "Bearer (none)"},
        {"Basic dXNlcjpwYXNz.", "Basic ***"},
        {"basic authentication failed", "basic authentication failed"},
        {"Basic Authentication failed", "Basic Authentication failed"},
        {"Basics dXNlcjpwYXNz", "Basics dXNlcjpwYXNz"},
        {"bearing x", "bearing x"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(NULL, cases[i].text, cases[i].expected);
    }
}

static void passwords_in_urls_are_hidden(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"postgres://fsd:abc@db/x", "postgres://fsd:***@db/x"},
        {"redis://:abc@db:6379", "redis://:***@db:6379"},
        {"https://ghp_abc@github.com/x", "https://***@github.com/x"},
        {"amqp://a:b@c:d@host \"next\"", "amqp://a:***@host \"next\""},
        {"http://host:80/a@b", "http://host:80/a@b"},
        {"http://host/?m=a@b", "http://host/?m=a@b"},
        {"http://host#a@b", "http://host#a@b"},
        {"url='http://host' a@b", "url='http://host' a@b"},
        {"http://", "http://"},
        {"a:b", "a:b"},
        {"x:/", "x:/"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(NULL, cases[i].text, cases[i].expected);
    }
}

static void everything_else_is_made_harmless(void **state)
{
    (void)state;
    check(NULL, "\x1b[31mred\x07", "?[31mred?");
    check(NULL, "a\tb\xff\xe2\x80\xae c",
          "a b?? c"); /* not UTF-8; a mark that turns the direction */
    check(NULL, "gr\xc3\xbc\xc3\x9f\n\n ", "gr\xc3\xbc\xc3\x9f");
    char copy[32];
    assert_int_equal(mask_text(NULL, "a\0b", 3, copy, sizeof(copy)), 3);
    assert_string_equal(copy, "a?b");
    assert_int_equal(mask_text(NULL, "token=a\0b", 9, copy, sizeof(copy)), 9);
    assert_string_equal(copy, "token=***");
}

static void a_copy_is_never_longer_than_asked(void **state)
{
    (void)state;
    static const char text[] = "gr\xc3\xbc\xc3\x9f password=x y=\xe2\x82\xac";
    static const char whole[] = "gr\xc3\xbc\xc3\x9f password=*** y=\xe2\x82\xac";
    for (size_t size = 1; size <= sizeof(whole); size++) {
        char copy[sizeof(whole) + 1];
        memset(copy, 'X', sizeof(copy));
        size_t len = mask_text(NULL, text, sizeof(text) - 1, copy, size);
        assert_true(len < size);
        assert_int_equal(copy[len], '\0');
        assert_memory_equal(copy, whole, len);
        assert_int_equal(copy[size], 'X');
    }
}

static void a_long_key_is_judged_by_its_end(void **state)
{
    (void)state;
    char text[128];
    memset(text, 'k', 100);
    memcpy(text + 100, "_password=x", sizeof("_password=x"));
    struct mask_range range = mask_key_find(text, strlen(text), 0);
    assert_int_equal(range.from, 110);
    assert_int_equal(range.to, 111);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_secrets_are_hidden_wherever_they_stand),
        cmocka_unit_test(keys_tell_that_their_value_is_secret),
        cmocka_unit_test(places_in_files_stay),
        cmocka_unit_test(tokens_of_http_are_hidden),
        cmocka_unit_test(passwords_in_urls_are_hidden),
        cmocka_unit_test(everything_else_is_made_harmless),
        cmocka_unit_test(a_copy_is_never_longer_than_asked),
        cmocka_unit_test(a_long_key_is_judged_by_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
