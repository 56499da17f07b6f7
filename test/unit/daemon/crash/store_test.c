/* The crash reports that are kept: in files, and in memory while no file can be written. */
#include "daemon/crash/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define AT_MS 1795343635000ULL /* 2026-11-22 10:33:55 */

struct fixture {
    char state_path[32];
    char folder[64];
    struct store store;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    (void)snprintf(fixture->state_path, sizeof(fixture->state_path), "/tmp/fsd-store-XXXXXX");
    assert_non_null(mkdtemp(fixture->state_path));
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "%s/crashes", fixture->state_path);
    assert_int_equal(store_open(&fixture->store, fixture->state_path), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    store_close(&fixture->store);
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", fixture->state_path);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

/* As many files as the folder has, whatever they are. */
static unsigned count_files(const struct fixture *fixture)
{
    unsigned count = 0;
    DIR *folder = opendir(fixture->folder);
    for (const struct dirent *entry = folder == NULL ? NULL : readdir(folder); entry != NULL;
         entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return count;
}

static void path_of(const struct fixture *fixture, const char *name, char path[256])
{
    (void)snprintf(path, 256, "%s/%s", fixture->folder, name);
}

static void write_file(const struct fixture *fixture, const char *name, const char *text)
{
    char path[256];
    path_of(fixture, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The number-th report, number seconds after the first one. */
static void name(unsigned number, char id[CRASH_ID_MAX])
{
    crash_id_format((AT_MS + number * 1000ULL) * 1000, "web", 0, number, 0, id);
}

static int add(struct fixture *fixture, unsigned number, size_t padding, struct fsd_err *err)
{
    char id[CRASH_ID_MAX];
    name(number, id);
    char *pad = calloc(1, padding + 1);
    assert_non_null(pad);
    memset(pad, 'x', padding);
    json_t *report = json_pack("{s:s, s:s, s:I, s:s, s:i, s:i, s:s, s:s, s:n, s:n, s:s}", "schema",
                               "fsd.crash/1", "id", id, "at", (json_int_t)(AT_MS + number * 1000),
                               "pool", "web", "slot", 0, "pid", 1, "class", "exit", "cause", "x",
                               "running", "next", "padding", pad);
    free(pad);
    json_t *row = json_pack("{s:s, s:I, s:s}", "id", id, "at", (json_int_t)(AT_MS + number * 1000),
                            "pool", "web");
    int result = store_add(&fixture->store, id, row, report, err);
    json_decref(report);
    return result;
}

static void expect_list(const struct store *store, const unsigned *numbers, size_t count)
{
    json_t *rows = store_list(store);
    assert_int_equal(json_array_size(rows), count);
    for (size_t i = 0; i < count; i++) {
        char id[CRASH_ID_MAX];
        name(numbers[i], id);
        assert_string_equal(json_string_value(json_object_get(json_array_get(rows, i), "id")), id);
    }
    json_decref(rows);
}

static void expect_loads(const struct store *store, unsigned number)
{
    char id[CRASH_ID_MAX];
    name(number, id);
    struct fsd_err err = {0};
    json_t *report = store_load(store, id, &err);
    assert_string_equal(json_string_value(json_object_get(report, "id")), id);
    assert_string_equal(err.text, "");
    json_decref(report);
}

static void reopen(struct fixture *fixture)
{
    store_close(&fixture->store);
    assert_int_equal(store_open(&fixture->store, fixture->state_path), 0);
}

static void an_empty_state_folder_stays_empty(void **state)
{
    struct fixture *fixture = *state;
    expect_list(&fixture->store, NULL, 0);
    assert_false(store_is_failing(&fixture->store));
    assert_int_equal(access(fixture->folder, F_OK),
                     -1); /* made when there is something to put in */
}

static void reports_are_private_files_and_listed_newest_first(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(add(fixture, i, 10, NULL), 0);
    }
    expect_list(&fixture->store, (const unsigned[]){2, 1, 0}, 3);
    expect_loads(&fixture->store, 0);
    struct stat info;
    assert_int_equal(stat(fixture->folder, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    char path[256];
    path_of(fixture, "20261122-103355-web-0-0.json", path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(count_files(fixture), 3); /* nothing but reports */
}

static void they_are_found_again_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(add(fixture, i, 10, NULL), 0);
    }
    size_t bytes = fixture->store.bytes;
    reopen(fixture);
    assert_int_equal(fixture->store.bytes, bytes);
    expect_list(&fixture->store, (const unsigned[]){2, 1, 0}, 3);
    expect_loads(&fixture->store, 1);
    json_t *rows = store_list(&fixture->store);
    assert_int_equal(json_object_size(json_array_get(rows, 0)), 9); /* the whole row */
    json_decref(rows);
}

static void the_newest_of_a_pool_is_found_before_and_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    char newest[CRASH_ID_MAX];
    name(2, newest);
    assert_null(store_find_newest(&fixture->store, "web"));
    assert_int_equal(add(fixture, 2, 10, NULL), 0);
    assert_int_equal(add(fixture, 1, 10, NULL), 0);
    assert_string_equal(store_find_newest(&fixture->store, "web"), newest);
    assert_null(store_find_newest(&fixture->store, "we"));
    reopen(fixture);
    assert_string_equal(store_find_newest(&fixture->store, "web"), newest);
    assert_null(store_find_newest(&fixture->store, "web2"));
}

static void the_oldest_go_when_there_are_too_many(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < STORE_MAX + 5; i++) {
        assert_int_equal(add(fixture, i, 10, NULL), 0);
    }
    assert_int_equal(fixture->store.count, STORE_MAX);
    assert_int_equal(count_files(fixture), STORE_MAX);
    char id[CRASH_ID_MAX];
    name(4, id);
    assert_false(store_has(&fixture->store, id));
    expect_loads(&fixture->store, 5);
    expect_loads(&fixture->store, STORE_MAX + 4);
}

static void the_oldest_go_when_they_take_too_much(void **state)
{
    struct fixture *fixture = *state;
    enum { PADDING = 400 << 10, FIT = STORE_BYTES_MAX / (PADDING + 256) };
    for (unsigned i = 0; i < FIT + 3; i++) {
        assert_int_equal(add(fixture, i, PADDING, NULL), 0);
    }
    assert_int_equal(fixture->store.count, FIT);
    assert_int_equal(count_files(fixture), FIT);
    assert_true(fixture->store.bytes <= STORE_BYTES_MAX);
    expect_loads(&fixture->store, FIT + 2);
    reopen(fixture);
    assert_int_equal(fixture->store.count, FIT);
}

static void too_many_files_are_thinned_out_at_the_start(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 0; i < STORE_MAX; i++) {
        assert_int_equal(add(fixture, i, 10, NULL), 0);
    }
    struct fixture other = *fixture; /* a second master, that knows of none */
    other.store = (struct store){.folder = fixture->store.folder};
    for (unsigned i = STORE_MAX; i < STORE_MAX + 10; i++) {
        assert_int_equal(add(&other, i, 10, NULL), 0);
    }
    other.store.folder = NULL;
    store_close(&other.store);
    assert_int_equal(count_files(fixture), STORE_MAX + 10);
    reopen(fixture);
    assert_int_equal(fixture->store.count, STORE_MAX);
    assert_int_equal(count_files(fixture), STORE_MAX);
    expect_loads(&fixture->store, 10);
    expect_loads(&fixture->store, STORE_MAX + 9);
}

static void a_clock_that_was_set_back_does_not_cost_the_new_report(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned i = 1000; i < 1000 + STORE_MAX; i++) {
        assert_int_equal(add(fixture, i, 10, NULL), 0);
    }
    assert_int_equal(add(fixture, 1, 10, NULL), 0);
    expect_loads(&fixture->store, 1);
    assert_int_equal(fixture->store.count, STORE_MAX);
}

