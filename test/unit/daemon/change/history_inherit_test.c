/* After an upgrade in place the numbers of configurations go on, whatever the disk has of them. */
#include "daemon/change/history.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "test/support/work_folder.h"

static char path[] = "/etc/fsd/fsd.yaml";
static char text[] = "version: 1\n";
static struct conf_text texts[] = {{path, text, sizeof(text) - 1}};
static const struct history_source source = {texts, 1, "0123456789abcdef"};

static void what_the_disk_has_is_not_added_again(void **state)
{
    (void)state;
    struct history history;
    struct fsd_err err = {""};
    assert_int_equal(history_open(&history, "state", &err), 0);
    assert_int_equal(history_add(&history, &source, HISTORY_START, &err), 1);
    assert_int_equal(history_add(&history, &source, HISTORY_SCALE, &err), 2);
    history_fini(&history);
    assert_int_equal(history_open(&history, "state", &err), 0);
    history_inherit(&history, &source, 2);
    assert_int_equal(history.count, 2);
    assert_int_equal(history.running, 2);
    assert_int_equal(history_get(&history, 0)->how, HISTORY_SCALE);
    assert_int_equal(history_add(&history, &source, HISTORY_APPLY, &err), 3);
    history_fini(&history);
}

static void what_the_disk_has_not_is_added_under_its_number(void **state)
{
    (void)state;
    struct history history;
    struct fsd_err err = {""};
    assert_int_equal(history_open(&history, "state", &err), 0);
    history_inherit(&history, &source, 7);
    assert_int_equal(history.running, 7);
    assert_int_equal(history_get(&history, 0)->number, 7);
    assert_int_equal(history_add(&history, &source, HISTORY_APPLY, &err),
                     8); /* and both are kept */
    assert_int_equal(access("state/config/7.json", F_OK), 0);
    assert_non_null(history_find(&history, 7));
    assert_null(history_find_before(&history)); /* it has the same files */
    history_fini(&history);
}

static void numbers_go_on_without_a_disk_and_without_texts(void **state)
{
    (void)state;
    struct history history;
    struct fsd_err err = {""};
    const struct history_source none = {NULL, 0, "cbf29ce484222325"};
    assert_int_equal(history_open(&history, "state", &err), 0);
    history_inherit(&history, &none, 4);
    assert_int_equal(history_add(&history, &none, HISTORY_RELOAD, &err), 5);
    assert_string_equal(err.text, "");
    history_fini(&history);
}

static void a_full_history_makes_room(void **state)
{
    (void)state;
    struct history history;
    struct fsd_err err = {""};
    assert_int_equal(history_open(&history, "state", &err), 0);
    for (int i = 0; i < HISTORY_KEPT_MAX; i++) {
        (void)history_add(&history, &source, HISTORY_APPLY, &err);
    }
    history_inherit(&history, &source, 1000);
    assert_int_equal(history.count, HISTORY_KEPT_MAX);
    assert_int_equal(history_get(&history, 0)->number, 1000);
    history_fini(&history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(what_the_disk_has_is_not_added_again),
        TEST(what_the_disk_has_not_is_added_under_its_number),
        TEST(numbers_go_on_without_a_disk_and_without_texts),
        TEST(a_full_history_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
