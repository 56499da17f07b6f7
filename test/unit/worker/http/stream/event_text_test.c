#include "worker/http/stream/event_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/core/json/json.h"

static void assert_written(const struct event_text *text, const char *wanted)
{
    struct json_buf buf;
    json_buf_init(&buf);
    assert_null(event_text_check(text));
    event_text_write(text, &buf);
    assert_int_equal(buf.len, strlen(wanted));
    assert_memory_equal(buf.data, wanted, buf.len);
    json_buf_fini(&buf);
}

static struct event_text with_data(const char *data)
{
    return (struct event_text){
        .data = data, .data_len = strlen(data), .retry_ms = EVENT_TEXT_NO_RETRY};
}

static void data_is_written_line_by_line_whatever_ends_a_line(void **state)
{
    static const struct {
        const char *data;
        const char *wanted;
    } rows[] = {
        {"", "data: \n\n"},
        {"a", "data: a\n\n"},
        {"a\nb", "data: a\ndata: b\n\n"},
        {"a\rb", "data: a\ndata: b\n\n"},
        {"a\r\nb", "data: a\ndata: b\n\n"},
        {"a\n\rb", "data: a\ndata: \ndata: b\n\n"},
        {"a\n\nb", "data: a\ndata: \ndata: b\n\n"},
        {"a\n", "data: a\ndata: \n\n"},
        {"\r", "data: \ndata: \n\n"},
        {"\r\n", "data: \ndata: \n\n"},
        {"event: x", "data: event: x\n\n"},
        {" a", "data:  a\n\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct event_text text = with_data(rows[i].data);
        assert_written(&text, rows[i].wanted);
    }
}

static void a_line_end_behind_the_data_is_not_looked_at(void **state)
{
    (void)state;
    struct event_text text = with_data("a\r\n");
    text.data_len = 2;
    assert_written(&text, "data: a\ndata: \n\n");
}

static void all_fields_are_written(void **state)
{
    (void)state;
    struct event_text text = {.event = "tick",
                              .event_len = 4,
                              .data = "1",
                              .data_len = 1,
                              .id = "42",
                              .id_len = 2,
                              .retry_ms = 1500};
    assert_written(&text, "event: tick\nid: 42\nretry: 1500\ndata: 1\n\n");
}

static void an_event_with_a_name_alone_gets_data_so_that_clients_tell_it(void **state)
{
    (void)state;
    struct event_text text = {.event = "x", .event_len = 1, .retry_ms = EVENT_TEXT_NO_RETRY};
    assert_written(&text, "event: x\ndata: \n\n");
}

static void an_id_or_a_retry_may_stand_alone(void **state)
{
    (void)state;
    struct event_text id = {.id = "", .retry_ms = EVENT_TEXT_NO_RETRY};
    assert_written(&id, "id: \n\n");
    struct event_text retry = {.retry_ms = 0};
    assert_written(&retry, "retry: 0\n\n");
}

static void names_and_ids_with_line_breaks_or_nul_are_refused(void **state)
{
    static const char *const wrong[] = {"a\nb", "a\rb", "\n", "ab\r"};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct event_text text = with_data("x");
        text.event = wrong[i];
        text.event_len = strlen(wrong[i]);
        assert_string_equal(event_text_check(&text), "event has a line break or NUL");
        text.event = NULL;
        text.id = wrong[i];
        text.id_len = strlen(wrong[i]);
        assert_string_equal(event_text_check(&text), "id has a line break or NUL");
    }
    struct event_text text = with_data("x");
    text.id = "a\0b";
    text.id_len = 3;
    assert_string_equal(event_text_check(&text), "id has a line break or NUL");
}

static void an_event_of_nothing_is_refused(void **state)
{
    (void)state;
    struct event_text text = {.retry_ms = EVENT_TEXT_NO_RETRY};
    assert_string_equal(event_text_check(&text), "it has neither event nor data, id nor retry");
}

static void a_comment_is_written_line_by_line(void **state)
{
    (void)state;
    struct json_buf buf;
    json_buf_init(&buf);
    event_text_write_comment("a\nb", 3, &buf);
    event_text_write_comment("", 0, &buf);
    assert_int_equal(buf.len, strlen(": a\n: b\n\n: \n\n"));
    assert_memory_equal(buf.data, ": a\n: b\n\n: \n\n", buf.len);
    json_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_is_written_line_by_line_whatever_ends_a_line),
        cmocka_unit_test(a_line_end_behind_the_data_is_not_looked_at),
        cmocka_unit_test(all_fields_are_written),
        cmocka_unit_test(an_event_with_a_name_alone_gets_data_so_that_clients_tell_it),
        cmocka_unit_test(an_id_or_a_retry_may_stand_alone),
        cmocka_unit_test(names_and_ids_with_line_breaks_or_nul_are_refused),
        cmocka_unit_test(an_event_of_nothing_is_refused),
        cmocka_unit_test(a_comment_is_written_line_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
