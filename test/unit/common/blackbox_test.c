/* The black box: shared, sealed, and read without trust. */
#include "common/blackbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    int fd;
    const struct blackbox *master;
    struct blackbox *worker;
    struct blackbox_copy copy;
};

static int open_box(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    fixture->fd = blackbox_create();
    fixture->master = blackbox_map(fixture->fd, false);
    fixture->worker = blackbox_map(fixture->fd, true);
    assert_non_null(fixture->master);
    assert_non_null(fixture->worker);
    fixture->worker->version = BLACKBOX_VERSION;
    *state = fixture;
    return 0;
}

static int close_box(void **state)
{
    struct fixture *fixture = *state;
    blackbox_unmap(fixture->master);
    blackbox_unmap(fixture->worker);
    (void)close(fixture->fd);
    free(fixture);
    return 0;
}

static void write_request(struct fixture *fixture, unsigned index, uint64_t number,
                          const char *path)
{
    struct blackbox_request_entry *entry = &fixture->worker->requests[index];
    entry->sequence = 2;
    entry->number = number;
    entry->method_len = 3;
    entry->path_len = (uint16_t)strlen(path);
    memcpy(entry->method, "GET", 3);
    memcpy(entry->path, path, strlen(path));
}

static void write_line(struct fixture *fixture, unsigned index, uint64_t number, const char *text)
{
    struct blackbox_line_entry *entry = &fixture->worker->lines[index];
    entry->number = number;
    entry->len = (uint32_t)strlen(text);
    memcpy(entry->text, text, strlen(text));
}

static const struct blackbox_copy *read_box(struct fixture *fixture)
{
    memset(&fixture->copy, 0xff, sizeof(fixture->copy));
    blackbox_read(fixture->master, &fixture->copy);
    return &fixture->copy;
}

static void a_request_is_read_as_it_was_written(void **state)
{
    struct fixture *fixture = *state;
    write_request(fixture, 5, 9, "/shop");
    struct blackbox_request_entry *entry = &fixture->worker->requests[5];
    fixture->worker->wall_offset_us = 1000;
    entry->begun_us = 50;
    entry->duration_us = 7;
    entry->status = 404;
    entry->generation = 3;
    entry->id_high = 0x1f;
    entry->id_low = 0xab;
    memcpy(entry->place, "app.lua:12", 11);
    const struct blackbox_copy *copy = read_box(fixture);
    assert_true(copy->is_written);
    assert_int_equal(copy->request_count, 1);
    const struct blackbox_request *request = &copy->requests[0];
    assert_int_equal(request->number, 9);
    assert_string_equal(request->method, "GET");
    assert_string_equal(request->path, "/shop");
    assert_string_equal(request->place, "app.lua:12");
    assert_string_equal(request->id, "1f-ab");
    assert_int_equal(request->status, 404);
    assert_int_equal(request->duration_us, 7);
    assert_int_equal(request->begun_mono_us, 50);
    assert_int_equal(request->begun_wall_us, 1050);
    assert_int_equal(request->generation, 3);
    assert_false(request->is_open);
}

static void an_open_request_has_neither_status_nor_duration(void **state)
{
    struct fixture *fixture = *state;
    write_request(fixture, 0, 1, "/");
    struct blackbox_request_entry *entry = &fixture->worker->requests[0];
    entry->is_open = 1;
    entry->status = 200;
    entry->duration_us = 5;
    entry->id_len = 4;
    memcpy(entry->id, "mine", 4);
    const struct blackbox_copy *copy = read_box(fixture);
    assert_true(copy->requests[0].is_open);
    assert_int_equal(copy->requests[0].status, 0);
    assert_int_equal(copy->requests[0].duration_us, 0);
    assert_string_equal(copy->requests[0].id, "mine");
}

static void requests_come_newest_first_and_lines_oldest_first(void **state)
{
    struct fixture *fixture = *state;
    write_request(fixture, 0, 65, "/third");
    write_request(fixture, 1, 2, "/first");
    write_request(fixture, 2, 3, "/second");
    write_line(fixture, 0, 33, "third");
    write_line(fixture, 1, 2, "first");
    struct blackbox_error_entry *error = &fixture->worker->errors[0];
    error->number = 20;
    error->level = 3;
    error->len = 6;
    memcpy(error->text, "second", 6);
    const struct blackbox_copy *copy = read_box(fixture);
    assert_int_equal(copy->request_count, 3);
    assert_string_equal(copy->requests[0].path, "/third");
    assert_string_equal(copy->requests[1].path, "/second");
    assert_string_equal(copy->requests[2].path, "/first");
    assert_int_equal(copy->line_count, 3);
    assert_string_equal(copy->lines[0].text, "first");
    assert_string_equal(copy->lines[1].text, "second");
    assert_int_equal(copy->lines[1].level, 3);
    assert_string_equal(copy->lines[2].text, "third");
}

