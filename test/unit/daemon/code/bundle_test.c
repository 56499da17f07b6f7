/* The generations of one application. */
#include "daemon/code/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct bundle make_bundle(void)
{
    return (struct bundle){.fd = open("/dev/null", O_RDONLY | O_CLOEXEC)};
}

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void numbers_only_rise_also_over_dropped_ones(void **state)
{
    (void)state;
    struct bundle_store store;
    bundle_store_init(&store);
    assert_int_equal(store.running.number, 0);
    struct bundle first = make_bundle();
    bundle_store_add(&store, &first);
    assert_int_equal(store.candidate.number, 1);
    bundle_store_commit(&store);
    assert_int_equal(store.running.number, 1);
    assert_int_equal(store.candidate.number, 0);

    struct bundle second = make_bundle();
    bundle_store_add(&store, &second);
    bundle_store_abort(&store);
    assert_int_equal(store.running.number, 1);
    assert_false(is_open(second.fd));

    struct bundle third = make_bundle();
    bundle_store_add(&store, &third);
    bundle_store_commit(&store);
    assert_int_equal(store.running.number, 3);
    assert_int_equal(store.running.fd, third.fd);
    bundle_store_fini(&store);
    assert_false(is_open(third.fd));
}

/* Runs new code: its number. */
static uint64_t run_new(struct bundle_store *store)
{
    struct bundle bundle = make_bundle();
    bundle_store_add(store, &bundle);
    bundle_store_commit(store);
    return store->running.number;
}

/* Runs the older code of a role: its number. */
static uint64_t run_old(struct bundle_store *store, enum bundle_role role)
{
    assert_int_equal(bundle_store_offer(store, role), 0);
    bundle_store_commit(store);
    return store->running.number;
}

static uint64_t number_of(const struct bundle_store *store, enum bundle_role role)
{
    const struct bundle *bundle = bundle_store_find(store, role);
    return bundle == NULL ? 0 : bundle->number;
}

static void assert_numbers(const struct bundle_store *store, const uint64_t *wanted, size_t count)
{
    const struct bundle *rows[BUNDLE_ROLES];
    assert_int_equal(bundle_store_list(store, rows), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(rows[i]->number, wanted[i]);
        assert_true(is_open(rows[i]->fd));
    }
}
#define ASSERT_NUMBERS(store, ...)                                                                 \
    do {                                                                                           \
        const uint64_t wanted[] = {__VA_ARGS__};                                                   \
        assert_numbers(store, wanted, sizeof(wanted) / sizeof(wanted[0]));                         \
    } while (0)

static void the_generation_before_is_kept_and_the_one_before_that_is_not(void **state)
{
    (void)state;
    struct bundle_store store;
    bundle_store_init(&store);
    (void)run_new(&store);
    int first = store.running.fd;
    assert_int_equal(number_of(&store, BUNDLE_PREVIOUS), 0);
    (void)run_new(&store);
    assert_int_equal(number_of(&store, BUNDLE_PREVIOUS), 1);
    assert_true(is_open(first));
    (void)run_new(&store);
    ASSERT_NUMBERS(&store, 3, 2);
    assert_false(is_open(first));
    bundle_store_fini(&store);
}

static void the_confirmed_one_is_kept_however_many_follow(void **state)
{
    (void)state;
    struct bundle_store store;
    bundle_store_init(&store);
    (void)run_new(&store);
    assert_int_equal(number_of(&store, BUNDLE_CONFIRMED), 0);
    bundle_store_confirm(&store);
    assert_int_equal(number_of(&store, BUNDLE_CONFIRMED), 1);
    ASSERT_NUMBERS(&store, 1); /* one row, although it has two roles */
    (void)run_new(&store);
    ASSERT_NUMBERS(&store, 2, 1);
    (void)run_new(&store);
    (void)run_new(&store);
    ASSERT_NUMBERS(&store, 4, 3, 1);
    assert_int_equal(number_of(&store, BUNDLE_CONFIRMED), 1);
    struct bundle next = make_bundle();
    bundle_store_add(&store, &next);
    ASSERT_NUMBERS(&store, 5, 4, 3, 1);
    assert_int_equal(number_of(&store, BUNDLE_CANDIDATE), 5);
    int confirmed = store.confirmed.fd;
    bundle_store_confirm(&store);
    ASSERT_NUMBERS(&store, 5, 4, 3);
    assert_false(is_open(confirmed));
    bundle_store_fini(&store);
    assert_false(is_open(next.fd));
}

