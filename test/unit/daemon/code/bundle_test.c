/* The generations of one application. */
#include "daemon/code/bundle.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

static void the_generation_before_is_closed_by_the_commit(void **state)
{
    (void)state;
    struct bundle_store store;
    bundle_store_init(&store);
    struct bundle old = make_bundle();
    bundle_store_add(&store, &old);
    bundle_store_commit(&store);
    struct bundle new = make_bundle();
    bundle_store_add(&store, &new);
    assert_true(is_open(old.fd));
    bundle_store_commit(&store);
    assert_false(is_open(old.fd));
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
        cmocka_unit_test(the_generation_before_is_closed_by_the_commit),
        cmocka_unit_test(nothing_is_committed_when_there_is_no_candidate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
