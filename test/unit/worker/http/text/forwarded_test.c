#include "worker/http/text/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add_parameter(char *out, size_t size, const char *name,
                          const struct parameter *parameter)
{
    char value[256];
    if (parameter->name.len > 0) {
        size_t len = parameters_copy_value(parameter, value);
        size_t used = strlen(out);
        (void)snprintf(out + used, size - used, ";%s=%.*s", name, (int)len, value);
    }
}

/* Writes hops as "address;proto=...;host=...|...", nearest first; "?" without an address. */
static void list_hops(const struct forwarded *forwarded, char *out, size_t size)
{
    out[0] = '\0';
    for (unsigned i = 0; i < forwarded->count; i++) {
        const struct forwarded_hop *hop = &forwarded->hops[i];
        char text[ADDRESS_TEXT_MAX] = "?";
        if (hop->has_address) {
            address_format(&hop->address, text);
        }
        size_t used = strlen(out);
        (void)snprintf(out + used, size - used, "%s%s", i > 0 ? "|" : "", text);
        add_parameter(out, size, "proto", &hop->proto);
        add_parameter(out, size, "host", &hop->host);
    }
}

static void check(void (*parse)(struct forwarded *, const char *, size_t), const char *text,
                  const char *expected)
{
    size_t len = strlen(text);
    char *exact = malloc(len + 1); /* so that a read behind the end is found */
    struct forwarded forwarded;
    char hops[1024];
    assert_non_null(exact);
    memcpy(exact + 1, text, len);
    parse(&forwarded, exact + 1, len);
    list_hops(&forwarded, hops, sizeof(hops));
    assert_string_equal(hops, expected);
    free(exact);
}

static void a_list_is_read_from_the_right(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"1.2.3.4", "1.2.3.4"},
        {"1.2.3.4, 5.6.7.8,9.9.9.9", "9.9.9.9|5.6.7.8|1.2.3.4"},
        {" 1.2.3.4\t,, ,5.6.7.8 ", "5.6.7.8|1.2.3.4"},
        {"1.2.3.4:80, [::1]:443, ::2, [::3]", "::3|::2|::1|1.2.3.4"},
        {"unknown, 1.2.3.4", "1.2.3.4|?"},
        {"<script>, 1.2.3.4, [::1, [::1]x, 1.2.3.4:5:6", "?|?|?|1.2.3.4|?"},
        {",", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(forwarded_parse_list, cases[i][0], cases[i][1]);
    }
}

static void what_each_proxy_said_is_read_from_the_right(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"for=192.0.2.43", "192.0.2.43"},
        {"For=192.0.2.43;PROTO=https;by=203.0.113.43;host=a.example",
         "192.0.2.43;proto=https;host=a.example"},
        {"for=192.0.2.43, for=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17|192.0.2.43"},
        {"for=\"192.0.2.43:80\";host=\"a.example:8080\"", "192.0.2.43;host=a.example:8080"},
        {"for=_secret, for=unknown;proto=http", "?;proto=http|?"},
        {"for=1.1.1.1 ; proto=http\t, , for=2.2.2.2", "2.2.2.2|1.1.1.1;proto=http"},
        {"for=\"1.1.1\\.1\"", "1.1.1.1"},
        {"for=1.1.1.1;", "1.1.1.1"},
        {";for=1.1.1.1;; ;proto=http;", "1.1.1.1;proto=http"},
        {",for=1.1.1.1,", "1.1.1.1"},
        {"for=", "?"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(forwarded_parse, cases[i][0], cases[i][1]);
    }
}

static void a_header_that_is_not_well_made_says_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "for",
        "=1.1.1.1",
        "for =1.1.1.1",
        "for= 1.1.1.1 x",
        "for=1.1.1.1;x",
        "for=\"1.1.1.1",
        "for=\"1.1.1.1\\",
        "for=\"1.1.1.1\"x",
        "for=1.1.1.1\"",
        "for=1.1.1.1, x",
        /* a client leaves a quote open, to swallow what the proxy appends */
        "for=6.6.6.6;x=\", for=\"[2001:db8::1]\"",
        "for=6.6.6.6;y\"=1;x=\", for=\"[2001:db8::1]\"",
        "for=6.6.6.6;x=\"\\, for=\"[2001:db8::1]\";proto=http",
        "for=6.6.6.6;x=\", for=1.1.1.1",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(forwarded_parse, cases[i], "");
    }
}

