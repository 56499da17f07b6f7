/* The recorder, read back through the master's reader. */
#include "worker/core/recorder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/blackbox.h"
#include "common/clock.h"
#include "common/log_level.h"

enum { SECOND_US = 1000000 };

struct fixture {
    struct recorder recorder;
    struct blackbox_copy copy;
};

static int open_recorder(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    int fd = blackbox_create();
    assert_int_equal(recorder_open(&fixture->recorder, fd), 0);
    (void)close(fd);
    *state = fixture;
    return 0;
}

static int close_recorder(void **state)
{
    struct fixture *fixture = *state;
    recorder_close(&fixture->recorder);
    free(fixture);
    return 0;
}

static struct recorder_subject make_subject(const char *path)
{
    return (struct recorder_subject){.method = "GET",
                                     .method_len = 3,
                                     .path = path,
                                     .path_len = strlen(path),
                                     .id = "",
                                     .id_high = 1,
                                     .id_low = 0x2a,
                                     .generation = 7};
}

static void note(struct fixture *fixture, struct recorder_ticket *ticket, const char *path)
{
    struct recorder_subject subject = make_subject(path);
    recorder_note(&fixture->recorder, ticket, &subject);
}

static const struct blackbox_copy *read_box(struct fixture *fixture)
{
    blackbox_read(fixture->recorder.box, &fixture->copy);
    return &fixture->copy;
}

static unsigned count_open(struct fixture *fixture)
{
    const struct blackbox_copy *copy = read_box(fixture);
    unsigned count = 0;
    for (unsigned i = 0; i < copy->request_count; i++) {
        count += copy->requests[i].is_open ? 1 : 0;
    }
    return count;
}

static void a_request_is_open_until_it_ends(void **state)
{
    struct fixture *fixture = *state;
    struct recorder_ticket ticket = {0};
    char place[BLACKBOX_PLACE_MAX] = "app.lua:12";
    assert_false(recorder_has(&fixture->recorder, &ticket));
    note(fixture, &ticket, "/shop");
    assert_true(recorder_has(&fixture->recorder, &ticket));
    const struct blackbox_request *request = &read_box(fixture)->requests[0];
    assert_true(request->is_open);
    assert_string_equal(request->method, "GET");
    assert_string_equal(request->path, "/shop");
    assert_string_equal(request->id, "1-2a");
    assert_string_equal(request->place, "");
    assert_int_equal(request->generation, 7);
    recorder_note_place(&fixture->recorder, &ticket, place);
    recorder_note_end(&fixture->recorder, &ticket, 404);
    assert_int_equal(read_box(fixture)->request_count, 1);
    assert_false(request->is_open);
    assert_int_equal(request->status, 404);
    assert_string_equal(request->place, "app.lua:12");
    assert_true(request->duration_us < 60U * SECOND_US);
    uint64_t now_us = clock_wall_us();
    assert_true(request->begun_wall_us <= now_us + SECOND_US);
    assert_true(request->begun_wall_us + 60U * SECOND_US > now_us);
}

static void texts_that_are_too_long_are_cut(void **state)
{
    struct fixture *fixture = *state;
    struct recorder_ticket ticket = {0};
    char path[BLACKBOX_PATH_MAX + 50];
    char id[BLACKBOX_ID_MAX + 1];
    memset(path, 'p', sizeof(path));
    memset(id, 'i', sizeof(id));
    id[BLACKBOX_ID_MAX] = '\0';
    struct recorder_subject subject = {.method = path,
                                       .method_len = sizeof(path),
                                       .path = path,
                                       .path_len = sizeof(path),
                                       .id = id};
    recorder_note(&fixture->recorder, &ticket, &subject);
    const struct blackbox_request *request = &read_box(fixture)->requests[0];
    assert_int_equal(strlen(request->method), BLACKBOX_METHOD_MAX);
    assert_int_equal(strlen(request->path), BLACKBOX_PATH_MAX);
    assert_string_equal(request->id, id);
}

