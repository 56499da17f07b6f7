/* From a dead worker to the answers of the method "crashes". */
#include "daemon/crash/crashes.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/blackbox.h"

#define AT_US 1795343635123456ULL /* 2026-11-22 10:33:55 */

struct fixture {
    char state_path[32];
    char folder[64];
    struct crashes crashes;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    (void)snprintf(fixture->state_path, sizeof(fixture->state_path), "/tmp/fsd-crashes-XXXXXX");
    assert_non_null(mkdtemp(fixture->state_path));
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "%s/crashes", fixture->state_path);
    assert_int_equal(crashes_open(&fixture->crashes, fixture->state_path, NULL), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    crashes_close(&fixture->crashes);
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", fixture->state_path);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static struct crash_input make_input(uint64_t incarnation)
{
    return (struct crash_input){
        .at_us = AT_US,
        .facts = {.is_reaped = true,
                  .cause = {true, SIGKILL},
                  .state = CRASH_SERVING,
                  .is_oom_counted = true,
                  .oom_kills = 1,
                  .unexplained = 1},
        .pool = "web",
        .slot = 2,
        .pid = 4711,
        .incarnation = incarnation,
        .next = "restart in 200 ms",
    };
}

static void a_crash_shows_up_in_both_answers(void **state)
{
    struct fixture *fixture = *state;
    struct crash_input input = make_input(17);
    char id[CRASH_ID_MAX];
    assert_int_equal(crashes_add(&fixture->crashes, &input, id, NULL), 0);
    assert_string_equal(id, "20261122-103355-web-2-17");
    json_t *list = crashes_list(&fixture->crashes);
    assert_string_equal(json_string_value(json_object_get(list, "schema")), "fsd.crashes/1");
    assert_string_equal(json_string_value(json_object_get(list, "folder")), fixture->folder);
    const json_t *rows = json_object_get(list, "crashes");
    assert_int_equal(json_array_size(rows), 1);
    const json_t *row = json_array_get(rows, 0);
    assert_string_equal(json_string_value(json_object_get(row, "class")), "oom");
    assert_string_equal(json_string_value(json_object_get(row, "next")), "restart in 200 ms");
    json_decref(list);
    json_t *report = crashes_get(&fixture->crashes, id, NULL);
    assert_string_equal(json_string_value(json_object_get(report, "schema")), "fsd.crash/1");
    assert_string_equal(json_string_value(json_object_get(report, "id")), id);
    json_decref(report);
}

static void two_of_the_same_name_are_both_kept(void **state)
{
    struct fixture *fixture = *state;
    struct crash_input input = make_input(17);
    char id[CRASH_ID_MAX];
    assert_int_equal(crashes_add(&fixture->crashes, &input, id, NULL), 0);
    assert_int_equal(crashes_add(&fixture->crashes, &input, id, NULL), 0);
    assert_string_equal(id, "20261122-103355-web-2-17-1");
    json_t *list = crashes_list(&fixture->crashes);
    assert_int_equal(json_array_size(json_object_get(list, "crashes")), 2);
    json_decref(list);
}

static void a_failing_disk_changes_neither_answer(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(symlink("/nonexistent", fixture->folder), 0);
    struct crash_input input = make_input(17);
    char id[CRASH_ID_MAX];
    struct fsd_err err = {0};
    assert_true(crashes_add(&fixture->crashes, &input, id, &err) < 0);
    assert_true(crashes_is_failing(&fixture->crashes));
    assert_string_not_equal(err.text, "");
    assert_string_equal(id, "20261122-103355-web-2-17");
    json_t *report = crashes_get(&fixture->crashes, id, NULL);
    assert_non_null(report);
    json_decref(report);
    assert_int_equal(unlink(fixture->folder), 0);
    assert_int_equal(crashes_retry(&fixture->crashes, NULL), 0);
    assert_false(crashes_is_failing(&fixture->crashes));
}

static void what_waits_is_written_at_the_end(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(symlink("/nonexistent", fixture->folder), 0);
    struct crash_input input = make_input(17);
    char id[CRASH_ID_MAX];
    assert_true(crashes_add(&fixture->crashes, &input, id, NULL) < 0);
    assert_int_equal(unlink(fixture->folder), 0);
    crashes_close(&fixture->crashes);
    assert_int_equal(crashes_open(&fixture->crashes, fixture->state_path, NULL), 0);
    json_t *report = crashes_get(&fixture->crashes, id, NULL);
    assert_non_null(report);
    json_decref(report);
}

static void an_unknown_id_has_a_sentence_for_the_caller(void **state)
{
    struct fixture *fixture = *state;
    struct fsd_err err = {0};
    assert_ptr_equal(NULL, crashes_get(&fixture->crashes, "nope", &err));
    assert_string_equal(err.text, "there is no crash report \"nope\"");
}

/* ---- memory that is out: the n-th allocation for JSON fails, and every one after it ---- */

static long allocations_left;

static void *fail_at_last(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static struct blackbox *new_box(void)
{
    struct blackbox *box = calloc(1, BLACKBOX_SIZE);
    assert_non_null(box);
    box->version = BLACKBOX_VERSION;
    for (unsigned i = 0; i < 2; i++) {
        box->requests[i].number = i + 1;
        box->requests[i].is_open = i == 0;
        box->requests[i].method_len = 3;
        memcpy(box->requests[i].method, "GET", 3);
    }
    box->now = blackbox_word(BLACKBOX_REQUEST, 1, 0);
    box->lines[0].number = 1;
    box->death.signal = SIGSEGV;
    box->death.frame_count = 2;
    return box;
}

static void out_of_memory_costs_the_report_and_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    struct blackbox *box = new_box();
    struct crash_input input = make_input(17);
    input.blackbox = box;
    int result = -ENOMEM;
    long failed = 0;
    for (; result != 0; failed++) {
        assert_true(failed < 10000);
        char id[CRASH_ID_MAX] = "?";
        struct fsd_err err = {0};
        allocations_left = failed;
        json_set_alloc_funcs(fail_at_last, free);
        result = crashes_add(&fixture->crashes, &input, id, &err);
        json_t *list = crashes_list(&fixture->crashes); /* as well */
        json_set_alloc_funcs(malloc, free);
        json_decref(list);
        if (result != 0) {
            assert_int_equal(result, -ENOMEM);
            assert_string_equal(id, "");
            assert_non_null(strstr(err.text, "out of memory"));
            assert_int_equal(fixture->crashes.store.count, 0);
        }
    }
    assert_true(failed > 50); /* it has met them all */
    json_t *report = crashes_get(&fixture->crashes, "20261122-103355-web-2-17", NULL);
    assert_int_equal(json_array_size(json_object_get(report, "c_backtrace")), 2);
    json_decref(report);
    free(box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_crash_shows_up_in_both_answers),
        TEST(two_of_the_same_name_are_both_kept),
        TEST(a_failing_disk_changes_neither_answer),
        TEST(what_waits_is_written_at_the_end),
        TEST(an_unknown_id_has_a_sentence_for_the_caller),
        TEST(out_of_memory_costs_the_report_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
