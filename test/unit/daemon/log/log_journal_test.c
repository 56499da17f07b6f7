/* One record for the journal: its fields, read back. */
#include "daemon/log/log_journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/log/log_record.h"

static char packet[LOG_JOURNAL_MAX];

static struct log_record make_record(const char *message)
{
    return (struct log_record){.level = LOG_LEVEL_WARNING,
                               .subject = {"web", 2, 4123},
                               .message = message,
                               .message_len = strlen(message)};
}

/* The value of a field, or NULL; the whole packet is walked, so that a wrong length fails. */
static const char *find(size_t len, const char *name)
{
    static char value[LOG_JOURNAL_MAX];
    const char *found = NULL;
    for (const char *at = packet; at < packet + len;) {
        const char *newline = memchr(at, '\n', (size_t)(packet + len - at));
        assert_non_null(newline);
        size_t size = 0;
        for (size_t i = 8; i > 0; i--) {
            size = size << 8 | (unsigned char)newline[i];
        }
        const char *data = newline + 9;
        assert_true(size < len && data + size < packet + len);
        assert_int_equal(data[size], '\n');
        if ((size_t)(newline - at) == strlen(name) && memcmp(at, name, strlen(name)) == 0) {
            memcpy(value, data, size);
            value[size] = '\0';
            found = value;
        }
        at = data + size + 1;
    }
    return found;
}

static void a_record_becomes_fields_to_search_for(void **state)
{
    (void)state;
    struct log_record record = make_record("worker is ready");
    record.event = "worker.ready";
    record.event_id = 99;
    record.fields[record.field_count++] = log_int("boot_ms", 21);
    record.fields[record.field_count++] = log_text("text", "two words");
    size_t len = log_journal_encode(&record, packet, sizeof(packet));
    assert_string_equal(find(len, "MESSAGE"), "web/2[4123] worker is ready boot_ms=21 "
                                              "text=\"two words\" event=worker.ready");
    static const char *const rows[][2] = {
        {"PRIORITY", "4"},      {"SYSLOG_IDENTIFIER", "fsd"}, {"FSD_POOL", "web"},
        {"FSD_SLOT", "2"},      {"FSD_PID", "4123"},          {"FSD_EVENT", "worker.ready"},
        {"FSD_EVENT_ID", "99"}, {"FSD_BOOT_MS", "21"},        {"FSD_TEXT", "two words"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_string_equal(find(len, rows[i][0]), rows[i][1]);
    }
}

static void the_masters_own_record_is_just_its_words(void **state)
{
    (void)state;
    struct log_record record = make_record("stopping");
    record.subject = (struct log_subject){NULL, 0, 0};
    size_t len = log_journal_encode(&record, packet, sizeof(packet));
    assert_string_equal(find(len, "MESSAGE"), "stopping");
    assert_null(find(len, "FSD_POOL"));
    assert_null(find(len, "FSD_PID"));
    assert_null(find(len, "FSD_EVENT"));
}

static void a_message_of_several_lines_stays_one_record(void **state)
{
    (void)state;
    struct log_record record = make_record("first\nMESSAGE=forged\nPRIORITY=0");
    record.fields[record.field_count++] = log_text("traceback", "a\nb");
    size_t len = log_journal_encode(&record, packet, sizeof(packet));
    assert_string_equal(find(len, "MESSAGE"), "web/2[4123] first\n    MESSAGE=forged\n    "
                                              "PRIORITY=0\n    traceback: a\n    b");
    assert_string_equal(find(len, "FSD_TRACEBACK"), "a\nb");
    assert_string_equal(find(len, "PRIORITY"), "4");
}

static void names_of_applications_are_made_harmless(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"pool", "FSD__POOL"},
        {"Slot", "FSD__SLOT"},
        {"pid", "FSD__PID"},
        {"EVENT", "FSD__EVENT"},
        {"event-id", "FSD__EVENT_ID"},
        {"a b\n=\xc3\xa4", "FSD_A_B____"},
        {"", "FSD_"},
        {"z9Z", "FSD_Z9Z"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct log_record record = make_record("x");
        record.event = "a.b";
        record.fields[record.field_count++] = log_text(rows[i][0], "theirs");
        size_t len = log_journal_encode(&record, packet, sizeof(packet));
        assert_string_equal(find(len, rows[i][1]), "theirs");
        assert_string_equal(find(len, "FSD_POOL"), "web");
    }
    char key[201] = "";
    memset(key, 'k', 200);
    struct log_record record = make_record("x");
    record.fields[record.field_count++] = log_text(key, "long");
    size_t len = log_journal_encode(&record, packet, sizeof(packet));
    char name[65] = "FSD_";
    memset(name + 4, 'K', 58);
    assert_string_equal(find(len, name), "long");
}

