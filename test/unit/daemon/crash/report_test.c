/* Crash reports, from what the master knows and from a black box. */
#include "daemon/crash/report.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/blackbox.h"
#include "common/log_level.h"
#include "daemon/crash/crash_id.h"
#include "daemon/crash/mask.h"

#define AT_US 1795343635123456ULL /* 2026-11-22 10:33:55 */

static const char id[] = "20261122-103355-web-0-17";

static struct blackbox *new_box(void)
{
    struct blackbox *box = calloc(1, BLACKBOX_SIZE);
    assert_non_null(box);
    box->version = BLACKBOX_VERSION;
    box->wall_offset_us = AT_US - 60000000; /* the machine runs for a minute */
    return box;
}

static void put_request(struct blackbox *box, unsigned index, const char *path, bool is_open)
{
    struct blackbox_request_entry *entry = &box->requests[index];
    entry->number = index + 1;
    entry->begun_us = 58000000; /* two seconds before */
    entry->duration_us = 1234;
    entry->generation = 4;
    entry->id_high = 1;
    entry->id_low = 0x7280c2d2 + index;
    entry->status = 201;
    entry->path_len = (uint16_t)strlen(path);
    entry->method_len = 3;
    entry->is_open = is_open;
    memcpy(entry->method, "GET", 3);
    memcpy(entry->path, path, strlen(path));
    memcpy(entry->place, "app.lua:12", 10);
}

static void put_line(struct blackbox *box, unsigned index, uint32_t level, const char *text)
{
    struct blackbox_line_entry *entry = &box->lines[index];
    entry->number = index + 1;
    entry->wall_us = AT_US - 1000000;
    entry->level = level;
    entry->len = (uint32_t)strlen(text);
    memcpy(entry->text, text, strlen(text));
}

static struct crash_input make_input(void)
{
    return (struct crash_input){
        .at_us = AT_US,
        .facts = {.is_reaped = true, .cause = {true, SIGSEGV}, .state = CRASH_SERVING},
        .pool = "web",
        .pid = 4711,
        .incarnation = 17,
        .generation = 4,
        .uptime_ms = 123456,
        .memory_bytes = 12 << 20,
        .next = "the standby took its place",
    };
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

static json_int_t number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void expect_null(const json_t *object, const char *key)
{
    assert_true(json_is_null(json_object_get(object, key)));
}

static void what_the_master_knows_is_in_it(void **state)
{
    (void)state;
    struct crash_input input = make_input();
    json_t *report = report_build(&input, id);
    assert_non_null(report);
    assert_string_equal(text_of(report, "schema"), "fsd.crash/1");
    assert_string_equal(text_of(report, "id"), id);
    assert_int_equal(number_of(report, "at"), AT_US / 1000);
    assert_string_equal(text_of(report, "class"), "signal");
    assert_string_equal(text_of(report, "cause"), "killed by signal 11 (Segmentation fault)");
    assert_string_equal(text_of(report, "next"), "the standby took its place");
    expect_null(report, "detail");
    expect_null(report, "exit_code");
    assert_int_equal(number_of(report, "signal"), SIGSEGV);
    assert_string_equal(text_of(report, "signal_name"), "SIGSEGV");
    assert_string_equal(text_of(report, "pool"), "web");
    assert_int_equal(number_of(report, "slot"), 0);
    assert_int_equal(number_of(report, "pid"), 4711);
    assert_int_equal(number_of(report, "incarnation"), 17);
    assert_int_equal(number_of(report, "generation"), 4);
    assert_int_equal(number_of(report, "uptime_ms"), 123456);
    assert_string_equal(text_of(report, "state"), "serving");
    assert_int_equal(number_of(report, "memory_bytes"), 12 << 20);
    json_decref(report);
}

static void what_nobody_knows_is_null_or_empty(void **state)
{
    (void)state;
    struct crash_input input = make_input();
    input.facts.is_reaped = false;
    input.memory_bytes = 0;
    input.next = NULL;
    json_t *report = report_build(&input, id);
    static const char *const nulls[] = {"exit_code",    "signal",    "signal_name",
                                        "memory_bytes", "next",      "running",
                                        "fault",        "lua_stack", "c_backtrace"};
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++) {
        expect_null(report, nulls[i]);
    }
    static const char *const lists[] = {"open_requests", "recent_requests", "log_lines"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        assert_true(json_is_array(json_object_get(report, lists[i])));
        assert_int_equal(json_array_size(json_object_get(report, lists[i])), 0);
    }
    assert_string_equal(text_of(report, "class"), "lost");
    json_decref(report);
}

