#include "worker/http/text/header_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_byte_is_judged_as_part_of_a_name(void **state)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    (void)state;
    for (int c = 0; c < 256; c++) {
        char name[] = {'x', (char)c};
        bool wanted = memchr(allowed, c, sizeof(allowed) - 1) != NULL;
        assert_int_equal(header_text_is_name(name, 2), wanted);
    }
    assert_false(header_text_is_name("", 0));
}

static void every_byte_is_judged_as_part_of_a_value(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char value[] = {'x', (char)c, 'y'};
        bool wanted = c == '\t' || (c >= 0x20 && c != 0x7f);
        assert_int_equal(header_text_is_value(value, 3), wanted);
    }
    assert_true(header_text_is_value("", 0));
}

/* Values are looked at eight bytes at a time. */
static void every_byte_is_judged_at_every_place_of_a_long_value(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool wanted = c == '\t' || (c >= 0x20 && c != 0x7f);
        for (size_t at = 0; at < 20; at++) {
            char value[20];
            memset(value, at % 2 == 0 ? 'x' : 0xff, sizeof(value));
            value[at] = (char)c;
            assert_int_equal(header_text_is_value(value, sizeof(value)), wanted);
        }
    }
}

static void what_may_not_be_sent_has_a_reason(void **state)
{
    (void)state;
    char name[HEADER_TEXT_NAME_MAX + 1];
    memset(name, 'x', sizeof(name));
    assert_null(header_text_fault(name, HEADER_TEXT_NAME_MAX, "v", 1));
    assert_string_equal(header_text_fault(name, sizeof(name), "v", 1),
                        "the name is too long, or has a character that a header name can't have");
    assert_string_equal(header_text_fault("a b", 3, "v", 1),
                        "the name is too long, or has a character that a header name can't have");
    assert_string_equal(header_text_fault("Server", 6, "v", 1), "fsd sets it itself");
    assert_string_equal(header_text_fault("x-a", 3, "a\nb", 3),
                        "the value has a line break or control character");
}

static void headers_of_the_framing_are_ours_in_any_case(void **state)
{
    static const char *const ours[] = {"connection", "Content-Length", "TRANSFER-ENCODING",
                                       "keep-alive", "upgrade",        "te",
                                       "trailer",    "Date",           "server"};
    static const char *const theirs[] = {"content-type", "connectio",       "connection2", "",
                                         "x-te",         "content-length-x"};
    (void)state;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        assert_true(header_text_is_ours(ours[i], strlen(ours[i])));
    }
    for (size_t i = 0; i < sizeof(theirs) / sizeof(theirs[0]); i++) {
        assert_false(header_text_is_ours(theirs[i], strlen(theirs[i])));
    }
}

static void short_names_stand_for_content_types(void **state)
{
    (void)state;
    assert_string_equal(header_text_find_type("json"), "application/json; charset=utf-8");
    assert_string_equal(header_text_find_type("html"), "text/html; charset=utf-8");
    assert_string_equal(header_text_find_type("bin"), "application/octet-stream");
    assert_string_equal(header_text_find_type("zip"), "application/zip");
    assert_string_equal(header_text_find_type("JPG"), "image/jpeg");
    assert_string_equal(header_text_find_type("form"), "application/x-www-form-urlencoded");
    assert_null(header_text_find_type("unknown"));
    assert_null(header_text_find_type(""));
    assert_null(header_text_find_type("text/html"));
}

static void statuses_have_reasons(void **state)
{
    static const struct {
        int status;
        const char *text;
    } rows[] = {
        {200, "OK"},
        {204, "No Content"},
        {304, "Not Modified"},
        {404, "Not Found"},
        {418, "I'm a Teapot"},
        {499, "Client Closed Request"},
        {503, "Service Unavailable"},
        {599, "Unknown"},
        {0, "Unknown"},
        {-1, "Unknown"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(header_text_reason(rows[i].status), rows[i].text);
    }
}

static void a_reason_can_stand_in_a_status_line(void **state)
{
    (void)state;
    for (int status = 100; status <= 999; status++) {
        const char *text = header_text_reason(status);
        assert_true(strlen(text) > 0 && strlen(text) < 64);
        assert_true(header_text_is_value(text, strlen(text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_judged_as_part_of_a_name),
        cmocka_unit_test(every_byte_is_judged_as_part_of_a_value),
        cmocka_unit_test(every_byte_is_judged_at_every_place_of_a_long_value),
        cmocka_unit_test(what_may_not_be_sent_has_a_reason),
        cmocka_unit_test(headers_of_the_framing_are_ours_in_any_case),
        cmocka_unit_test(short_names_stand_for_content_types),
        cmocka_unit_test(statuses_have_reasons),
        cmocka_unit_test(a_reason_can_stand_in_a_status_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
