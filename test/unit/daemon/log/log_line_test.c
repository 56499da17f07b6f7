/* One record as text and as JSON. */
#include "daemon/log/log_line.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "daemon/log/log_record.h"

/* 2026-11-21T09:12:33.123Z */
static const uint64_t wall_us_then = 1795252353123456;

static struct log_record make_record(const char *message)
{
    return (struct log_record){.level = LOG_LEVEL_NOTICE,
                               .wall_us = wall_us_then,
                               .subject = {"web", 0, 4123},
                               .message = message,
                               .message_len = strlen(message)};
}

static void assert_line(const struct log_record *record, enum log_form form, const char *expected)
{
    static char line[LOG_LINE_MAX + 1];
    size_t len = log_line_format(record, form, line, LOG_LINE_MAX);
    line[len] = '\0';
    assert_string_equal(line, expected);
}

static void a_line_tells_time_level_worker_message_and_fields(void **state)
{
    (void)state;
    struct log_record record = make_record("worker is ready");
    record.fields[record.field_count++] = log_int("generation", 3);
    record.fields[record.field_count++] = log_int("boot_ms", 21);
    assert_line(&record, LOG_FORM_TEXT,
                "2026-11-21T09:12:33.123Z notice  web/0[4123] worker is ready generation=3 "
                "boot_ms=21\n");
    assert_line(&record, LOG_FORM_COLOUR,
                "2026-11-21T09:12:33.123Z \x1b[32mnotice \x1b[0m web/0[4123] worker is ready "
                "generation=3 boot_ms=21\n");
    assert_line(&record, LOG_FORM_JSON,
                "{\"time\":\"2026-11-21T09:12:33.123Z\",\"level\":\"notice\",\"msg\":\"worker is "
                "ready\",\"pool\":\"web\",\"slot\":0,\"pid\":4123,\"generation\":3,\"boot_ms\":21}"
                "\n");
}

static void the_master_speaks_as_fsd(void **state)
{
    (void)state;
    struct log_record record = make_record("stopping");
    record.subject = (struct log_subject){NULL, 0, 7};
    record.level = LOG_LEVEL_ERROR;
    assert_line(&record, LOG_FORM_TEXT, "2026-11-21T09:12:33.123Z error   fsd[7] stopping\n");
    assert_line(&record, LOG_FORM_JSON,
                "{\"time\":\"2026-11-21T09:12:33.123Z\",\"level\":\"error\",\"msg\":\"stopping\","
                "\"pid\":7}\n");
}

static void values_are_quoted_when_they_need_it(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *text;
    } cases[] = {
        {"plain", "plain"},
        {"/a/b.lua:3", "/a/b.lua:3"},
        {"", "\"\""},
        {"two words", "\"two words\""},
        {"a=b", "\"a=b\""},
        {"say \"hi\" \\", "\"say \\\"hi\\\" \\\\\""},
        {"\x1b[31m", "\"\\u001b[31m\""},
        {"tab\t", "\"tab\\t\""},
        {"caf\xc3\xa9", "\"caf\xc3\xa9\""},
        {"\xff", "\"\\xff\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct log_record record = make_record("m");
        char expected[256];
        record.fields[record.field_count++] = log_text("k", cases[i].value);
        (void)snprintf(expected, sizeof(expected),
                       "2026-11-21T09:12:33.123Z notice  web/0[4123] m k=%s\n", cases[i].text);
        assert_line(&record, LOG_FORM_TEXT, expected);
    }
}

static void further_lines_are_indented_so_that_none_can_pass_for_a_record(void **state)
{
    (void)state;
    struct log_record record = make_record("one\n2026-11-21T09:12:33.123Z error   fsd[1] forged");
    record.fields[record.field_count++] = log_text("traceback", "a\nb");
    record.fields[record.field_count++] = log_int("n", 1);
    assert_line(&record, LOG_FORM_TEXT,
                "2026-11-21T09:12:33.123Z notice  web/0[4123] one n=1\n"
                "    2026-11-21T09:12:33.123Z error   fsd[1] forged\n"
                "    traceback: a\n"
                "    b\n");
}

static void numbers_read_back_as_they_were(void **state)
{
    (void)state;
    struct log_record record = make_record("m");
    record.fields[record.field_count++] =
        (struct log_field){.key = "f", .key_len = 1, .kind = LOG_VALUE_FLOAT, .number = 0.1};
    record.fields[record.field_count++] =
        (struct log_field){.key = "g", .key_len = 1, .kind = LOG_VALUE_FLOAT, .number = 0.1 + 0.2};
    record.fields[record.field_count++] = log_int("min", INT64_MIN);
    record.fields[record.field_count++] =
        (struct log_field){.key = "inf", .key_len = 3, .kind = LOG_VALUE_FLOAT, .number = INFINITY};
    record.fields[record.field_count++] =
        (struct log_field){.key = "nil", .key_len = 3, .kind = LOG_VALUE_NIL};
    record.fields[record.field_count++] =
        (struct log_field){.key = "b", .key_len = 1, .kind = LOG_VALUE_BOOL, .integer = 1};
    assert_line(&record, LOG_FORM_TEXT,
                "2026-11-21T09:12:33.123Z notice  web/0[4123] m f=0.1 g=0.30000000000000004 "
                "min=-9223372036854775808 inf=inf nil=nil b=true\n");
    assert_line(&record, LOG_FORM_JSON,
                "{\"time\":\"2026-11-21T09:12:33.123Z\",\"level\":\"notice\",\"msg\":\"m\","
                "\"pool\":\"web\",\"slot\":0,\"pid\":4123,\"f\":0.1,\"g\":0.30000000000000004,"
                "\"min\":-9223372036854775808,\"inf\":null,\"nil\":null,\"b\":true}\n");
}

