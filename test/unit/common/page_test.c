/* The status page: shared, sealed, and read without trust. */
#include "common/page.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    int fd;
    struct page *master;
    struct page *worker;
};

static int open_page(void **state)
{
    static struct fixture fixture;
    fixture.fd = page_create();
    assert_true(fixture.fd >= 0);
    fixture.master = page_map(fixture.fd, 0);
    fixture.worker = page_map(fixture.fd, 1);
    assert_non_null(fixture.master);
    assert_non_null(fixture.worker);
    *state = &fixture;
    return 0;
}

static int close_page(void **state)
{
    struct fixture *fixture = *state;
    page_unmap(fixture->master);
    page_unmap(fixture->worker);
    (void)close(fixture->fd);
    return 0;
}

static void what_the_worker_writes_the_master_reads(void **state)
{
    const struct fixture *fixture = *state;
    struct page_numbers numbers;
    page_set(&fixture->worker->version, PAGE_VERSION);
    page_set(&fixture->worker->heartbeat_ms, 1);
    page_set(&fixture->worker->generation, 2);
    page_set(&fixture->worker->requests, 3);
    page_set(&fixture->worker->connections, 4);
    page_set(&fixture->worker->accepted, 5);
    page_set(&fixture->worker->running, 6);
    page_set(&fixture->worker->log_lost, UINT64_MAX);
    page_set(&fixture->worker->memory_bytes, 8);
    page_set(&fixture->worker->lua_bytes, 9);
    page_set(&fixture->worker->refused, 10);
    page_set(&fixture->worker->timed_out, 11);
    page_set(&fixture->worker->access_lost, 12);
    page_read(fixture->master, &numbers);
    struct page_numbers expected = {1, 2, 3, 4, 5, 6, UINT64_MAX, 8, 9, 10, 11, 12};
    assert_memory_equal(&numbers, &expected, sizeof(expected));
}

static void a_page_of_another_version_reads_as_zero(void **state)
{
    const struct fixture *fixture = *state;
    static const uint64_t versions[] = {0, PAGE_VERSION + 1, UINT64_MAX};
    struct page_numbers zero;
    memset(&zero, 0, sizeof(zero));
    page_set(&fixture->worker->requests, 77);
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct page_numbers numbers;
        memset(&numbers, 0xff, sizeof(numbers));
        page_set(&fixture->worker->version, versions[i]);
        page_read(fixture->master, &numbers);
        assert_memory_equal(&numbers, &zero, sizeof(zero));
    }
}

static void the_worker_can_neither_shrink_nor_grow_nor_unseal_it(void **state)
{
    const struct fixture *fixture = *state;
    assert_int_equal(ftruncate(fixture->fd, 0), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(ftruncate(fixture->fd, 1 << 20), -1);
    assert_int_equal(fcntl(fixture->fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    assert_int_equal(fcntl(fixture->fd, F_GETFD), FD_CLOEXEC);
}

static void mapping_something_else_fails_with_errno(void **state)
{
    (void)state;
    errno = 0;
    assert_null(page_map(-1, 0));
    assert_int_equal(errno, EBADF);
    page_unmap(NULL);
}

static void the_layout_is_the_one_that_workers_were_built_with(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct page), 104);
    assert_int_equal(offsetof(struct page, version), 0);
    assert_int_equal(offsetof(struct page, requests), 24);
    assert_int_equal(offsetof(struct page, memory_bytes), 64); /* older ones don't write it */
    assert_int_equal(offsetof(struct page, lua_bytes), PAGE_BYTES_MIN); /* the same */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_worker_writes_the_master_reads, open_page,
                                        close_page),
        cmocka_unit_test_setup_teardown(a_page_of_another_version_reads_as_zero, open_page,
                                        close_page),
        cmocka_unit_test_setup_teardown(the_worker_can_neither_shrink_nor_grow_nor_unseal_it,
                                        open_page, close_page),
        cmocka_unit_test(mapping_something_else_fails_with_errno),
        cmocka_unit_test(the_layout_is_the_one_that_workers_were_built_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