static void only_the_nearest_hops_are_read(void **state)
{
    (void)state;
    char list[64 * 16] = "";
    char forwarded_list[64 * 16] = "";
    struct forwarded forwarded;
    for (int i = 0; i < FORWARDED_HOPS_MAX + 8; i++) {
        (void)snprintf(list + strlen(list), sizeof(list) - strlen(list), "10.0.0.%d,", i);
        (void)snprintf(forwarded_list + strlen(forwarded_list),
                       sizeof(forwarded_list) - strlen(forwarded_list), "for=10.0.0.%d,", i);
    }
    forwarded_parse_list(&forwarded, list, strlen(list));
    assert_int_equal(forwarded.count, FORWARDED_HOPS_MAX);
    assert_int_equal(forwarded.hops[0].address.bytes[15], FORWARDED_HOPS_MAX + 7);
    assert_int_equal(forwarded.hops[FORWARDED_HOPS_MAX - 1].address.bytes[15], 8);
    forwarded_parse(&forwarded, forwarded_list, strlen(forwarded_list));
    assert_int_equal(forwarded.count, FORWARDED_HOPS_MAX);
    assert_int_equal(forwarded.hops[0].address.bytes[15], FORWARDED_HOPS_MAX + 7);
    assert_int_equal(forwarded.hops[FORWARDED_HOPS_MAX - 1].address.bytes[15], 8);
}

static const char *find_proto(const char *text)
{
    const char *proto = forwarded_find_proto(text, strlen(text));
    return proto != NULL ? proto : "-";
}

static void a_protocol_is_http_or_https(void **state)
{
    (void)state;
    assert_string_equal(find_proto("https"), "https");
    assert_string_equal(find_proto(" HTTP , https"), "http");
    assert_string_equal(find_proto(""), "-");
    assert_string_equal(find_proto(",https"), "-");
    assert_string_equal(find_proto("ftp"), "-");
    assert_string_equal(find_proto("httpx"), "-");
    assert_string_equal(find_proto("javascript:alert(1)"), "-");
}

static const char *find_host(const char *text, char host[FORWARDED_HOST_MAX])
{
    size_t len = forwarded_find_host(text, strlen(text), host);
    if (len == 0) {
        return "-";
    }
    assert_int_equal(len, strlen(host));
    return host;
}

static void a_host_has_only_bytes_that_hosts_have(void **state)
{
    (void)state;
    char host[FORWARDED_HOST_MAX];
    char long_host[FORWARDED_HOST_MAX + 1];
    assert_string_equal(find_host("Example.com:8080", host), "Example.com:8080");
    assert_string_equal(find_host("[::1]:80 , b", host), "[::1]:80");
    assert_string_equal(find_host("a_b-c.d", host), "a_b-c.d");
    assert_string_equal(find_host("", host), "-");
    assert_string_equal(find_host("a/b", host), "-");
    assert_string_equal(find_host("a b", host), "-");
    assert_string_equal(find_host("a\"b", host), "-");
    assert_string_equal(find_host("user@a", host), "-");
    assert_int_equal(forwarded_find_host("a\0b", 3, host), 0);
    memset(long_host, 'a', sizeof(long_host));
    long_host[FORWARDED_HOST_MAX] = '\0';
    assert_string_equal(find_host(long_host, host), "-");
    assert_string_equal(find_host(long_host + 1, host), long_host + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_read_from_the_right),
        cmocka_unit_test(what_each_proxy_said_is_read_from_the_right),
        cmocka_unit_test(a_header_that_is_not_well_made_says_nothing),
        cmocka_unit_test(only_the_nearest_hops_are_read),
        cmocka_unit_test(a_protocol_is_http_or_https),
        cmocka_unit_test(a_host_has_only_bytes_that_hosts_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
