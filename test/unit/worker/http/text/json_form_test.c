#include "worker/http/text/json_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/core/json/json_write.h"

static struct json_buf make(const char *text)
{
    struct json_buf buf;
    json_buf_init(&buf);
    json_write_bytes(&buf, text, strlen(text));
    return buf;
}

static void check(struct json_buf *buf, const char *wanted)
{
    assert_int_equal(buf->len, strlen(wanted));
    assert_memory_equal(buf->data, wanted, buf->len);
    json_buf_fini(buf);
}

static void lines_are_as_javascript_writes_them(void **state)
{
    static const struct {
        const char *text, *wanted;
    } rows[] = {
        {"1", "1"},
        {"\"a\"", "\"a\""},
        {"{}", "{}"},
        {"[]", "[]"},
        {"[{},[]]", "[\n  {},\n  []\n]"},
        {"{\"a\":1,\"b\":[true,null]}", "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    null\n  ]\n}"},
        {"{\"{[,:]}\":\"\\\"\\\\\"}", "{\n  \"{[,:]}\": \"\\\"\\\\\"\n}"},
        {"[[\"\"]]", "[\n  [\n    \"\"\n  ]\n]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct json_buf buf = make(rows[i].text);
        json_form_indent(&buf, "  ");
        check(&buf, rows[i].wanted);
    }
}

static void what_a_browser_takes_for_html_is_escaped(void **state)
{
    (void)state;
    struct json_buf buf = make("[\"</script>&\"]");
    json_form_escape(&buf, JSON_FORM_HTML);
    check(&buf, "[\"\\u003c/script\\u003e\\u0026\"]");
    buf = make("[\"plain\"]");
    json_form_escape(&buf, JSON_FORM_HTML);
    check(&buf, "[\"plain\"]");
}

static void what_ends_a_line_of_javascript_is_escaped(void **state)
{
    (void)state;
    struct json_buf buf = make("[\"a\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa\xe2\x82\xac<\"]\xe2\x80");
    json_form_escape(&buf, JSON_FORM_SCRIPT);
    check(&buf, "[\"a\\u2028\\u2029\xe2\x80\xaa\xe2\x82\xac<\"]\xe2\x80");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_as_javascript_writes_them),
        cmocka_unit_test(what_a_browser_takes_for_html_is_escaped),
        cmocka_unit_test(what_ends_a_line_of_javascript_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