static void a_field_can_not_hide_what_the_master_says(void **state)
{
    (void)state;
    struct log_record record = make_record("m");
    record.fields[record.field_count++] = log_text("level", "fake");
    record.fields[record.field_count++] = log_text("pid", "1");
    assert_line(&record, LOG_FORM_JSON,
                "{\"time\":\"2026-11-21T09:12:33.123Z\",\"level\":\"notice\",\"msg\":\"m\","
                "\"pool\":\"web\",\"slot\":0,\"pid\":4123,\"_level\":\"fake\",\"_pid\":\"1\"}\n");
}

/* Every byte in message, key and value: the text has no control byte but the newline, the JSON is one valid line. */
static void no_byte_does_harm(void **state)
{
    (void)state;
    char every[256];
    for (int i = 0; i < 256; i++) {
        every[i] = (char)i;
    }
    struct log_record record = make_record("");
    record.message = every;
    record.message_len = sizeof(every);
    record.fields[record.field_count++] = (struct log_field){.key = every + 1,
                                                             .key_len = sizeof(every) - 1,
                                                             .kind = LOG_VALUE_TEXT,
                                                             .text = every,
                                                             .text_len = sizeof(every)};
    static char line[LOG_LINE_MAX];
    size_t len = log_line_format(&record, LOG_FORM_TEXT, line, sizeof(line));
    for (size_t i = 0; i < len; i++) {
        assert_true((unsigned char)line[i] >= 0x20 || line[i] == '\n');
    }
    len = log_line_format(&record, LOG_FORM_JSON, line, sizeof(line));
    assert_ptr_equal(memchr(line, '\n', len), line + len - 1);
    json_t *parsed = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
    assert_non_null(parsed);
    json_decref(parsed);
}

static void a_line_that_does_not_fit_is_cut_but_ends(void **state)
{
    (void)state;
    struct log_record record = make_record("a message that is too long for the room that it has");
    for (size_t size = 1; size < 80; size++) {
        char line[80];
        memset(line, 'X', sizeof(line));
        size_t len = log_line_format(&record, LOG_FORM_TEXT, line, size);
        assert_true(len >= 1 && len <= size);
        assert_int_equal(line[len - 1], '\n');
        assert_true(size == sizeof(line) || line[size] == 'X');
    }
}

static void the_longest_record_of_a_worker_always_fits(void **state)
{
    (void)state;
    static char line[LOG_LINE_MAX];
    static char bytes[PROTO_LOG_MAX];
    static const char worst[] = {0x01, '\n', '"', (char)0xff};
    for (size_t i = 0; i < sizeof(worst); i++) {
        memset(bytes, worst[i], sizeof(bytes));
        struct log_record record = make_record("");
        record.message = bytes;
        record.message_len = sizeof(bytes);
        record.fields[record.field_count++] = log_int("last", 1);
        size_t len = log_line_format(&record, LOG_FORM_JSON, line, sizeof(line));
        assert_memory_equal(line + len - 10, "\"last\":1}\n", 10);
        len = log_line_format(&record, LOG_FORM_TEXT, line, sizeof(line));
        line[len - 1] = '\0';
        assert_non_null(strstr(line, " last=1")); /* behind the first line of the message */
    }
}

static void each_level_has_a_colour_of_its_own_but_info_has_none(void **state)
{
    (void)state;
    static const struct {
        enum log_level level;
        const char *text;
    } rows[] = {
        {LOG_LEVEL_ERROR, " \x1b[31merror  \x1b[0m web"},
        {LOG_LEVEL_WARNING, " \x1b[33mwarning\x1b[0m web"},
        {LOG_LEVEL_NOTICE, " \x1b[32mnotice \x1b[0m web"},
        {LOG_LEVEL_INFO, " info    web"},
        {LOG_LEVEL_DEBUG, " \x1b[2mdebug  \x1b[0m web"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char line[LOG_LINE_MAX];
        struct log_record record = make_record("x");
        record.level = rows[i].level;
        size_t len = log_line_format(&record, LOG_FORM_COLOUR, line, sizeof(line) - 1);
        line[len] = '\0';
        assert_non_null(strstr(line, rows[i].text));
    }
}

static void an_event_is_named_after_the_fields(void **state)
{
    (void)state;
    struct log_record record = make_record("first\nsecond");
    record.event = "worker.ready";
    record.event_id = 7;
    record.fields[record.field_count++] = log_int("n", 1);
    record.fields[record.field_count++] = log_text("block", "a\nb");
    assert_line(&record, LOG_FORM_TEXT,
                "2026-11-21T09:12:33.123Z notice  web/0[4123] first n=1 event=worker.ready\n"
                "    second\n    block: a\n    b\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_level_has_a_colour_of_its_own_but_info_has_none),
        cmocka_unit_test(an_event_is_named_after_the_fields),
        cmocka_unit_test(a_line_tells_time_level_worker_message_and_fields),
        cmocka_unit_test(the_master_speaks_as_fsd),
        cmocka_unit_test(values_are_quoted_when_they_need_it),
        cmocka_unit_test(further_lines_are_indented_so_that_none_can_pass_for_a_record),
        cmocka_unit_test(numbers_read_back_as_they_were),
        cmocka_unit_test(a_field_can_not_hide_what_the_master_says),
        cmocka_unit_test(no_byte_does_harm),
        cmocka_unit_test(a_line_that_does_not_fit_is_cut_but_ends),
        cmocka_unit_test(the_longest_record_of_a_worker_always_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