static void older_code_comes_back_under_a_new_number(void **state)
{
    (void)state;
    struct bundle_store store;
    bundle_store_init(&store);
    (void)run_new(&store);
    memset(store.running.sha256, 'a', BUNDLE_SHA256_MAX - 1);
    bundle_store_confirm(&store);
    (void)run_new(&store);
    assert_int_equal(bundle_store_offer(&store, BUNDLE_CONFIRMED), 0);
    assert_int_equal(store.candidate.number, 3);
    assert_int_equal(store.candidate.committed_us, 0);
    bundle_store_abort(&store);
    ASSERT_NUMBERS(&store, 2, 1);

    assert_int_equal(run_old(&store, BUNDLE_CONFIRMED), 4);
    assert_int_equal(store.running.origin, 1);
    assert_int_equal(store.running.sha256[0], 'a');
    assert_true(store.running.committed_us > 0);
    ASSERT_NUMBERS(&store, 4, 2); /* 1 is the same memfd */
    assert_int_equal(number_of(&store, BUNDLE_CONFIRMED), 4);
    assert_int_equal(number_of(&store, BUNDLE_PREVIOUS), 2);
    bundle_store_fini(&store);
}

static void a_second_rollback_leads_to_what_the_first_one_left(void **state)
{
    (void)state;
    struct bundle_store store;
    enum bundle_role role = BUNDLE_RUNNING;
    bundle_store_init(&store);
    assert_null(bundle_store_find_way_back(&store, &role));
    (void)run_new(&store);
    assert_null(bundle_store_find_way_back(&store, &role));
    bundle_store_confirm(&store);
    assert_null(bundle_store_find_way_back(&store, &role));
    assert_int_equal(role, BUNDLE_RUNNING);
    (void)run_new(&store);
    assert_int_equal(bundle_store_find_way_back(&store, &role)->number, 1);
    assert_int_equal(role, BUNDLE_CONFIRMED);
    (void)run_old(&store, role);
    assert_int_equal(bundle_store_find_way_back(&store, &role)->number, 2);
    assert_int_equal(role, BUNDLE_PREVIOUS);
    (void)run_old(&store, role);
    assert_int_equal(store.running.origin, 2);
    ASSERT_NUMBERS(&store, 4, 3);
    assert_int_equal(bundle_store_find_way_back(&store, &role)->number, 3);
    assert_int_equal(role, BUNDLE_CONFIRMED);
    assert_int_equal(run_old(&store, role), 5);
    ASSERT_NUMBERS(&store, 5, 4);
    bundle_store_fini(&store);
}

/* Runs code from the disk that has this hash: its number. */
static uint64_t run_hash(struct bundle_store *store, const char *sha256)
{
    struct bundle bundle = make_bundle();
    (void)strncpy(bundle.sha256, sha256, sizeof(bundle.sha256) - 1);
    bundle_store_add(store, &bundle);
    bundle_store_commit(store);
    return store->running.number;
}

