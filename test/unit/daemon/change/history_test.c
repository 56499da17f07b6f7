/* Numbers that rise whatever the disk does, and texts to go back to. */
#include "daemon/change/history.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "daemon/change/history_folder.h"
#include "test/support/work_folder.h"

/* A configuration of one file; two of the same text are the same. */
struct sample {
    char path[32];
    char text[64];
    char hash[CONF_TEXT_HASH_MAX];
    struct conf_text texts[1];
};

static struct history_source make(struct sample *sample, const char *text)
{
    (void)snprintf(sample->path, sizeof(sample->path), "/etc/fsd/fsd.yaml");
    (void)snprintf(sample->text, sizeof(sample->text), "%s", text);
    sample->texts[0] = (struct conf_text){sample->path, sample->text, strlen(sample->text)};
    conf_text_hash(sample->texts, 1, sample->hash);
    return (struct history_source){sample->texts, 1, sample->hash};
}

/* Every test has a new folder as its working directory. */
static void open_new(struct history *history)
{
    struct fsd_err err = {""};
    assert_int_equal(history_open(history, "state", &err), 0);
    assert_string_equal(err.text, "");
}

static uint64_t add(struct history *history, const char *text, enum history_how how)
{
    struct sample sample;
    struct history_source source = make(&sample, text);
    struct fsd_err err = {"something of before"};
    uint64_t number = history_add(history, &source, how, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(history->running, number);
    return number;
}

/* Adds, and expects a warning that begins so. */
static uint64_t add_badly(struct history *history, const char *text, const char *warning)
{
    struct sample sample;
    struct history_source source = make(&sample, text);
    struct fsd_err err = {""};
    uint64_t number = history_add(history, &source, HISTORY_APPLY, &err);
    if (strstr(err.text, warning) == NULL) {
        fail_msg("\"%s\" instead of \"%s\"", err.text, warning);
    }
    assert_int_equal(history->running, number);
    return number;
}

static void check_text(const struct history *history, uint64_t number, const char *expected)
{
    struct conf_text *texts = NULL;
    size_t count = 0;
    struct fsd_err err = {""};
    int result = history_load(history, number, &texts, &count, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(result, 0);
    assert_int_equal(count, 1);
    assert_string_equal(texts[0].path, "/etc/fsd/fsd.yaml");
    assert_string_equal(texts[0].text, expected);
    history_record_free_texts(texts, count);
}

static void check_no_text(const struct history *history, uint64_t number, int result,
                          const char *expected)
{
    struct conf_text *texts = NULL;
    size_t count = 0;
    struct fsd_err err = {""};
    assert_int_equal(history_load(history, number, &texts, &count, &err), result);
    assert_string_equal(err.text, expected);
    assert_null(texts);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void numbers_rise_and_texts_come_back_after_a_restart(void **state)
{
    (void)state;
    struct history history;
    open_new(&history);
    assert_null(history_get(&history, 0));
    assert_false(is_there("state")); /* on demand */
    assert_int_equal(add(&history, "one", HISTORY_START), 1);
    assert_int_equal(add(&history, "two", HISTORY_APPLY), 2);
    assert_int_equal(add(&history, "one", HISTORY_ROLLBACK), 3);
    history_fini(&history);
    open_new(&history);
    assert_int_equal(history.running, 0);
    assert_int_equal(history.count, 3);
    assert_int_equal(history_get(&history, 0)->number, 3);
    assert_int_equal(history_get(&history, 0)->how, HISTORY_ROLLBACK);
    assert_int_equal(history_get(&history, 2)->number, 1);
    assert_true(history_get(&history, 2)->at_ms > UINT64_C(1600000000000));
    assert_null(history_get(&history, 3));
    assert_string_equal(history_find(&history, 2)->hash, history_get(&history, 1)->hash);
    assert_null(history_find(&history, 4));
    check_text(&history, 1, "one");
    check_text(&history, 2, "two");
    check_text(&history, 3, "one");
    assert_int_equal(add(&history, "four", HISTORY_START), 4);
    history_fini(&history);
    history_fini(&history);
}

static void nobody_else_may_read_it(void **state)
{
    (void)state;
    struct history history;
    struct stat info;
    (void)umask(0);
    open_new(&history);
    (void)add(&history, "one", HISTORY_START);
    assert_int_equal(stat("state/config", &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_int_equal(stat("state/config/1.json", &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_false(is_there("state/config/.new"));
    history_fini(&history);
}

static void a_restart_is_no_new_configuration(void **state)
{
    (void)state;
    struct history history;
    open_new(&history);
    assert_int_equal(add(&history, "one", HISTORY_START), 1);
    assert_int_equal(add(&history, "two", HISTORY_APPLY), 2);
    history_fini(&history);
    open_new(&history);
    assert_int_equal(add(&history, "two", HISTORY_START), 2);
    assert_int_equal(history.count, 2);
    /* applied once more by command: that is one */
    assert_int_equal(add(&history, "two", HISTORY_APPLY), 3);
    history_fini(&history);
    open_new(&history);
    /* not the newest one */
    assert_int_equal(add(&history, "one", HISTORY_START), 4);
    /* a count that was set by command is gone after a restart */
    assert_int_equal(add(&history, "one", HISTORY_SCALE), 5);
    history_fini(&history);
    open_new(&history);
    assert_int_equal(add(&history, "one", HISTORY_START), 6);
    history_fini(&history);
}

static void the_one_before_is_what_a_rollback_means(void **state)
{
    (void)state;
    struct history history;
    open_new(&history);
    assert_null(history_find_before(&history));
    (void)add(&history, "one", HISTORY_START);
    assert_null(history_find_before(&history));
    (void)add(&history, "two", HISTORY_APPLY);
    assert_int_equal(history_find_before(&history)->number, 1);
    (void)add(&history, "one", HISTORY_ROLLBACK);
    assert_int_equal(history_find_before(&history)->number, 2);
    history_fini(&history);
}

static void only_so_many_are_kept(void **state)
{
    (void)state;
    struct history history;
    char text[32];
    open_new(&history);
    for (int i = 1; i <= HISTORY_KEPT_MAX + 7; i++) {
        (void)snprintf(text, sizeof(text), "text %d", i);
        assert_int_equal(add(&history, text, HISTORY_APPLY), i);
    }
    assert_int_equal(history.count, HISTORY_KEPT_MAX);
    assert_false(is_there("state/config/7.json"));
    assert_true(is_there("state/config/8.json"));
    check_no_text(&history, 7, -ENOENT, "there is no configuration 7 in the history");
    check_text(&history, 8, "text 8");
    history_fini(&history);
    open_new(&history);
    assert_int_equal(history.count, HISTORY_KEPT_MAX);
    assert_int_equal(history_get(&history, HISTORY_KEPT_MAX - 1)->number, 8);
    assert_int_equal(history_get(&history, 0)->number, HISTORY_KEPT_MAX + 7);
    history_fini(&history);
}

static void files_that_are_no_records_are_ignored_and_stay(void **state)
{
    (void)state;
    static const char *const names[] = {
        "2.json",     "3.json", "5.json", "0.json", "04.json", "-6.json",
        "7.json.bak", "x.json", ".json",  "8",      "9.jsonx", "12345678901234567.json"};
    enum { NAMES = sizeof(names) / sizeof(names[0]) };
    struct history history;
    char path[64];
    open_new(&history);
    (void)add(&history, "one", HISTORY_START);
    history_fini(&history);
    for (size_t i = 0; i < NAMES; i++) {
        (void)snprintf(path, sizeof(path), "state/config/%s", names[i]);
        write_file(path, "foreign");
    }
    assert_int_equal(mkdir("state/config/6.json", 0700), 0);
    open_new(&history);
    assert_int_equal(history.count, 1);
    assert_int_equal(add(&history, "four", HISTORY_APPLY), 4);
    assert_int_equal(add(&history, "seven", HISTORY_APPLY), 7);
    history_fini(&history);
    open_new(&history);
    assert_int_equal(history.count, 3);
    check_text(&history, 4, "four");
    history_fini(&history);
    for (size_t i = 0; i < NAMES; i++) {
        char text[16] = "";
        (void)snprintf(path, sizeof(path), "state/config/%s", names[i]);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_non_null(fgets(text, sizeof(text), file));
        assert_int_equal(fclose(file), 0);
        assert_string_equal(text, "foreign");
    }
}

static void a_record_under_another_number_is_none(void **state)
{
    (void)state;
    struct history history;
    open_new(&history);
    (void)add(&history, "one", HISTORY_START);
    history_fini(&history);
    assert_int_equal(rename("state/config/1.json", "state/config/9.json"), 0);
    open_new(&history);
    assert_int_equal(history.count, 0);
    assert_int_equal(add(&history, "one", HISTORY_START), 1);
    history_fini(&history);
}

static void many_foreign_numbers_do_not_hide_the_records(void **state)
{
    (void)state;
    struct history history;
    char path[64];
    open_new(&history);
    (void)add(&history, "one", HISTORY_START);
    (void)add(&history, "two", HISTORY_APPLY);
    history_fini(&history);
    for (int i = 3; i < 160; i++) {
        (void)snprintf(path, sizeof(path), "state/config/%d.json", i);
        write_file(path, "");
    }
    open_new(&history);
    assert_int_equal(history.count, 2);
    assert_int_equal(add(&history, "three", HISTORY_APPLY), 160);
    history_fini(&history);
}

/* A folder is listed from the highest number, and the lowest ones are left out. */
static void the_highest_numbers_are_listed(void **state)
{
    (void)state;
    uint64_t numbers[4] = {0};
    char path[64];
    static const int order[] = {5, 900, 17, 3, 1000, 16, 4, 901};
    struct fsd_err err = {""};
    assert_int_equal(history_folder_list("nowhere", numbers, 4, &err), 0);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        (void)snprintf(path, sizeof(path), "%d.json", order[i]);
        write_file(path, "");
    }
    assert_int_equal(history_folder_list(".", numbers, 4, &err), 4);
    static const uint64_t expected[] = {1000, 901, 900, 17};
    assert_memory_equal(numbers, expected, sizeof(expected));
}

static void a_text_that_was_changed_is_not_loaded(void **state)
{
    (void)state;
    struct history history;
    open_new(&history);
    (void)add(&history, "one", HISTORY_START);
    (void)add(&history, "two", HISTORY_APPLY);
    (void)add(&history, "three", HISTORY_APPLY);
    assert_int_equal(system("sed -i 's/one/ten/' state/config/1.json"),
                     0); /* NOLINT(cert-env33-c) */
    write_file("state/config/2.json", "{");
    assert_int_equal(unlink("state/config/3.json"), 0);
    static const char not_json[] =
        "cannot read configuration 2 in \"state/config\": it is not JSON: ";
    check_no_text(
        &history, 1, -EINVAL,
        "cannot read configuration 1 in \"state/config\": its texts were changed, they do "
        "not fit its hash");
    check_no_text(&history, 3, -ENOENT,
                  "cannot read configuration 3 in \"state/config\": No such file or directory");
    struct conf_text *texts = NULL;
    size_t count = 0;
    struct fsd_err err;
    assert_int_equal(history_load(&history, 2, &texts, &count, &err), -EINVAL);
    assert_memory_equal(err.text, not_json, strlen(not_json));
    history_fini(&history);
}

static void without_a_folder_numbers_go_on_in_memory_and_it_heals(void **state)
{
    (void)state;
    struct history history;
    struct fsd_err err = {""};
    write_file("state", ""); /* a file where a folder should be: works against root, too */
    assert_int_equal(history_open(&history, "state", &err), -ENOTDIR);
    assert_string_equal(
        err.text, "cannot read the history of configurations in \"state/config\": Not a directory");
    assert_int_equal(add_badly(&history, "one",
                               "cannot keep configuration 1 in \"state/config\": Not a directory"),
                     1);
    assert_int_equal(add_badly(&history, "two", "cannot keep configuration 2"), 2);
    check_text(&history, 1, "one");
    check_text(&history, 2, "two");
    assert_int_equal(unlink("state"), 0);
    assert_int_equal(add(&history, "three", HISTORY_APPLY), 3);
    assert_true(is_there("state/config/1.json") && is_there("state/config/2.json"));
    history_fini(&history);
    open_new(&history);
    assert_int_equal(history.count, 3);
    check_text(&history, 2, "two");
    history_fini(&history);
}

static void memory_holds_only_the_newest_texts(void **state)
{
    (void)state;
    struct history history;
    struct fsd_err err;
    write_file("state", "");
    (void)history_open(&history, "state", &err);
    char text[32];
    for (int i = 1; i <= HISTORY_KEPT_MAX + 10; i++) {
        (void)snprintf(text, sizeof(text), "text %d", i);
        assert_int_equal(add_badly(&history, text, "Not a directory"), i);
    }
    assert_int_equal(history.count, HISTORY_KEPT_MAX);
    uint64_t newest = HISTORY_KEPT_MAX + 10;
    check_text(&history, newest - 2, "text 58");
    check_no_text(&history, newest - 3, -ENOTDIR,
                  "cannot read configuration 57 in \"state/config\": Not a directory");
    history_fini(&history);
}

/* A disk that takes only the first bytes. */
static void a_full_disk_leaves_nothing_half_written(void **state)
{
    (void)state;
    struct rlimit before;
    struct history history;
    open_new(&history);
    (void)add(&history, "one", HISTORY_START);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 20, .rlim_max = before.rlim_max};
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(add_badly(&history, "two",
                               "cannot keep configuration 2 in \"state/config\": File too large"),
                     2);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(is_there("state/config/2.json"));
    assert_false(is_there("state/config/.new"));
    check_text(&history, 2, "two");
    assert_int_equal(add(&history, "three", HISTORY_APPLY), 3);
    assert_true(is_there("state/config/2.json"));
    history_fini(&history);
}

static void what_a_crash_has_left_is_no_obstacle(void **state)
{
    (void)state;
    struct history history;
    open_new(&history);
    (void)add(&history, "one", HISTORY_START);
    write_file("state/config/.new", "half a rec");
    assert_int_equal(add(&history, "two", HISTORY_APPLY), 2);
    check_text(&history, 2, "two");
    history_fini(&history);
}

/* Between the choice of a number and its use somebody else took it. */
static void a_file_is_never_overwritten(void **state)
{
    (void)state;
    struct fsd_err err = {""};
    assert_int_equal(history_folder_write("config", 1, "mine", &err), 0);
    assert_int_equal(history_folder_write("config", 1, "yours", &err), -EEXIST);
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(history_folder_read("config", 1, &text, &len, &err), 0);
    assert_string_equal(text, "mine");
    free(text);
}

static void paths_that_are_too_long_are_said_to_be(void **state)
{
    (void)state;
    static char path[5000];
    memset(path, 'x', sizeof(path) - 1);
    struct history history;
    struct fsd_err err;
    assert_true(history_open(&history, path, &err) < 0);
    assert_int_equal(add_badly(&history, "one", "cannot keep configuration 1"), 1);
    check_text(&history, 1, "one");
    history_fini(&history);
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(history_folder_read(path, 1, &text, &len, &err), -ENAMETOOLONG);
    assert_false(history_folder_has(path, 1));
    history_folder_remove(path, 1);
}

static void a_configuration_without_files_has_a_number_alone(void **state)
{
    (void)state;
    struct history history;
    struct fsd_err err;
    struct history_source source = {NULL, 0, "cbf29ce484222325"};
    open_new(&history);
    assert_int_equal(history_add(&history, &source, HISTORY_START, &err), 1);
    assert_string_equal(err.text, "");
    assert_false(is_there("state"));
    assert_int_equal(history_get(&history, 0)->files, 0);
    history_fini(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(numbers_rise_and_texts_come_back_after_a_restart),
        TEST(nobody_else_may_read_it),
        TEST(a_restart_is_no_new_configuration),
        TEST(the_one_before_is_what_a_rollback_means),
        TEST(only_so_many_are_kept),
        TEST(files_that_are_no_records_are_ignored_and_stay),
        TEST(a_record_under_another_number_is_none),
        TEST(many_foreign_numbers_do_not_hide_the_records),
        TEST(the_highest_numbers_are_listed),
        TEST(a_text_that_was_changed_is_not_loaded),
        TEST(without_a_folder_numbers_go_on_in_memory_and_it_heals),
        TEST(memory_holds_only_the_newest_texts),
        TEST(a_full_disk_leaves_nothing_half_written),
        TEST(what_a_crash_has_left_is_no_obstacle),
        TEST(a_file_is_never_overwritten),
        TEST(paths_that_are_too_long_are_said_to_be),
        TEST(a_configuration_without_files_has_a_number_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