static void the_reason_of_a_refusal_is_part_of_the_cause(void **state)
{
    (void)state;
    struct crash_input input = make_input();
    input.facts = (struct crash_facts){.is_reaped = true,
                                       .cause = {false, 65},
                                       .deed = CRASH_DEED_REFUSED,
                                       .state = CRASH_BOOTING};
    input.why = "app.lua:3: no password=x\nstack traceback:\n  [C]: in ?";
    json_t *report = report_build(&input, id);
    assert_string_equal(text_of(report, "cause"),
                        "could not load the code: app.lua:3: no password=***");
    assert_string_equal(text_of(report, "detail"),
                        "app.lua:3: no password=***\nstack traceback:\n  [C]: in ?");
    assert_string_equal(text_of(report, "class"), "boot");
    assert_int_equal(number_of(report, "exit_code"), 65);
    expect_null(report, "signal");
    json_decref(report);
}

static void what_ran_and_what_was_open_is_in_it(void **state)
{
    (void)state;
    struct blackbox *box = new_box();
    put_request(box, 0, "/done", false);
    put_request(box, 1, "/stuck", true);
    box->now = blackbox_word(BLACKBOX_REQUEST, 2, 1);
    box->now_since_us = 59000000;
    struct crash_input input = make_input();
    input.blackbox = box;
    json_t *report = report_build(&input, id);
    const json_t *running = json_object_get(report, "running");
    assert_string_equal(text_of(running, "what"), "GET /stuck");
    assert_string_equal(text_of(running, "id"), "1-7280c2d3");
    assert_string_equal(text_of(running, "handler"), "app.lua:12");
    assert_int_equal(number_of(running, "since_ms"), 1000);
    const json_t *open = json_object_get(report, "open_requests");
    assert_int_equal(json_array_size(open), 1);
    assert_string_equal(text_of(json_array_get(open, 0), "what"), "GET /stuck");
    assert_int_equal(number_of(json_array_get(open, 0), "open_ms"), 2000);
    assert_ptr_equal(NULL, json_object_get(json_array_get(open, 0), "status"));
    json_decref(report);
    free(box);
}

static void finished_requests_tell_status_and_duration(void **state)
{
    (void)state;
    struct blackbox *box = new_box();
    put_request(box, 0, "/a", false);
    put_request(box, 1, "/b", false);
    struct crash_input input = make_input();
    input.blackbox = box;
    json_t *report = report_build(&input, id);
    expect_null(report, "running");
    const json_t *recent = json_object_get(report, "recent_requests");
    assert_int_equal(json_array_size(recent), 2);
    const json_t *newest = json_array_get(recent, 0);
    assert_string_equal(text_of(newest, "what"), "GET /b");
    assert_string_equal(text_of(newest, "handler"), "app.lua:12");
    assert_int_equal(number_of(newest, "status"), 201);
    assert_int_equal(number_of(newest, "generation"), 4);
    assert_int_equal(number_of(newest, "begun_at"), (AT_US - 2000000) / 1000);
    assert_int_equal(number_of(newest, "duration_us"), 1234);
    assert_int_equal(json_array_size(json_object_get(report, "open_requests")), 0);
    json_decref(report);
    free(box);
}

static void code_without_a_request_is_named_as_well(void **state)
{
    (void)state;
    struct blackbox *box = new_box();
    memcpy(box->now_name, "app.lua", 7);
    box->now = blackbox_word(BLACKBOX_LOAD, 0, 0);
    box->now_since_us = 61000000; /* later than its death: the clock was set */
    struct crash_input input = make_input();
    input.blackbox = box;
    json_t *report = report_build(&input, id);
    const json_t *running = json_object_get(report, "running");
    assert_string_equal(text_of(running, "what"), "loading app.lua");
    expect_null(running, "id");
    expect_null(running, "handler");
    assert_int_equal(number_of(running, "since_ms"), 0);
    json_decref(report);
    free(box);
}