static void what_is_no_report_is_ignored_and_left_alone(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(add(fixture, 0, 10, NULL), 0);
    char path[256];
    static const char good[] =
        "{\"schema\":\"fsd.crash/1\",\"id\":\"20261122-103355-%s\",\"at\":%s,\"pool\":\"w\","
        "\"slot\":0,\"pid\":1,\"class\":\"exit\",\"cause\":\"x\",\"running\":null,\"next\":null}";
    char text[512];
    write_file(fixture, "README", "hello");
    write_file(fixture, "x.json", "{}");
    write_file(fixture, ".json", "{}");
    write_file(fixture, "20261122-103355-a-0-1.json", "");
    write_file(fixture, "20261122-103355-a-0-2.json", "{\"schema\":");
    write_file(fixture, "20261122-103355-a-0-3.json", "[]");
    write_file(fixture, "20261122-103355-A-0-4.json", "{}");
    (void)snprintf(text, sizeof(text), good, "other-0-5", "1795343635000");
    write_file(fixture, "20261122-103355-a-0-5.json", text); /* another id */
    (void)snprintf(text, sizeof(text), good, "a-0-6", "1795343636000");
    write_file(fixture, "20261122-103355-a-0-6.json", text); /* another time */
    (void)snprintf(text, sizeof(text), good, "a-0-7", "-5");
    write_file(fixture, "20261122-103355-a-0-7.json", text);
    (void)snprintf(text, sizeof(text), good, "a-0-8", "9223372036854775807");
    write_file(fixture, "20261122-103355-a-0-8.json", text);
    path_of(fixture, "20261122-103355-a-0-9.json", path);
    assert_int_equal(symlink("20261122-103355-web-0-0.json", path), 0);
    path_of(fixture, "20261122-103355-a-0-10.json", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    path_of(fixture, "20261122-103355-a-0-11.json", path);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(fixture, "20261122-103355-a-0-12.json", "big");
    path_of(fixture, "20261122-103355-a-0-12.json", path);
    assert_int_equal(truncate(path, 1 << 20), 0);
    unsigned files = count_files(fixture);
    reopen(fixture);
    expect_list(&fixture->store, (const unsigned[]){0}, 1);
    assert_int_equal(count_files(fixture), files);
}

static void only_known_ids_are_loaded(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(add(fixture, 0, 10, NULL), 0);
    static const char *const ids[] = {"", "../../etc/passwd", "20261122-103355-web-0-1",
                                      "20261122-103355-web-0-0.json"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct fsd_err err = {0};
        assert_ptr_equal(NULL, store_load(&fixture->store, ids[i], &err));
        assert_non_null(strstr(err.text, "there is no crash report \""));
    }
}

static void a_file_that_was_removed_or_spoilt_meanwhile_is_said(void **state)
{
    struct fixture *fixture = *state;
    static const char id[] = "20261122-103355-web-0-0";
    assert_int_equal(add(fixture, 0, 10, NULL), 0);
    write_file(fixture, "20261122-103355-web-0-0.json", "{}");
    struct fsd_err err = {0};
    assert_ptr_equal(NULL, store_load(&fixture->store, id, &err));
    assert_non_null(strstr(err.text, "it is no report"));
    char path[256];
    path_of(fixture, "20261122-103355-web-0-0.json", path);
    assert_int_equal(unlink(path), 0);
    assert_ptr_equal(NULL, store_load(&fixture->store, id, &err));
    assert_non_null(strstr(err.text, "No such file or directory"));
}

static void without_a_folder_reports_stay_in_memory_until_there_is_one(void **state)
{
    struct fixture *fixture = *state;
    int fd = open(fixture->folder, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* in its place */
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    struct fsd_err err = {0};
    assert_int_equal(add(fixture, 0, 10, &err), -ENOTDIR);
    assert_non_null(strstr(err.text, "cannot open folder \""));
    assert_true(store_is_failing(&fixture->store));
    assert_int_equal(add(fixture, 1, 10, &err), -ENOTDIR);
    expect_list(&fixture->store, (const unsigned[]){1, 0}, 2);
    expect_loads(&fixture->store, 0);
    assert_int_equal(store_retry(&fixture->store, &err), -ENOTDIR);
    assert_int_equal(unlink(fixture->folder), 0);
    assert_int_equal(add(fixture, 2, 10, NULL), 0); /* takes the others along */
    assert_false(store_is_failing(&fixture->store));
    assert_int_equal(count_files(fixture), 3);
    reopen(fixture);
    expect_list(&fixture->store, (const unsigned[]){2, 1, 0}, 3);
}

static void a_retry_writes_what_has_waited(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(store_retry(&fixture->store, NULL), 0); /* nothing waits */
    assert_int_equal(symlink("elsewhere", fixture->folder), 0);
    struct fsd_err err = {0};
    assert_true(add(fixture, 0, 10, &err) < 0); /* no link is followed */
    assert_int_equal(unlink(fixture->folder), 0);
    assert_int_equal(store_retry(&fixture->store, &err), 0);
    assert_false(store_is_failing(&fixture->store));
    assert_int_equal(count_files(fixture), 1);
}

static void only_the_newest_stay_in_memory(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(add(fixture, 0, 10, NULL), 0);
    char aside[80];
    (void)snprintf(aside, sizeof(aside), "%s/aside", fixture->state_path);
    assert_int_equal(rename(fixture->folder, aside), 0);
    assert_int_equal(symlink("/nonexistent", fixture->folder), 0);
    for (unsigned i = 1; i <= STORE_MAX + 50; i++) {
        assert_true(add(fixture, i, 10, NULL) < 0);
    }
    assert_int_equal(fixture->store.count, STORE_MEMORY_MAX + 1); /* and the one in its file */
    expect_loads(&fixture->store, STORE_MAX + 50);
    char id[CRASH_ID_MAX];
    name(STORE_MAX + 50 - STORE_MEMORY_MAX, id);
    assert_false(store_has(&fixture->store, id));
    assert_int_equal(unlink(fixture->folder), 0);
    assert_int_equal(rename(aside, fixture->folder), 0);
    assert_int_equal(store_retry(&fixture->store, NULL), 0);
    assert_int_equal(count_files(fixture), STORE_MEMORY_MAX + 1);
}

/* As on a full disk: some bytes are written, then no more. */
static void a_half_written_file_is_not_left_behind(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    struct rlimit tight = {.rlim_cur = 1000, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    struct fsd_err err = {0};
    int result = add(fixture, 0, 5000, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(result, -EFBIG);
    assert_non_null(strstr(err.text, "cannot write \""));
    assert_int_equal(count_files(fixture), 0);
    expect_loads(&fixture->store, 0);
    assert_int_equal(store_retry(&fixture->store, NULL), 0);
    assert_int_equal(count_files(fixture), 1);
    expect_loads(&fixture->store, 0);
}

/* Left by a master that was killed while it wrote. */
static void a_temporary_file_of_old_is_in_nobodys_way(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(mkdir(fixture->folder, 0700), 0);
    char target[80];
    (void)snprintf(target, sizeof(target), "%s/target", fixture->state_path);
    char path[256];
    path_of(fixture, "new.tmp", path);
    assert_int_equal(symlink(target, path), 0);
    assert_int_equal(add(fixture, 0, 10, NULL), 0);
    assert_int_equal(access(target, F_OK), -1);
    assert_int_equal(count_files(fixture), 1);
}

static void a_missing_state_folder_is_made(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(rmdir(fixture->state_path), 0);
    assert_int_equal(add(fixture, 0, 10, NULL), 0);
    assert_int_equal(count_files(fixture), 1);
}

static void a_store_that_was_never_opened_can_be_closed(void **state)
{
    (void)state;
    struct store store = {0};
    store_close(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(an_empty_state_folder_stays_empty),
        TEST(reports_are_private_files_and_listed_newest_first),
        TEST(they_are_found_again_after_a_restart),
        TEST(the_newest_of_a_pool_is_found_before_and_after_a_restart),
        TEST(the_oldest_go_when_there_are_too_many),
        TEST(the_oldest_go_when_they_take_too_much),
        TEST(too_many_files_are_thinned_out_at_the_start),
        TEST(a_clock_that_was_set_back_does_not_cost_the_new_report),
        TEST(what_is_no_report_is_ignored_and_left_alone),
        TEST(only_known_ids_are_loaded),
        TEST(a_file_that_was_removed_or_spoilt_meanwhile_is_said),
        TEST(without_a_folder_reports_stay_in_memory_until_there_is_one),
        TEST(a_retry_writes_what_has_waited),
        TEST(only_the_newest_stay_in_memory),
        TEST(a_half_written_file_is_not_left_behind),
        TEST(a_temporary_file_of_old_is_in_nobodys_way),
        TEST(a_missing_state_folder_is_made),
        cmocka_unit_test(a_store_that_was_never_opened_can_be_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
