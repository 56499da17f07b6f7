/* access_format_test.c - templates of the access log. */
#include "common/access_format.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"

static struct access_format format;

static void expect_item(size_t index, enum access_variable variable, const char *text)
{
    assert_true(index < format.count);
    assert_int_equal(format.items[index].variable, variable);
    if (text != NULL) {
        assert_int_equal(format.items[index].len, strlen(text));
        assert_memory_equal(format.items[index].text, text, strlen(text));
    }
}

static void expect_refusal(const char *text, const char *reason)
{
    struct fsd_err err;
    assert_int_equal(access_format_parse(&format, text, &err), -EINVAL);
    assert_string_equal(err.text, reason);
}

static void variables_and_texts_come_in_their_order(void **state)
{
    (void)state;
    struct fsd_err err;
    assert_int_equal(access_format_parse(&format, "a $status:$request_time\t", &err), 0);
    assert_false(format.is_json);
    assert_int_equal(format.count, 5);
    expect_item(0, ACCESS_LITERAL, "a ");
    expect_item(1, ACCESS_STATUS, NULL);
    expect_item(2, ACCESS_LITERAL, ":");
    expect_item(3, ACCESS_REQUEST_TIME, NULL);
    expect_item(4, ACCESS_LITERAL, "\t");
}

static void the_longest_name_counts(void **state)
{
    (void)state;
    struct fsd_err err;
    assert_int_equal(access_format_parse(&format, "$request_id$request$request_uri", &err), 0);
    expect_item(0, ACCESS_REQUEST_ID, NULL);
    expect_item(1, ACCESS_REQUEST, NULL);
    expect_item(2, ACCESS_REQUEST_URI, NULL);
}

static void headers_are_named_as_they_are_in_a_head(void **state)
{
    (void)state;
    struct fsd_err err;
    assert_int_equal(access_format_parse(&format, "$http_X_Forwarded_For$sent_http_etag", &err), 0);
    expect_item(0, ACCESS_REQUEST_HEADER, "x-forwarded-for");
    expect_item(1, ACCESS_RESPONSE_HEADER, "etag");
}

static void combined_is_a_template_and_json_is_none(void **state)
{
    (void)state;
    struct fsd_err err;
    assert_int_equal(access_format_parse(&format, "combined", &err), 0);
    expect_item(0, ACCESS_REMOTE_ADDR, NULL);
    expect_item(1, ACCESS_LITERAL, " - ");
    assert_int_equal(access_format_parse(&format, "json", &err), 0);
    assert_true(format.is_json);
    assert_int_equal(format.count, 0);
}

static void what_is_no_format_is_refused_with_its_place(void **state)
{
    (void)state;
    expect_refusal("combind", "it is neither \"combined\" nor \"json\" nor a template with "
                              "variables such as \"$status\"");
    expect_refusal("", "it is neither \"combined\" nor \"json\" nor a template with variables such "
                       "as \"$status\"");
    expect_refusal("a $statsu", "there is no variable \"$statsu\" (at character 3); did you mean "
                                "\"$status\"?");
    expect_refusal("$zzzzzzzzzzzz", "there is no variable \"$zzzzzzzzzzzz\" (at character 1)");
    expect_refusal("$status $ ", "a variable's name must follow the \"$\" (at character 9)");
    expect_refusal("$http_", "there is no variable \"$http_\" (at character 1)");
    expect_refusal("$status\n", "there is a control character in it (at character 8)");
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    char text[ACCESS_FORMAT_TEXT_MAX + 8];
    memset(text, 'x', sizeof(text));
    memcpy(text, "$status ", 8);
    text[ACCESS_FORMAT_TEXT_MAX] = '\0';
    expect_refusal(text, "it is longer than 1023 bytes");
    text[ACCESS_FORMAT_TEXT_MAX - 1] = '\0';
    struct fsd_err err;
    assert_int_equal(access_format_parse(&format, text, &err), 0);
    text[0] = '\0';
    for (int i = 0; i < ACCESS_FORMAT_ITEMS_MAX; i++) {
        strcat(text, "$pid");
    }
    assert_int_equal(access_format_parse(&format, text, &err), 0);
    strcat(text, "$pid");
    expect_refusal(text, "there are more than 64 variables and texts in it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_and_texts_come_in_their_order),
        cmocka_unit_test(the_longest_name_counts),
        cmocka_unit_test(headers_are_named_as_they_are_in_a_head),
        cmocka_unit_test(combined_is_a_template_and_json_is_none),
        cmocka_unit_test(what_is_no_format_is_refused_with_its_place),
        cmocka_unit_test(what_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