static void the_fault_and_both_stacks_are_in_it(void **state)
{
    (void)state;
    struct blackbox *box = new_box();
    struct blackbox_death_entry *death = &box->death;
    death->signal = SIGSEGV;
    death->code = SEGV_MAPERR;
    death->address = 0x10;
    death->frames[0] = 0x7f0012345678;
    death->frames[1] = 0x7f0012345abc;
    death->frame_count = 2;
    memcpy(death->names[0], "libc.so.6(raise+0x12)", 21);
    death->named_count = 1;
    memcpy(death->lua_stack, "app.lua:12\n[C]\n", 15);
    death->lua_len = 15;
    death->is_finished = 1;
    struct crash_input input = make_input();
    input.blackbox = box;
    json_t *report = report_build(&input, id);
    const json_t *fault = json_object_get(report, "fault");
    assert_int_equal(number_of(fault, "signal"), SIGSEGV);
    assert_int_equal(number_of(fault, "code"), SEGV_MAPERR);
    assert_string_equal(text_of(fault, "meaning"), "nothing is mapped at the address");
    assert_string_equal(text_of(fault, "address"), "0x10");
    expect_null(fault, "sender_pid");
    assert_true(json_is_true(json_object_get(fault, "is_complete")));
    assert_string_equal(text_of(report, "lua_stack"), "app.lua:12\n[C]");
    const json_t *frames = json_object_get(report, "c_backtrace");
    assert_int_equal(json_array_size(frames), 2);
    assert_string_equal(json_string_value(json_array_get(frames, 0)),
                        "0x7f0012345678 libc.so.6(raise+0x12)");
    assert_string_equal(json_string_value(json_array_get(frames, 1)), "0x7f0012345abc");
    json_decref(report);
    free(box);
}

