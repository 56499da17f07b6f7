#include "worker/core/change.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/err.h"
#include "test/support/config_memfd.h"

static struct config running;
static struct change change;
static struct fsd_err err;

static int set_up(void **state)
{
    (void)state;
    int fd = config_memfd(&config_usual);
    config_init(&running);
    change = (struct change){0};
    int error = config_read(&running, fd, &err);
    fd_close(&fd);
    return error;
}

static int tear_down(void **state)
{
    (void)state;
    change_fini(&change);
    config_fini(&running);
    return 0;
}

static int prepare_kind(uint64_t number, uint64_t kind, int fd)
{
    struct proto_transaction wanted = {.number = number, .what = kind};
    int error = change_prepare(&change, &running, &wanted, fd, &err);
    fd_close(&fd);
    return error;
}

static int prepare(uint64_t number, const struct config_text *text)
{
    return prepare_kind(number, PROTO_CHANGE_CONFIG, config_memfd(text));
}

static struct config_text with_workers(int64_t workers)
{
    struct config_text text = config_usual;
    text.workers = workers;
    return text;
}

static void what_is_prepared_takes_effect_at_its_commit(void **state)
{
    (void)state;
    struct config_text text = config_usual;
    text.log_level = LOG_LEVEL_DEBUG;
    text.workers = 8;
    text.request_timeout_ms = 1;
    text.keepalive_ms = 2;
    text.body_bytes = 3;
    assert_int_equal(prepare(7, &text), 0);
    assert_int_equal(running.workers, 2);
    assert_int_equal(running.body_bytes, 4096);
    assert_true(change_commit(&change, 7, &running));
    assert_int_equal(running.log_level, LOG_LEVEL_DEBUG);
    assert_int_equal(running.workers, 8);
    assert_int_equal(running.request_timeout_ms, 1);
    assert_int_equal(running.keepalive_ms, 2);
    assert_int_equal(running.body_bytes, 3);
    assert_string_equal(running.pool, "web");
    assert_int_equal(config_export_env(&running), 0); /* its bytes are there */
    assert_false(change_commit(&change, 7, &running));
}

static void the_same_again_may_be_prepared(void **state)
{
    (void)state;
    assert_int_equal(prepare(1, &config_usual), 0);
    assert_true(change_commit(&change, 1, &running));
}

static void what_the_application_has_been_given_needs_a_new_process(void **state)
{
    static const struct {
        size_t offset;
        const char *name;
    } rows[] = {
        {offsetof(struct config_text, pool), "pool"},
        {offsetof(struct config_text, app), "app"},
        {offsetof(struct config_text, path), "path"},
        {offsetof(struct config_text, setting), "settings"},
        {offsetof(struct config_text, variable), "env"},
    };
    static const char *const others[] = {"other", "", "web\xc3\xa4"};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t j = 0; j < sizeof(others) / sizeof(others[0]); j++) {
            struct config_text text = with_workers(3);
            char wanted[64];
            memcpy((char *)&text + rows[i].offset, &others[j], sizeof(others[j]));
            assert_int_equal(prepare(1, &text), -ENOTSUP);
            (void)snprintf(wanted, sizeof(wanted),
                           "cannot change \"%s\" in place: it needs a new process", rows[i].name);
            assert_string_equal(err.text, wanted);
            assert_false(change_commit(&change, 1, &running));
            assert_int_equal(running.workers, 2);
        }
    }
}

static void what_cannot_be_read_is_refused(void **state)
{
    (void)state;
    assert_int_equal(prepare_kind(1, PROTO_CHANGE_CONFIG, fd_sealed_from("config", "\xc1", 1)),
                     -EPROTO);
    assert_string_equal(err.text, "cannot read the configuration that the master sent");
    assert_int_equal(prepare_kind(1, PROTO_CHANGE_CONFIG, -1), -EPERM);
    assert_false(change_commit(&change, 1, &running));
}

static void kinds_of_a_later_version_are_refused(void **state)
{
    (void)state;
    assert_int_equal(prepare_kind(1, PROTO_CHANGE_CODE, -1), -ENOTSUP);
    assert_string_equal(err.text, "cannot change 2: no such kind of change");
    assert_int_equal(prepare_kind(1, 3, -1), -ENOTSUP);
    assert_string_equal(err.text, "cannot change 3: no such kind of change");
    assert_false(change_commit(&change, 1, &running));
}

static void the_latest_prepare_is_the_one_that_counts(void **state)
{
    (void)state;
    struct config_text first = with_workers(3);
    struct config_text second = with_workers(4);
    assert_int_equal(prepare(1, &first), 0);
    assert_int_equal(prepare(2, &second), 0);
    assert_false(change_commit(&change, 1, &running));
    assert_int_equal(running.workers, 2);
    assert_true(change_commit(&change, 2, &running));
    assert_int_equal(running.workers, 4);
}

static void a_prepare_that_is_refused_replaces_too(void **state)
{
    (void)state;
    struct config_text first = with_workers(3);
    assert_int_equal(prepare(1, &first), 0);
    assert_int_equal(prepare_kind(2, PROTO_CHANGE_CODE, -1), -ENOTSUP);
    assert_false(change_commit(&change, 1, &running));
    assert_false(change_commit(&change, 2, &running));
    assert_int_equal(running.workers, 2);
}

static void an_abort_forgets_only_its_own(void **state)
{
    (void)state;
    struct config_text text = with_workers(3);
    change_abort(&change, 0); /* there is none */
    assert_int_equal(prepare(5, &text), 0);
    change_abort(&change, 4);
    assert_true(change.is_pending);
    change_abort(&change, 5);
    assert_false(change_commit(&change, 5, &running));
    assert_int_equal(running.workers, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(what_is_prepared_takes_effect_at_its_commit),
        TEST(the_same_again_may_be_prepared),
        TEST(what_the_application_has_been_given_needs_a_new_process),
        TEST(what_cannot_be_read_is_refused),
        TEST(kinds_of_a_later_version_are_refused),
        TEST(the_latest_prepare_is_the_one_that_counts),
        TEST(a_prepare_that_is_refused_replaces_too),
        TEST(an_abort_forgets_only_its_own),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
