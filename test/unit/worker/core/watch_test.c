#include "worker/core/watch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "worker/core/loop.h"

enum { RUN_MS = 3 };

struct source {
    struct watch watch;
    int fd;
    unsigned wakes;
    uint32_t events;
    struct source *other; /* removed by on_ready_remove_other */
};

static struct loop loop;
static struct timer ends;

static void on_end(struct timer *timer)
{
    (void)timer;
    loop_stop(&loop);
}

static void run_loop(void)
{
    loop.stopping = false;
    timer_set(&loop.timers, &ends, clock_monotonic_ms() + RUN_MS, on_end);
    loop_run(&loop, NULL);
}

static int set_up(void **state)
{
    (void)state;
    ends = (struct timer){0};
    return loop_init(&loop);
}

static int tear_down(void **state)
{
    (void)state;
    loop_fini(&loop);
    return 0;
}

/* Ready to read from the start. */
static void source_open(struct source *source)
{
    *source = (struct source){.fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC), .watch.fd = -1};
    assert_true(source->fd >= 0);
}

static struct source *source_of(struct watch *watch)
{
    /* no pointer arithmetic: the watch is the first member */
    return (struct source *)watch;
}

static void on_ready_drain(struct watch *watch, uint32_t events)
{
    uint64_t count;
    assert_int_equal(read(watch->fd, &count, sizeof(count)), sizeof(count));
    source_of(watch)->wakes++;
    source_of(watch)->events = events;
}

static void on_ready_remove_both(struct watch *watch, uint32_t events)
{
    (void)events;
    struct source *source = source_of(watch);
    source->wakes++;
    watch_remove(&loop, &source->other->watch);
    watch_remove(&loop, watch);
}

static void on_ready_count(struct watch *watch, uint32_t events)
{
    source_of(watch)->wakes++;
    source_of(watch)->events |= events;
}

static void a_ready_descriptor_wakes_its_watch(void **state)
{
    (void)state;
    struct source source;
    source_open(&source);
    assert_int_equal(watch_add(&loop, &source.watch, source.fd, EPOLLIN, on_ready_drain), 0);
    run_loop();
    assert_int_equal(source.wakes, 1);
    assert_int_equal(source.events, EPOLLIN);
    watch_remove(&loop, &source.watch);
    assert_int_equal(source.watch.fd, -1);
    close(source.fd);
}

static void a_level_triggered_watch_wakes_until_it_is_served(void **state)
{
    (void)state;
    struct source source;
    source_open(&source);
    assert_int_equal(watch_add(&loop, &source.watch, source.fd, EPOLLIN, on_ready_count), 0);
    run_loop();
    assert_true(source.wakes > 1);
    watch_remove(&loop, &source.watch);
    close(source.fd);
}

static void a_removed_watch_sleeps(void **state)
{
    (void)state;
    struct source source;
    source_open(&source);
    assert_int_equal(watch_add(&loop, &source.watch, source.fd, EPOLLIN, on_ready_count), 0);
    watch_remove(&loop, &source.watch);
    watch_remove(&loop, &source.watch); /* twice is allowed */
    run_loop();
    assert_int_equal(source.wakes, 0);
    close(source.fd);
}

static void an_event_reported_already_is_dropped_with_its_watch(void **state)
{
    (void)state;
    struct source *first = malloc(sizeof(*first));
    struct source *second = malloc(sizeof(*second));
    assert_non_null(first);
    assert_non_null(second);
    source_open(first);
    source_open(second);
    first->other = second;
    second->other = first;
    assert_int_equal(watch_add(&loop, &first->watch, first->fd, EPOLLIN, on_ready_remove_both), 0);
    assert_int_equal(watch_add(&loop, &second->watch, second->fd, EPOLLIN, on_ready_remove_both),
                     0);
    run_loop();
    assert_int_equal(first->wakes + second->wakes, 1);
    close(first->fd);
    close(second->fd);
    free(first);
    free(second);
}

static void a_client_that_hangs_up_is_told_once_when_edge_triggered(void **state)
{
    (void)state;
    int pair[2];
    struct source source = {.watch.fd = -1};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(watch_add(&loop, &source.watch, pair[0], EPOLLRDHUP | EPOLLET, on_ready_count),
                     0);
    assert_int_equal(write(pair[1], "x", 1), 1); /* data is nothing to it */
    run_loop();
    assert_int_equal(source.wakes, 0);
    close(pair[1]);
    run_loop();
    assert_int_equal(source.wakes, 1);
    assert_true((source.events & EPOLLRDHUP) != 0);
    watch_remove(&loop, &source.watch);
    close(pair[0]);
}

static void what_epoll_refuses_is_an_error(void **state)
{
    (void)state;
    struct watch watch = {.fd = -1};
    assert_int_equal(watch_add(&loop, &watch, 1000000, EPOLLIN, on_ready_count), -EBADF);
    assert_int_equal(watch.fd, -1);
}

static void more_descriptors_than_one_batch_are_all_served(void **state)
{
    (void)state;
    enum { COUNT = LOOP_EVENTS + 9 };
    static struct source sources[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        source_open(&sources[i]);
        assert_int_equal(
            watch_add(&loop, &sources[i].watch, sources[i].fd, EPOLLIN, on_ready_drain), 0);
    }
    run_loop();
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(sources[i].wakes, 1);
        watch_remove(&loop, &sources[i].watch);
        close(sources[i].fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_ready_descriptor_wakes_its_watch, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_level_triggered_watch_wakes_until_it_is_served, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_removed_watch_sleeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_event_reported_already_is_dropped_with_its_watch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_client_that_hangs_up_is_told_once_when_edge_triggered,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_epoll_refuses_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_descriptors_than_one_batch_are_all_served, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
