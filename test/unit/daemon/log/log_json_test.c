/* One record as a JSON object, in the forms of the log and of the control socket. */
#include "daemon/log/log_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon/log/log_buf.h"
#include "daemon/log/log_record.h"

/* 2026-11-21T09:12:33.123Z */
static const uint64_t wall_us_then = 1795252353123456;

static struct log_record make_record(const char *message)
{
    return (struct log_record){.level = LOG_LEVEL_NOTICE,
                               .wall_us = wall_us_then,
                               .subject = {"web", 1, 4123},
                               .message = message,
                               .message_len = strlen(message)};
}

static const char *format(const struct log_record *record, enum log_json_form form)
{
    static char text[4096];
    struct log_buf buf = {text, 0, sizeof(text) - 1, false};
    log_json_put(&buf, record, form);
    assert_false(buf.is_cut);
    text[buf.len] = '\0';
    return text;
}

static void a_record_tells_its_time_as_milliseconds(void **state)
{
    (void)state;
    struct log_record record = make_record("hello");
    record.fields[record.field_count++] = log_int("n", 1);
    assert_string_equal(format(&record, LOG_JSON_RECORD),
                        "{\"time\":1795252353123,\"level\":\"notice\",\"msg\":\"hello\","
                        "\"pool\":\"web\",\"slot\":1,\"pid\":4123,\"n\":1}");
}

static void an_event_has_the_keys_of_the_method_events(void **state)
{
    (void)state;
    struct log_record record = make_record("worker is ready");
    record.event = "worker.ready";
    record.event_id = 17;
    record.fields[record.field_count++] = log_text("msg", "free in an event");
    record.fields[record.field_count++] = log_text("id", "taken");
    assert_string_equal(format(&record, LOG_JSON_EVENT),
                        "{\"at\":1795252353123,\"level\":\"notice\",\"message\":\"worker is ready\""
                        ",\"pool\":\"web\",\"slot\":1,\"pid\":4123,\"event\":\"worker.ready\","
                        "\"id\":17,\"msg\":\"free in an event\",\"_id\":\"taken\"}");
}

static void the_masters_own_record_names_no_pool(void **state)
{
    (void)state;
    struct log_record record = make_record("ready");
    record.subject = (struct log_subject){NULL, 0, 0};
    assert_string_equal(format(&record, LOG_JSON_RECORD),
                        "{\"time\":1795252353123,\"level\":\"notice\",\"msg\":\"ready\"}");
}

static void a_field_cannot_take_the_place_of_what_the_master_says(void **state)
{
    (void)state;
    static const char *const names[] = {"time", "level", "msg",   "pool",
                                        "slot", "pid",   "event", "event_id"};
    struct log_record record = make_record("x");
    record.event = "a.b";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        record.fields[record.field_count++] = log_text(names[i], "forged");
    }
    json_t *parsed = json_loads(format(&record, LOG_JSON_RECORD), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(parsed);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = json_string_value(json_object_get(parsed, names[i]));
        assert_true(value == NULL || strcmp(value, "forged") != 0);
    }
    json_decref(parsed);
}

static void a_nul_of_a_worker_does_not_make_the_answer_unreadable(void **state)
{
    (void)state;
    struct log_record record = make_record("");
    record.message = "a\0b\x1b\n\xff";
    record.message_len = 6;
    record.fields[0] = (struct log_field){
        .key = "k\0", .key_len = 2, .kind = LOG_VALUE_TEXT, .text = "\0", .text_len = 1};
    record.field_count = 1;
    json_t *parsed = json_loads(format(&record, LOG_JSON_RECORD), 0, NULL);
    assert_non_null(parsed);
    assert_string_equal(json_string_value(json_object_get(parsed, "msg")), "a\ufffdb\x1b\n\ufffd");
    assert_string_equal(json_string_value(json_object_get(parsed, "k\ufffd")), "\ufffd");
    json_decref(parsed);
    assert_non_null(strstr(format(&record, LOG_JSON_LINE), "a\\u0000b")); /* as ever */
}

static void values_of_every_kind_are_json(void **state)
{
    (void)state;
    struct log_record record = make_record("x");
    record.fields[0] = (struct log_field){.key = "nil", .key_len = 3, .kind = LOG_VALUE_NIL};
    record.fields[1] =
        (struct log_field){.key = "yes", .key_len = 3, .kind = LOG_VALUE_BOOL, .integer = 1};
    record.fields[2] =
        (struct log_field){.key = "f", .key_len = 1, .kind = LOG_VALUE_FLOAT, .number = 0.5};
    record.field_count = 3;
    assert_non_null(
        strstr(format(&record, LOG_JSON_RECORD), "\"nil\":null,\"yes\":true,\"f\":0.5}"));
}

static void an_object_that_does_not_fit_is_said_to_be_cut(void **state)
{
    (void)state;
    char text[40];
    struct log_buf buf = {text, 0, sizeof(text), false};
    struct log_record record = make_record("longer than that");
    log_json_put(&buf, &record, LOG_JSON_RECORD);
    assert_true(buf.is_cut);
    assert_true(buf.len <= sizeof(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_tells_its_time_as_milliseconds),
        cmocka_unit_test(an_event_has_the_keys_of_the_method_events),
        cmocka_unit_test(the_masters_own_record_names_no_pool),
        cmocka_unit_test(a_field_cannot_take_the_place_of_what_the_master_says),
        cmocka_unit_test(a_nul_of_a_worker_does_not_make_the_answer_unreadable),
        cmocka_unit_test(values_of_every_kind_are_json),
        cmocka_unit_test(an_object_that_does_not_fit_is_said_to_be_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