static void what_is_half_written_is_absent(void **state)
{
    struct fixture *fixture = *state;
    write_request(fixture, 0, 1, "/");
    write_line(fixture, 0, 1, "text");
    fixture->worker->errors[0].number = 2;
    fixture->worker->requests[0].sequence = 3;
    fixture->worker->lines[0].sequence = 1;
    fixture->worker->errors[0].sequence = UINT64_MAX;
    fixture->worker->now = blackbox_word(BLACKBOX_REQUEST, 1, 0);
    const struct blackbox_copy *copy = read_box(fixture);
    assert_int_equal(copy->request_count, 0);
    assert_int_equal(copy->line_count, 0);
    assert_int_equal(copy->now.kind, BLACKBOX_REQUEST);
    assert_false(copy->now.has_request);
}

static void what_runs_is_the_request_that_the_word_names(void **state)
{
    struct fixture *fixture = *state;
    char text[BLACKBOX_TITLE_MAX];
    struct blackbox_now now;
    write_request(fixture, 63, 1000, "/slow");
    fixture->worker->now_since_us = 70;
    fixture->worker->wall_offset_us = 5;
    fixture->worker->now = blackbox_word(BLACKBOX_REQUEST, 1000, 63);
    blackbox_read_now(fixture->master, &now);
    assert_true(now.has_request);
    assert_int_equal(now.since_mono_us, 70);
    assert_int_equal(now.since_wall_us, 75);
    assert_string_equal(blackbox_title(&now, text), "GET /slow");
    fixture->worker->now = blackbox_word(BLACKBOX_REQUEST, 999, 63); /* it has another number */
    blackbox_read_now(fixture->master, &now);
    assert_false(now.has_request);
    assert_string_equal(blackbox_title(&now, text), "a request");
}

static void a_task_and_a_load_have_names(void **state)
{
    struct fixture *fixture = *state;
    char text[BLACKBOX_TITLE_MAX];
    struct blackbox_now now;
    memcpy(fixture->worker->now_name, "app.lua", 8);
    fixture->worker->now_generation = 4;
    fixture->worker->now = blackbox_word(BLACKBOX_LOAD, 0, 0);
    blackbox_read_now(fixture->master, &now);
    assert_string_equal(blackbox_title(&now, text), "loading app.lua");
    assert_int_equal(now.generation, 4);
    fixture->worker->now = blackbox_word(BLACKBOX_TASK, 0, 0);
    blackbox_read_now(fixture->master, &now);
    assert_string_equal(blackbox_title(&now, text), "task app.lua");
    assert_int_equal(now.generation, 0);
    fixture->worker->now = 0;
    blackbox_read_now(fixture->master, &now);
    assert_string_equal(blackbox_title(&now, text), "");
}

static void a_death_stands_as_far_as_it_was_written(void **state)
{
    struct fixture *fixture = *state;
    struct blackbox_death_entry *entry = &fixture->worker->death;
    entry->frame_count = 1; /* the signal comes first: without it nothing counts */
    assert_false(read_box(fixture)->death.is_noted);
    entry->signal = 11;
    entry->code = 1;
    entry->address = 0x10;
    entry->frame_count = 2;
    entry->named_count = 1;
    entry->frames[0] = 0x1000;
    entry->frames[1] = 0x2000;
    memcpy(entry->names[0], "libc.so.6(abort+0x1)", 20);
    memcpy(entry->names[1], "not yet", 7);
    memcpy(entry->lua_stack, "app.lua:1\nrubbish", 17);
    entry->lua_len = 10;
    const struct blackbox_death *death = &read_box(fixture)->death;
    assert_true(death->is_noted);
    assert_int_equal(death->signal, 11);
    assert_int_equal(death->code, 1);
    assert_int_equal(death->address, 0x10);
    assert_int_equal(death->frame_count, 2);
    assert_string_equal(death->frames[0].text, "libc.so.6(abort+0x1)");
    assert_int_equal(death->frames[1].address, 0x2000);
    assert_string_equal(death->frames[1].text, "");
    assert_string_equal(death->lua_stack, "app.lua:1\n");
    assert_false(death->is_finished);
    entry->is_finished = 1;
    assert_true(read_box(fixture)->death.is_finished);
}

static bool has_end(const char *text, size_t size)
{
    return strnlen(text, size) < size;
}

