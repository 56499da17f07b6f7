/* access_line_test.c - lines of the access log. */
#include "worker/http/text/access_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/access_format.h"
#include "common/err.h"
#include "worker/core/json/json.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static struct access_text find_header(const void *ctx, bool is_sent, const char *name, size_t len)
{
    (void)ctx;
    if (is_sent && len == 4 && memcmp(name, "etag", 4) == 0) {
        return (struct access_text)TEXT("\"x\"");
    }
    if (!is_sent && len == 10 && memcmp(name, "user-agent", 10) == 0) {
        return (struct access_text)TEXT("a\"b\\c\r\nd\xff");
    }
    return (struct access_text){NULL, 0};
}

static struct access_facts make_facts(void)
{
    return (struct access_facts){.remote_addr = TEXT("127.0.0.1"),
                                 .method = TEXT("GET"),
                                 .uri = TEXT("/a?b=\n"),
                                 .host = TEXT("example.org"),
                                 .request_id = TEXT("1-2"),
                                 .pool = TEXT("web"),
                                 .worker = 3,
                                 .pid = 77,
                                 .version = 0x101,
                                 .status = 200,
                                 .body_bytes = 12,
                                 .ended_us = UINT64_C(1795363501123456),
                                 .took_us = 1234567,
                                 .find_header = find_header};
}

static void expect_line(const char *template, const struct access_facts *facts, const char *line)
{
    static struct access_format format;
    struct fsd_err err;
    struct json_buf buf;
    assert_int_equal(access_format_parse(&format, template, &err), 0);
    json_buf_init(&buf);
    access_line_write(&format, facts, &buf);
    *json_buf_reserve(&buf, 1) = '\0';
    assert_string_equal(buf.data, line);
    json_buf_fini(&buf);
}

static void combined_is_as_nginx_writes_it(void **state)
{
    (void)state;
    struct access_facts facts = make_facts();
    expect_line("combined", &facts,
                "127.0.0.1 - - [22/Nov/2026:16:05:01 +0000] \"GET /a?b=\\x0A HTTP/1.1\" 200 12 "
                "\"-\" \"a\\x22b\\x5Cc\\x0D\\x0Ad\\xFF\"\n");
}

static void every_variable_has_its_form(void **state)
{
    (void)state;
    struct access_facts facts = make_facts();
    expect_line("$body_bytes_sent|$host|$msec|$pid|$pool|$remote_addr|$request_id|$request_method",
                &facts, "12|example.org|1795363501.123|77|web|127.0.0.1|1-2|GET\n");
    expect_line("$request_time|$request_uri|$server_protocol|$status|$time_iso8601|$worker", &facts,
                "1.234|/a?b=\\x0A|HTTP/1.1|200|2026-11-22T16:05:01.123Z|3\n");
    expect_line("$sent_http_etag|$http_absent|$remote_user", &facts, "\\x22x\\x22|-|-\n");
    facts.version = 0x200;
    facts.worker = -1;
    expect_line("$server_protocol $worker", &facts, "HTTP/2 -\n");
}

static void json_is_one_object_a_line(void **state)
{
    (void)state;
    struct access_facts facts = make_facts();
    expect_line(
        "json", &facts,
        "{\"time\":\"2026-11-22T16:05:01.123Z\",\"remote_addr\":\"127.0.0.1\",\"remote_user\":null,"
        "\"method\":\"GET\",\"uri\":\"/a?b=\\n\",\"protocol\":\"HTTP/"
        "1.1\",\"host\":\"example.org\","
        "\"status\":200,\"body_bytes_sent\":12,\"request_time\":1.234,\"request_id\":\"1-2\","
        "\"referer\":null,\"user_agent\":\"a\\\\x22b\\\\x5Cc\\\\x0D\\\\x0Ad\\\\xFF\","
        "\"forwarded_for\":null,\"pool\":\"web\","
        "\"worker\":3}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(combined_is_as_nginx_writes_it),
        cmocka_unit_test(every_variable_has_its_form),
        cmocka_unit_test(json_is_one_object_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