static void a_signal_that_was_sent_has_a_sender_and_no_address(void **state)
{
    (void)state;
    static const struct {
        int signal;
        int code;
        const char *meaning;
    } cases[] = {
        {SIGABRT, SI_USER, "sent by a process"},
        {SIGABRT, SI_TKILL, "sent by a thread, as abort() does"},
        {SIGSEGV, SI_USER, "sent by a process"},
        {SIGABRT, -77, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct blackbox *box = new_box();
        box->death.signal = (uint64_t)cases[i].signal;
        box->death.code = cases[i].code;
        box->death.sender = 42;
        struct crash_input input = make_input();
        input.blackbox = box;
        json_t *report = report_build(&input, id);
        const json_t *fault = json_object_get(report, "fault");
        assert_int_equal(number_of(fault, "sender_pid"), 42);
        expect_null(fault, "address");
        assert_false(json_is_true(json_object_get(fault, "is_complete")));
        if (cases[i].meaning == NULL) {
            expect_null(fault, "meaning");
        } else {
            assert_string_equal(text_of(fault, "meaning"), cases[i].meaning);
        }
        expect_null(report, "c_backtrace");
        expect_null(report, "lua_stack");
        json_decref(report);
        free(box);
    }
}

static void log_lines_are_masked_and_have_a_level(void **state)
{
    (void)state;
    struct blackbox *box = new_box();
    put_line(box, 0, LOG_LEVEL_WARNING, "slow url=/x?token=abc");
    put_line(box, 1, 77, "\x1b[31mof no level, key s3cr3t-key");
    static const char *const secrets[] = {"s3cr3t-key"};
    static const struct mask mask = {secrets, 1};
    struct crash_input input = make_input();
    input.blackbox = box;
    input.mask = &mask;
    json_t *report = report_build(&input, id);
    const json_t *lines = json_object_get(report, "log_lines");
    assert_int_equal(json_array_size(lines), 2);
    assert_string_equal(text_of(json_array_get(lines, 0), "text"), "slow url=/x?token=***");
    assert_string_equal(text_of(json_array_get(lines, 0), "level"), "warning");
    assert_int_equal(number_of(json_array_get(lines, 0), "at"), (AT_US - 1000000) / 1000);
    assert_string_equal(text_of(json_array_get(lines, 1), "text"), "?[31mof no level, key ***");
    assert_string_equal(text_of(json_array_get(lines, 1), "level"), "unknown");
    json_decref(report);
    free(box);
}

static void a_secret_shows_up_nowhere(void **state)
{
    (void)state;
    static const char *const secrets[] = {"canary-5f2"};
    static const struct mask mask = {secrets, 1};
    struct blackbox *box = new_box();
    put_request(box, 0, "/x/canary-5f2/y", true);
    put_request(box, 1, "/x/canary%2D5f2/y", false);
    memcpy(box->requests[0].place, "canary-5f2.lua:1", 16);
    memcpy(box->requests[0].id, "id-canary-5f2", 13);
    box->requests[0].id_len = 13;
    box->now = blackbox_word(BLACKBOX_REQUEST, 1, 0);
    put_line(box, 0, LOG_LEVEL_INFO, "saw canary-5f2");
    box->death.signal = SIGABRT;
    memcpy(box->death.lua_stack, "canary-5f2.lua:3", 16);
    box->death.lua_len = 16;
    memcpy(box->death.names[0], "canary-5f2(main+0x1)", 20);
    box->death.frame_count = 1;
    box->death.named_count = 1;
    struct crash_input input = make_input();
    input.blackbox = box;
    input.mask = &mask;
    input.why = "no canary-5f2 here";
    input.next = "canary-5f2";
    json_t *report = report_build(&input, id);
    char *text = json_dumps(report, 0);
    assert_non_null(strstr(text, MASK_SIGN));
    assert_ptr_equal(NULL, strstr(text, "canary"));
    free(text);
    json_decref(report);
    free(box);
}

/* Every byte of a box is the worker's: the report is JSON nevertheless. */
static void rubbish_in_the_box_makes_a_report(void **state)
{
    (void)state;
    static const unsigned char fills[] = {0x01, 0x2e, 0x7f, 0x80, 0xfe, 0xff};
    for (size_t i = 0; i < sizeof(fills); i++) {
        struct blackbox *box = new_box();
        memset((char *)box + sizeof(box->version), fills[i], sizeof(*box) - sizeof(box->version));
        struct crash_input input = make_input();
        input.blackbox = box;
        json_t *report = report_build(&input, id);
        char *text = json_dumps(report, JSON_INDENT(1));
        assert_non_null(text);
        assert_true(strlen(text) < 512 << 10); /* what the store would read again */
        free(text);
        json_decref(report);
        free(box);
    }
}

static void a_row_of_the_list_is_taken_from_a_report(void **state)
{
    (void)state;
    struct blackbox *box = new_box();
    put_request(box, 0, "/stuck", true);
    box->now = blackbox_word(BLACKBOX_REQUEST, 1, 0);
    struct crash_input input = make_input();
    input.blackbox = box;
    json_t *report = report_build(&input, id);
    json_t *row = report_summarize(report);
    assert_int_equal(json_object_size(row), 9);
    assert_string_equal(text_of(row, "id"), id);
    assert_int_equal(number_of(row, "at"), AT_US / 1000);
    assert_string_equal(text_of(row, "running"), "GET /stuck");
    assert_string_equal(text_of(row, "next"), "the standby took its place");
    json_decref(row);
    assert_int_equal(json_object_set_new(report, "running", json_null()), 0);
    row = report_summarize(report);
    expect_null(row, "running");
    json_decref(row);
    json_decref(report);
    free(box);
}

static void what_is_no_report_has_no_row(void **state)
{
    (void)state;
    static const char *const keys[] = {"schema", "id",    "at",      "pool", "slot",
                                       "pid",    "class", "running", "next"};
    struct crash_input input = make_input();
    json_t *report = report_build(&input, id);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        json_t *spoilt = json_copy(report);
        assert_int_equal(json_object_set_new(spoilt, keys[i], json_true()), 0);
        assert_ptr_equal(NULL, report_summarize(spoilt));
        assert_int_equal(json_object_del(spoilt, keys[i]), 0);
        assert_ptr_equal(NULL, report_summarize(spoilt));
        json_decref(spoilt);
    }
    json_t *spoilt = json_copy(report);
    assert_int_equal(json_object_set_new(spoilt, "running", json_pack("{s:i}", "what", 1)), 0);
    json_t *row = report_summarize(spoilt);
    expect_null(row, "running");
    json_decref(row);
    json_decref(spoilt);
    json_decref(report);
    assert_ptr_equal(NULL, report_summarize(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_master_knows_is_in_it),
        cmocka_unit_test(what_nobody_knows_is_null_or_empty),
        cmocka_unit_test(the_reason_of_a_refusal_is_part_of_the_cause),
        cmocka_unit_test(what_ran_and_what_was_open_is_in_it),
        cmocka_unit_test(finished_requests_tell_status_and_duration),
        cmocka_unit_test(code_without_a_request_is_named_as_well),
        cmocka_unit_test(the_fault_and_both_stacks_are_in_it),
        cmocka_unit_test(a_signal_that_was_sent_has_a_sender_and_no_address),
        cmocka_unit_test(log_lines_are_masked_and_have_a_level),
        cmocka_unit_test(a_secret_shows_up_nowhere),
        cmocka_unit_test(rubbish_in_the_box_makes_a_report),
        cmocka_unit_test(a_row_of_the_list_is_taken_from_a_report),
        cmocka_unit_test(what_is_no_report_has_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