/* Whatever a worker writes: all bytes alike, so that every length, number and index is beyond its limit. */
static void numbers_beyond_their_limits_are_bounded(void **state)
{
    struct fixture *fixture = *state;
    memset(fixture->worker, 0xfe, sizeof(*fixture->worker)); /* even: no sequence is under way */
    fixture->worker->version = BLACKBOX_VERSION;
    const struct blackbox_copy *copy = read_box(fixture);
    assert_int_equal(copy->request_count, BLACKBOX_REQUESTS);
    assert_int_equal(copy->line_count, BLACKBOX_LINES + BLACKBOX_ERRORS);
    assert_int_equal(copy->death.frame_count, BLACKBOX_FRAMES);
    for (unsigned i = 0; i < copy->request_count; i++) {
        const struct blackbox_request *request = &copy->requests[i];
        assert_true(has_end(request->id, sizeof(request->id)));
        assert_true(has_end(request->method, sizeof(request->method)));
        assert_true(has_end(request->path, sizeof(request->path)));
        assert_true(has_end(request->place, sizeof(request->place)));
    }
    for (unsigned i = 0; i < copy->line_count; i++) {
        assert_true(has_end(copy->lines[i].text, sizeof(copy->lines[i].text)));
    }
    for (unsigned i = 0; i < copy->death.frame_count; i++) {
        assert_true(has_end(copy->death.frames[i].text, sizeof(copy->death.frames[i].text)));
    }
    assert_true(has_end(copy->death.lua_stack, sizeof(copy->death.lua_stack)));
    assert_true(has_end(copy->now.name, sizeof(copy->now.name)));
}

static void a_box_that_nobody_wrote_is_empty(void **state)
{
    struct fixture *fixture = *state;
    struct blackbox_now now;
    memset(fixture->worker, 0xfe, sizeof(*fixture->worker));
    const struct blackbox *boxes[] = {fixture->master, NULL};
    for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
        memset(&fixture->copy, 0xff, sizeof(fixture->copy));
        memset(&now, 0xff, sizeof(now));
        blackbox_read(boxes[i], &fixture->copy);
        blackbox_read_now(boxes[i], &now);
        assert_false(fixture->copy.is_written);
        assert_int_equal(fixture->copy.request_count, 0);
        assert_int_equal(fixture->copy.line_count, 0);
        assert_false(fixture->copy.death.is_noted);
        assert_int_equal(fixture->copy.now.kind, BLACKBOX_NOTHING);
        assert_int_equal(now.kind, BLACKBOX_NOTHING);
    }
}

static void its_size_cannot_be_changed(void **state)
{
    const struct fixture *fixture = *state;
    assert_int_equal(ftruncate(fixture->fd, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fixture->fd, 2 * BLACKBOX_SIZE), -1);
    assert_int_equal(fcntl(fixture->fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    assert_true((fcntl(fixture->fd, F_GETFD) & FD_CLOEXEC) != 0);
}

static void what_is_no_box_is_not_mapped(void **state)
{
    (void)state;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int other = memfd_create("other", MFD_CLOEXEC);
    assert_null(blackbox_map(null, true));
    assert_null(blackbox_map(other, true)); /* reading behind its end would be a SIGBUS */
    assert_int_equal(errno, EINVAL);
    assert_null(blackbox_map(-1, false));
    blackbox_unmap(NULL);
    (void)close(null);
    (void)close(other);
}

/* A reader beside a writer never sees an entry that is made of two. */
static void a_live_writer_shows_whole_entries(void **state)
{
    struct fixture *fixture = *state;
    struct blackbox_request_entry *entry = &fixture->worker->requests[0];
    pid_t writer = fork();
    if (writer == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* it has no end */
    }
    for (uint64_t i = 1; writer == 0; i++) {
        atomic_store_explicit(&entry->sequence, 2 * i - 1, memory_order_relaxed);
        atomic_thread_fence(memory_order_release);
        entry->number = i;
        entry->path_len = BLACKBOX_PATH_MAX;
        memset(entry->path, 'a' + (int)(i % 26), BLACKBOX_PATH_MAX);
        atomic_store_explicit(&entry->sequence, 2 * i, memory_order_release);
        (void)sched_yield(); /* a worker does other things in between */
    }
    unsigned seen = 0;
    uint64_t last = 0;
    while (seen < 200) {
        const struct blackbox_copy *copy = read_box(fixture);
        if (copy->request_count == 0 || copy->requests[0].number == last) {
            continue;
        }
        last = copy->requests[0].number;
        char expected[BLACKBOX_PATH_MAX + 1] = "";
        memset(expected, 'a' + (int)(last % 26), BLACKBOX_PATH_MAX);
        assert_string_equal(copy->requests[0].path, expected);
        seen++;
    }
    (void)kill(writer, SIGKILL);
    assert_int_equal(waitpid(writer, NULL, 0), writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_box, close_box)
        TEST(a_request_is_read_as_it_was_written),
        TEST(an_open_request_has_neither_status_nor_duration),
        TEST(requests_come_newest_first_and_lines_oldest_first),
        TEST(what_is_half_written_is_absent),
        TEST(what_runs_is_the_request_that_the_word_names),
        TEST(a_task_and_a_load_have_names),
        TEST(a_death_stands_as_far_as_it_was_written),
        TEST(numbers_beyond_their_limits_are_bounded),
        TEST(a_box_that_nobody_wrote_is_empty),
        TEST(its_size_cannot_be_changed),
        TEST(what_is_no_box_is_not_mapped),
        TEST(a_live_writer_shows_whole_entries),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