static void the_last_ones_are_kept_and_open_ones_among_them(void **state)
{
    struct fixture *fixture = *state;
    struct recorder_ticket slow = {0};
    note(fixture, &slow, "/slow");
    for (int i = 0; i < 1000; i++) {
        struct recorder_ticket ticket = {0};
        note(fixture, &ticket, "/quick");
        recorder_note_end(&fixture->recorder, &ticket, 200);
    }
    const struct blackbox_copy *copy = read_box(fixture);
    assert_int_equal(copy->request_count, BLACKBOX_REQUESTS);
    assert_int_equal(copy->requests[0].number, 1001);
    assert_string_equal(copy->requests[BLACKBOX_REQUESTS - 1].path, "/slow");
    assert_true(copy->requests[BLACKBOX_REQUESTS - 1].is_open);
    assert_true(recorder_has(&fixture->recorder, &slow));
    recorder_note_end(&fixture->recorder, &slow, 200);
    assert_int_equal(count_open(fixture), 0);
}

static void too_many_open_ones_push_the_oldest_out_which_may_come_again(void **state)
{
    struct fixture *fixture = *state;
    enum { MANY = 200 };
    struct recorder_ticket tickets[MANY] = {{0}};
    for (int i = 0; i < MANY; i++) {
        note(fixture, &tickets[i], "/open");
    }
    assert_false(recorder_has(&fixture->recorder, &tickets[0]));
    assert_true(recorder_has(&fixture->recorder, &tickets[MANY - 1]));
    assert_int_equal(count_open(fixture), BLACKBOX_OPEN);
    uint64_t begun_us = tickets[0].begun_us;
    note(fixture, &tickets[0], "/again");
    assert_true(recorder_has(&fixture->recorder, &tickets[0]));
    assert_int_equal(tickets[0].begun_us, begun_us);
    for (int i = 0; i < MANY; i++) {
        recorder_note_end(&fixture->recorder, &tickets[i], 200);
    }
    assert_int_equal(count_open(fixture), 0);
    assert_int_equal(fixture->recorder.open_count, 0);
}

static void what_is_on_the_cpu_stands_there_until_it_lets_go(void **state)
{
    struct fixture *fixture = *state;
    struct recorder_ticket ticket = {0};
    struct blackbox_now now;
    note(fixture, &ticket, "/shop");
    blackbox_read_now(fixture->recorder.box, &now);
    assert_int_equal(now.kind, BLACKBOX_NOTHING);
    recorder_run(&fixture->recorder, &ticket);
    blackbox_read_now(fixture->recorder.box, &now);
    assert_int_equal(now.kind, BLACKBOX_REQUEST);
    assert_string_equal(now.request.path, "/shop");
    assert_true(now.since_mono_us <= clock_monotonic_us());
    recorder_pause(&fixture->recorder);
    recorder_run_load(&fixture->recorder, 9, "app.lua!", 7);
    blackbox_read_now(fixture->recorder.box, &now);
    assert_int_equal(now.kind, BLACKBOX_LOAD);
    assert_int_equal(now.generation, 9);
    assert_string_equal(now.name, "app.lua");
    recorder_pause(&fixture->recorder);
    recorder_run_task(&fixture->recorder, "hook");
    blackbox_read_now(fixture->recorder.box, &now);
    assert_int_equal(now.kind, BLACKBOX_TASK);
    assert_string_equal(now.name, "hook");
    const char where[BLACKBOX_PLACE_MAX] = "room";
    recorder_run_place(&fixture->recorder, where, 7);
    blackbox_read_now(fixture->recorder.box, &now);
    assert_int_equal(now.kind, BLACKBOX_TASK);
    assert_string_equal(now.name, "room");
    assert_int_equal(now.since_mono_us, 7);
    recorder_pause(&fixture->recorder);
    blackbox_read_now(fixture->recorder.box, &now);
    assert_int_equal(now.kind, BLACKBOX_NOTHING);
}

static void add_line(struct fixture *fixture, int level, const char *text)
{
    recorder_line(&fixture->recorder, level, 5, text, strlen(text));
}

static void add_field(struct fixture *fixture, const char *key, const char *text)
{
    recorder_line_add(&fixture->recorder, key, strlen(key), text, strlen(text));
}