static void the_same_code_once_more_takes_no_way_back(void **state)
{
    (void)state;
    struct bundle_store store;
    bundle_store_init(&store);
    (void)run_hash(&store, "good");
    bundle_store_confirm(&store);
    assert_int_equal(run_hash(&store, "good"), 2);
    assert_true(bundle_store_is_confirmed(&store, &store.running));
    assert_numbers(&store, (uint64_t[]){2}, 1);
    (void)run_hash(&store, "bad");
    assert_int_equal(run_hash(&store, "bad"), 4);
    assert_false(bundle_store_is_confirmed(&store, &store.running));
    assert_numbers(&store, (uint64_t[]){4, 2}, 2);
    bundle_store_confirm(&store);
    assert_int_equal(run_hash(&store, "bad"), 5);
    assert_numbers(&store, (uint64_t[]){5, 2}, 2);
    assert_int_equal(run_old(&store, BUNDLE_PREVIOUS), 6);
    assert_numbers(&store, (uint64_t[]){6, 5}, 2);
    bundle_store_fini(&store);
}

static void without_a_confirmed_one_the_way_back_is_the_previous_one(void **state)
{
    (void)state;
    struct bundle_store store;
    enum bundle_role role = BUNDLE_RUNNING;
    bundle_store_init(&store);
    (void)run_new(&store);
    (void)run_new(&store);
    assert_int_equal(bundle_store_find_way_back(&store, &role)->number, 1);
    assert_int_equal(role, BUNDLE_PREVIOUS);
    bundle_store_fini(&store);
}

static void the_confirmed_one_comes_back_over_several_that_failed(void **state)
{
    (void)state;
    struct bundle_store store;
    bundle_store_init(&store);
    (void)run_new(&store);
    bundle_store_confirm(&store);
    (void)run_new(&store);
    (void)run_new(&store);
    int confirmed = store.confirmed.fd;
    assert_true(is_open(confirmed));
    assert_int_equal(run_old(&store, BUNDLE_CONFIRMED), 4);
    assert_false(is_open(confirmed)); /* its copy runs */
    ASSERT_NUMBERS(&store, 4, 3);
    assert_int_equal(number_of(&store, BUNDLE_CONFIRMED), 4);
    bundle_store_fini(&store);
}

static void what_is_not_there_is_not_offered(void **state)
{
    (void)state;
    struct bundle_store store;
    bundle_store_init(&store);
    assert_int_equal(bundle_store_offer(&store, BUNDLE_PREVIOUS), -ENOENT);
    assert_int_equal(bundle_store_offer(&store, BUNDLE_CONFIRMED), -ENOENT);
    (void)run_new(&store);
    (void)run_new(&store);
    assert_int_equal(close(store.previous.fd), 0);
    assert_int_equal(bundle_store_offer(&store, BUNDLE_PREVIOUS), -EBADF);
    assert_int_equal(store.candidate.number, 0);
    assert_int_equal(store.last, 2);
    store.previous.fd = -1;
    bundle_store_fini(&store);
}

static void nothing_is_committed_when_there_is_no_candidate(void **state)
{
    (void)state;
    struct bundle_store store;
    bundle_store_init(&store);
    struct bundle only = make_bundle();
    bundle_store_add(&store, &only);
    bundle_store_commit(&store);
    bundle_store_commit(&store);
    bundle_store_abort(&store);
    assert_int_equal(store.running.number, 1);
    assert_true(is_open(only.fd));
    bundle_store_fini(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_only_rise_also_over_dropped_ones),
        cmocka_unit_test(the_generation_before_is_kept_and_the_one_before_that_is_not),
        cmocka_unit_test(the_confirmed_one_is_kept_however_many_follow),
        cmocka_unit_test(older_code_comes_back_under_a_new_number),
        cmocka_unit_test(a_second_rollback_leads_to_what_the_first_one_left),
        cmocka_unit_test(the_same_code_once_more_takes_no_way_back),
        cmocka_unit_test(without_a_confirmed_one_the_way_back_is_the_previous_one),
        cmocka_unit_test(the_confirmed_one_comes_back_over_several_that_failed),
        cmocka_unit_test(what_is_not_there_is_not_offered),
        cmocka_unit_test(nothing_is_committed_when_there_is_no_candidate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
