#include "worker/toolbox/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void put_part(char *out, size_t size, const char *name, const struct url_text *part)
{
    size_t used = strlen(out);
    if (part->bytes != NULL) {
        (void)snprintf(out + used, size - used, "%s=%.*s ", name, (int)part->len, part->bytes);
    }
}

/* The parts as a text, or "bad N". */
static void describe(const char *text, char *out, size_t size)
{
    struct url url;
    size_t bad = 0;
    size_t len = strlen(text);
    char *exact = malloc(len + (len == 0)); /* so that a read behind the end is found */
    assert_non_null(exact);
    memcpy(exact, text, len);
    out[0] = '\0';
    if (!url_parse(exact, len, &url, &bad)) {
        (void)snprintf(out, size, "bad %zu", bad);
    } else {
        put_part(out, size, "scheme", &url.scheme);
        put_part(out, size, "user", &url.user);
        put_part(out, size, "host", &url.host);
        put_part(out, size, "port", &url.port);
        put_part(out, size, "path", &url.path);
        put_part(out, size, "query", &url.query);
        put_part(out, size, "fragment", &url.fragment);
    }
    free(exact);
}

static void urls_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *parts;
    } rows[] = {
        {"", "path= "},
        {"http://a", "scheme=http host=a path= "},
        {"HTTPS://u:p%40@h.x:8080/a/b?c=d&e#f?g",
         "scheme=HTTPS user=u:p%40 host=h.x port=8080 path=/a/b query=c=d&e fragment=f?g "},
        {"ldap://[2001:db8::7]/c=GB?one", "scheme=ldap host=[2001:db8::7] path=/c=GB query=one "},
        {"mailto:a@b.c", "scheme=mailto path=a@b.c "},
        {"file:///etc/x", "scheme=file host= path=/etc/x "},
        {"a+b-.1:x", "scheme=a+b-.1 path=x "},
        {"//h/p", "host=h path=/p "},
        {"/p?#", "path=/p query= fragment= "},
        {"a/b:c", "path=a/b:c "},
        {"?a?/b", "path= query=a?/b "},
        {"http://h:/", "scheme=http host=h port= path=/ "},
        {"http://@h", "scheme=http user= host=h path= "},
        {"http://[::ffff:1.2.3.4]:1", "scheme=http host=[::ffff:1.2.3.4] port=1 path= "},
        {"x:", "scheme=x path= "},
        {"%41b", "path=%41b "},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[256];
        describe(rows[i].text, out, sizeof(out));
        assert_string_equal(out, rows[i].parts);
    }
}

static void what_is_no_url_is_refused_where_it_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *parts;
    } rows[] = {
        {"a b", "bad 1"},
        {"http://h/a b", "bad 10"},
        {"http://h h/", "bad 8"},
        {"1a:b", "bad 2"},
        {":a", "bad 0"},
        {"a_b:c", "bad 3"},
        {"http://h:80a/", "bad 11"},
        {"http://h:123456/", "bad 14"},
        {"http://[::1/", "bad 7"},
        {"http://[]/", "bad 7"},
        {"http://[::1]x/", "bad 12"},
        {"http://a@b@c/", "bad 10"},
        {"/%4", "bad 1"},
        {"/%zz", "bad 1"},
        {"/%", "bad 1"},
        {"/a#b#c", "bad 4"},
        {"/\xc3\xa4", "bad 1"},
        {"/a\nb", "bad 2"},
        {"/a\\b", "bad 2"},
        {"/<", "bad 1"},
        {"/?a|b", "bad 3"},
        {"http://h\\@x/", "bad 8"},
        {"http://[:::::::::::::::::::::::::::::::::::::::::::::::::]/", "bad 7"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[256];
        describe(rows[i].text, out, sizeof(out));
        assert_string_equal(out, rows[i].parts);
    }
}

static void check_resolved(const char *base_text, const char *text, const char *expected)
{
    struct url base;
    struct url reference;
    size_t bad = 0;
    size_t room = strlen(base_text) + strlen(text) + 8;
    char *out = malloc(room + 1);
    assert_non_null(out);
    assert_true(url_parse(base_text, strlen(base_text), &base, &bad));
    assert_true(url_parse(text, strlen(text), &reference, &bad));
    size_t len = url_resolve(&base, &reference, out);
    assert_in_range(len, 0, room);
    out[len] = '\0';
    assert_string_equal(out, expected);
    free(out);
}

/* RFC 3986, 5.4. */
static void references_mean_what_the_rfc_says(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q#s"},
        {"g#s", "http://a/b/c/g#s"},
        {"g?y#s", "http://a/b/c/g?y#s"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y#s"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"g#s/./x", "http://a/b/c/g#s/./x"},
        {"g#s/../x", "http://a/b/c/g#s/../x"},
        {"http:g", "http:g"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_resolved("http://a/b/c/d;p?q", rows[i][0], rows[i][1]);
    }
}

static void other_bases_do_as_well(void **state)
{
    (void)state;
    check_resolved("http://u@a:1", "b", "http://u@a:1/b");
    check_resolved("a/b", "../c", "c");
    check_resolved("a", "../../c", "c");
    check_resolved("", "b?c", "b?c");
    check_resolved("mailto:x", "y", "mailto:y");
    check_resolved("x:/a", "/b/..//c", "x:/.//c");
    check_resolved("a", "./b:c", "./b:c");
    check_resolved("/a/b", "//h:2/../x", "//h:2/x");
    check_resolved("a/b/", "..", "a/");
}

static void texts_are_escaped_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum url_set set;
        const char *expected;
    } rows[] = {
        {"a b/\xc3\xa4?&=+~%41", URL_COMPONENT, "a%20b%2F%C3%A4%3F%26%3D%2B~%2541"},
        {"a b/\xc3\xa4?&=+~%41", URL_FORM, "a+b%2F%C3%A4%3F%26%3D%2B~%2541"},
        {"a b/\xc3\xa4?&=+~%41", URL_WHOLE, "a%20b/%C3%A4?&=+~%41"},
        {"", URL_COMPONENT, ""},
    };
    char out[256];
    char back[256];
    size_t len = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        out[url_encode(rows[i].text, strlen(rows[i].text), rows[i].set, out)] = '\0';
        assert_string_equal(out, rows[i].expected);
        if (rows[i].set != URL_WHOLE) {
            assert_true(url_decode(out, strlen(out), rows[i].set, back, &len));
            back[len] = '\0';
            assert_string_equal(back, rows[i].text);
        }
    }
    assert_true(url_decode("a+%2b%00", 8, URL_COMPONENT, back, &len));
    assert_int_equal(len, 4);
    assert_memory_equal(back, "a++\0", 4);
    static const char *const wrong[] = {"ab%", "ab%1", "ab%g0", "ab%0g"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(url_decode(wrong[i], strlen(wrong[i]), URL_FORM, back, &len));
        assert_int_equal(len, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(what_is_no_url_is_refused_where_it_is_wrong),
        cmocka_unit_test(references_mean_what_the_rfc_says),
        cmocka_unit_test(other_bases_do_as_well),
        cmocka_unit_test(texts_are_escaped_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