static void the_last_lines_are_kept_with_their_fields(void **state)
{
    struct fixture *fixture = *state;
    char text[32];
    for (int i = 1; i <= 100; i++) {
        (void)snprintf(text, sizeof(text), "line %d", i);
        add_line(fixture, LOG_LEVEL_INFO, text);
    }
    add_field(fixture, "user", "7");
    add_field(fixture, "tracebacks", "");
    const struct blackbox_copy *copy = read_box(fixture);
    assert_int_equal(copy->line_count, BLACKBOX_LINES);
    assert_string_equal(copy->lines[0].text, "line 69");
    assert_string_equal(copy->lines[BLACKBOX_LINES - 1].text, "line 100 user=7 tracebacks=");
    assert_int_equal(copy->lines[0].wall_us, 5);
    assert_int_equal(copy->lines[0].level, LOG_LEVEL_INFO);
}

static void a_long_line_is_cut_unless_it_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    char text[3 * BLACKBOX_ERROR_MAX];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    add_line(fixture, LOG_LEVEL_INFO, text);
    add_line(fixture, LOG_LEVEL_ERROR, text);
    add_line(fixture, LOG_LEVEL_INFO, "after");
    const struct blackbox_copy *copy = read_box(fixture);
    assert_int_equal(copy->line_count, 3);
    assert_int_equal(strlen(copy->lines[0].text), BLACKBOX_LINE_MAX);
    assert_int_equal(strlen(copy->lines[1].text), BLACKBOX_ERROR_MAX);
    assert_string_equal(copy->lines[2].text, "after");
}

static void a_traceback_moves_an_error_to_the_long_ones(void **state)
{
    struct fixture *fixture = *state;
    char traceback[1000];
    memset(traceback, 't', sizeof(traceback) - 1);
    traceback[sizeof(traceback) - 1] = '\0';
    for (int i = 0; i < 10; i++) {
        add_line(fixture, LOG_LEVEL_ERROR, "boom");
        add_field(fixture, "path", "/x");
        add_field(fixture, "traceback", traceback);
        add_line(fixture, LOG_LEVEL_INFO, "between");
    }
    const struct blackbox_copy *copy = read_box(fixture);
    assert_int_equal(copy->line_count, 10 + BLACKBOX_ERRORS);
    const struct blackbox_line *line = &copy->lines[copy->line_count - 2];
    assert_int_equal(line->number, 19);
    assert_memory_equal(line->text, "boom path=/x\nttt", 16);
    assert_int_equal(strlen(line->text), 13 + sizeof(traceback) - 1);
    assert_int_equal(line->level, LOG_LEVEL_ERROR);
}

static void without_a_box_nothing_happens(void **state)
{
    (void)state;
    struct recorder recorder = {0};
    struct recorder_ticket ticket = {0};
    struct recorder_subject subject = make_subject("/");
    assert_true(recorder_open(&recorder, -1) < 0);
    recorder_note(&recorder, &ticket, &subject);
    recorder_note_place(&recorder, &ticket, "");
    recorder_run(&recorder, &ticket);
    recorder_run_task(&recorder, "hook");
    recorder_run_place(&recorder, "", 1);
    recorder_run_load(&recorder, 1, "app.lua", 7);
    recorder_pause(&recorder);
    recorder_note_end(&recorder, &ticket, 200);
    recorder_line(&recorder, LOG_LEVEL_INFO, 1, "text", 4);
    recorder_line_add(&recorder, "key", 3, "text", 4);
    assert_true(recorder_has(&recorder, &ticket)); /* so nobody tries to enter it again and again */
    assert_int_equal(ticket.number, 0);
    recorder_close(&recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_recorder, close_recorder)
        TEST(a_request_is_open_until_it_ends),
        TEST(texts_that_are_too_long_are_cut),
        TEST(the_last_ones_are_kept_and_open_ones_among_them),
        TEST(too_many_open_ones_push_the_oldest_out_which_may_come_again),
        TEST(what_is_on_the_cpu_stands_there_until_it_lets_go),
        TEST(the_last_lines_are_kept_with_their_fields),
        TEST(a_long_line_is_cut_unless_it_is_an_error),
        TEST(a_traceback_moves_an_error_to_the_long_ones),
        TEST(without_a_box_nothing_happens),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