static void values_of_every_kind_have_a_text(void **state)
{
    (void)state;
    struct log_record record = make_record("\x1b[31m");
    record.fields[0] = (struct log_field){.key = "n", .key_len = 1, .kind = LOG_VALUE_NIL};
    record.fields[1] =
        (struct log_field){.key = "b", .key_len = 1, .kind = LOG_VALUE_BOOL, .integer = 0};
    record.fields[2] =
        (struct log_field){.key = "f", .key_len = 1, .kind = LOG_VALUE_FLOAT, .number = 1.5};
    record.field_count = 3;
    size_t len = log_journal_encode(&record, packet, sizeof(packet));
    assert_string_equal(find(len, "FSD_N"), "nil");
    assert_string_equal(find(len, "FSD_B"), "false");
    assert_string_equal(find(len, "FSD_F"), "1.5");
    assert_non_null(strstr(find(len, "MESSAGE"), "\\u001b[31m")); /* no terminal obeys it */
}

static void the_longest_record_of_a_worker_fits_and_a_longer_field_is_left_out(void **state)
{
    (void)state;
    static char text[LOG_JOURNAL_MAX];
    struct log_record record = make_record("x");
    memset(text, 1, PROTO_LOG_MAX);
    record.fields[0] = log_text("all", "");
    record.fields[0].text = text;
    record.fields[0].text_len = PROTO_LOG_MAX;
    record.field_count = 1;
    size_t len = log_journal_encode(&record, packet, sizeof(packet));
    assert_int_equal(strlen(find(len, "FSD_ALL")), 6 * PROTO_LOG_MAX);
    memset(text, 'x', sizeof(text));
    record.fields[0].text_len = sizeof(text);
    record.fields[1] = log_int("after", 1);
    record.field_count = 2;
    len = log_journal_encode(&record, packet, sizeof(packet));
    assert_null(find(len, "FSD_ALL"));
    assert_non_null(strstr(find(len, "MESSAGE"), "web/2[4123] x all="));
    assert_string_equal(find(len, "FSD_AFTER"), "1");
    for (size_t size = 0; size < 200; size++) {
        len = log_journal_encode(&record, packet, size);
        assert_true(len <= size);
        (void)find(len, "");
    }
}

static void the_stream_of_the_journal_is_known_by_device_and_inode(void **state)
{
    (void)state;
    assert_true(log_journal_is_stream("9:4711", 9, 4711));
    assert_false(log_journal_is_stream("9:4711", 9, 4712));
    assert_false(log_journal_is_stream("9:4711", 8, 4711));
    assert_false(log_journal_is_stream("", 0, 0));
    assert_false(log_journal_is_stream(NULL, 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_becomes_fields_to_search_for),
        cmocka_unit_test(the_masters_own_record_is_just_its_words),
        cmocka_unit_test(a_message_of_several_lines_stays_one_record),
        cmocka_unit_test(names_of_applications_are_made_harmless),
        cmocka_unit_test(values_of_every_kind_have_a_text),
        cmocka_unit_test(the_longest_record_of_a_worker_fits_and_a_longer_field_is_left_out),
        cmocka_unit_test(the_stream_of_the_journal_is_known_by_device_and_inode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
