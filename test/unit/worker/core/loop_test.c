#include "worker/core/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/page.h"
#include "worker/core/watch.h"

static struct loop loop;
static struct timer ends; /* stops the loop */
static char told[32];     /* what ran, a letter each */
static size_t told_len;

static void tell(char letter)
{
    told[told_len++] = letter;
    told[told_len] = '\0';
}

static void on_end(struct timer *timer)
{
    (void)timer;
    loop_stop(&loop);
}

static void run_for(uint64_t duration_ms)
{
    loop.stopping = false;
    timer_set(&loop.timers, &ends, clock_monotonic_ms() + duration_ms, on_end);
    loop_run(&loop, NULL);
}

static int set_up(void **state)
{
    (void)state;
    told_len = 0;
    told[0] = '\0';
    ends = (struct timer){0};
    return loop_init(&loop);
}

static int tear_down(void **state)
{
    (void)state;
    loop_fini(&loop);
    return 0;
}

static void on_first(struct loop_job *job)
{
    (void)job;
    tell('1');
}

static void on_second(struct loop_job *job)
{
    (void)job;
    tell('2');
}

static void on_stop(struct loop_job *job)
{
    (void)job;
    loop_stop(&loop);
}

static void jobs_run_in_the_order_they_were_deferred(void **state)
{
    (void)state;
    struct loop_job first = {0};
    struct loop_job second = {0};
    loop_defer(&loop, &second, on_second);
    loop_defer(&loop, &first, on_first);
    run_for(1);
    assert_string_equal(told, "21");
}

static void a_job_that_is_deferred_twice_runs_once(void **state)
{
    (void)state;
    struct loop_job first = {0};
    struct loop_job second = {0};
    loop_defer(&loop, &first, on_first);
    loop_defer(&loop, &second, on_second);
    loop_defer(&loop, &first, on_second);
    run_for(1);
    assert_string_equal(told, "12");
}

static struct loop_job follower;

static void on_leader(struct loop_job *job)
{
    tell('l');
    free(job); /* its owner may go */
    loop_defer(&loop, &follower, on_first);
}

static void a_job_may_free_its_owner_and_defer_another_for_the_same_turn(void **state)
{
    (void)state;
    struct loop_job *leader = calloc(1, sizeof(*leader));
    assert_non_null(leader);
    follower = (struct loop_job){0};
    loop_defer(&loop, leader, on_leader);
    run_for(1);
    assert_string_equal(told, "l1");
}

static unsigned repeats;

static void on_repeat(struct loop_job *job)
{
    tell('r');
    if (++repeats < 3) {
        loop_defer(&loop, job, on_repeat);
    }
}

static void a_job_may_defer_itself(void **state)
{
    (void)state;
    struct loop_job job = {0};
    repeats = 0;
    loop_defer(&loop, &job, on_repeat);
    run_for(1);
    assert_string_equal(told, "rrr");
    assert_false(job.queued);
}

static void on_forever(struct loop_job *job)
{
    repeats++;
    loop_defer(&loop, job, on_forever);
}

static void jobs_that_queue_jobs_without_end_keep_nothing_else_from_running(void **state)
{
    (void)state;
    struct loop_job job = {0};
    repeats = 0;
    loop_defer(&loop, &job, on_forever);
    run_for(5); /* the timer that stops the loop fires, for one */
    assert_true(repeats > 100);
    assert_ptr_equal(loop.jobs, &job);
}

static void on_share(struct loop_job *job)
{
    tell('s');
    if (++repeats < 3) {
        loop_defer_share(&loop, job, on_share);
    }
}

static void on_other_share(struct loop_job *job)
{
    (void)job;
    tell('o');
    loop_defer(&loop, &follower, on_first); /* is one of the next turn */
}

static void a_share_runs_in_a_later_turn_one_in_each_and_behind_the_jobs(void **state)
{
    (void)state;
    struct loop_job share = {0};
    struct loop_job other = {0};
    struct loop_job first = {0};
    follower = (struct loop_job){0};
    repeats = 0;
    loop_defer_share(&loop, &share, on_share);
    loop_defer_share(&loop, &other, on_other_share);
    loop_defer_share(&loop, &share, on_other_share); /* is queued already */
    loop_defer(&loop, &first, on_second);
    run_for(1);
    assert_string_equal(told, "2so1ss");
    assert_false(share.queued);
    assert_null(loop.later);
}

static struct loop_job after_share;
static struct timer next_turn;

static void on_next_turn(struct timer *timer)
{
    (void)timer;
    tell('n');
}

static void on_last_of_turn(struct loop_job *job)
{
    (void)job;
    tell('l');
    timer_set(&loop.timers, &next_turn, 0, on_next_turn);
}

static void on_defer_share(struct timer *timer)
{
    (void)timer;
    tell('t');
    loop_defer_share(&loop, &after_share, on_share);
    loop_defer(&loop, &follower, on_last_of_turn);
}

static void a_share_that_comes_in_a_turn_does_not_run_in_it(void **state)
{
    (void)state;
    struct timer timer = {0};
    after_share = (struct loop_job){0};
    follower = (struct loop_job){0};
    repeats = 2;
    timer_set(&loop.timers, &timer, 0, on_defer_share);
    run_for(1);
    assert_string_equal(told, "tlns");
}

static struct loop_job after_timer;

static void on_tick(struct timer *timer)
{
    (void)timer;
    tell('t');
    loop_defer(&loop, &after_timer, on_first);
}

static void jobs_of_a_timer_run_in_its_turn(void **state)
{
    (void)state;
    struct timer tick = {0};
    after_timer = (struct loop_job){0};
    timer_set(&loop.timers, &tick, clock_monotonic_ms() + 1, on_tick);
    run_for(4);
    assert_string_equal(told, "t1");
}

static void a_job_of_before_the_first_turn_does_not_wait_for_a_timer(void **state)
{
    (void)state;
    struct loop_job first = {0};
    uint64_t begin_ms = clock_monotonic_ms();
    loop_defer(&loop, &first, on_stop);
    timer_set(&loop.timers, &ends, begin_ms + 5000, on_end);
    loop_run(&loop, NULL);
    timer_clear(&loop.timers, &ends);
    assert_true(clock_monotonic_ms() - begin_ms < 4000);
}

static void a_timer_fires_no_earlier_than_it_was_set_for(void **state)
{
    (void)state;
    uint64_t begin_ms = clock_monotonic_ms();
    run_for(20);
    assert_true(clock_monotonic_ms() - begin_ms >= 20);
}

static uint64_t set_at_us;
static uint64_t fired_at_us;

static void on_short_over(struct timer *timer)
{
    (void)timer;
    fired_at_us = clock_monotonic_us();
    loop_stop(&loop);
}

static void on_set_short(struct timer *timer)
{
    set_at_us = clock_monotonic_us();
    loop_set_timer(&loop, timer, 3, on_short_over);
}

/* The turn has waited 30 ms by then: a clock that is read once a turn would let the next timer fire at once. */
static void a_timer_counts_from_the_moment_it_is_set_and_not_from_the_turn(void **state)
{
    (void)state;
    struct timer timer = {0};
    loop_set_timer(&loop, &timer, 30, on_set_short);
    loop_run(&loop, NULL);
    assert_true(fired_at_us - set_at_us >= 3000);
}

static void each_turn_beats_in_the_page(void **state)
{
    (void)state;
    struct page page = {0};
    uint64_t begin_ms = clock_monotonic_ms();
    timer_set(&loop.timers, &ends, begin_ms + 3, on_end);
    loop_run(&loop, &page);
    assert_true(page.heartbeat_ms >= begin_ms);
    assert_true(page.heartbeat_ms <= clock_monotonic_ms());
    assert_true(page.memory_bytes > 0);
}

static void a_loop_that_was_stopped_before_does_not_turn(void **state)
{
    (void)state;
    struct page page = {0};
    loop_stop(&loop);
    loop_run(&loop, &page);
    assert_int_equal(page.heartbeat_ms, 0);
}

/* The events that libh2o's epoll waits for on a descriptor, as the kernel tells them; 0: not added. */
static unsigned polled_events(int wanted_fd)
{
    char path[64];
    char line[256];
    unsigned found = 0;
    (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", loop.h2o_epoll);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        int fd;
        unsigned events;
        if (sscanf(line, "tfd: %d events: %x", &fd, &events) == 2 && fd == wanted_fd) {
            found = events & (EPOLLIN | EPOLLEXCLUSIVE); /* the kernel adds errors */
        }
    }
    (void)fclose(file);
    return found;
}

static void on_shared_readable(h2o_socket_t *socket, const char *err)
{
    assert_null(err);
    loop_take_turns(&loop, socket);
    h2o_buffer_consume(&socket->input, socket->input->size);
    tell('s');
}

static void a_socket_that_takes_turns_is_polled_exclusively_and_goes_on(void **state)
{
    (void)state;
    int pair[2];
    assert_true(loop.h2o_epoll >= 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    h2o_socket_t *socket = h2o_evloop_socket_create(loop.h2o, pair[0], 0);
    h2o_socket_read_start(socket, on_shared_readable);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(write(pair[1], "x", 1), 1);
        run_for(3);
        assert_int_equal(polled_events(pair[0]), EPOLLIN | EPOLLEXCLUSIVE);
    }
    assert_string_equal(told, "ss");
    h2o_socket_read_stop(socket);
    run_for(1);
    assert_int_equal(polled_events(pair[0]), 0);
    loop_take_turns(&loop, socket); /* one that is not polled is left alone */
    assert_int_equal(polled_events(pair[0]), 0);
    h2o_socket_read_start(socket, on_shared_readable);
    run_for(1);
    assert_int_equal(polled_events(pair[0]), EPOLLIN);
    h2o_socket_close(socket);
    (void)close(pair[1]);
}

enum { BUSY_MS = 20 };

/* Uses the CPU for so long. */
static void on_ready_busy(struct watch *watch, uint32_t events)
{
    (void)events;
    uint64_t until_us = clock_thread_us() + (uint64_t)BUSY_MS * 1000;
    while (clock_thread_us() < until_us) {
    }
    watch_remove(&loop, watch);
    loop_stop(&loop);
}

/* The turn in which a descriptor is ready, whose callback takes its time; with a job it does not wait for that. */
static void turn_busily(bool has_job)
{
    int ends_of_pipe[2];
    struct watch watch = {.fd = -1};
    struct loop_job job = {0};
    assert_int_equal(pipe(ends_of_pipe), 0);
    assert_int_equal(write(ends_of_pipe[1], "x", 1), 1);
    assert_int_equal(watch_add(&loop, &watch, ends_of_pipe[0], EPOLLIN, on_ready_busy), 0);
    if (has_job) {
        loop_defer(&loop, &job, on_first);
    }
    loop_run(&loop, NULL);
    assert_int_equal(close(ends_of_pipe[0]), 0);
    assert_int_equal(close(ends_of_pipe[1]), 0);
}

static void callbacks_of_a_turn_that_may_wait_count_as_lag(void **state)
{
    (void)state;
    turn_busily(false);
    assert_true(loop.lag.max_ms >= BUSY_MS);
    assert_int_equal(loop.lag.total, 1);
}

static void callbacks_of_a_turn_that_only_looks_count_as_lag(void **state)
{
    (void)state;
    turn_busily(true);
    assert_true(loop.lag.max_ms >= BUSY_MS);
}

static void waiting_is_no_lag(void **state)
{
    (void)state;
    run_for(50); /* nothing comes in that time; what the turns take is CPU time */
    assert_true(loop.lag.total > 0);
    assert_true(loop.lag.counts[0] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(callbacks_of_a_turn_that_may_wait_count_as_lag, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(callbacks_of_a_turn_that_only_looks_count_as_lag, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(waiting_is_no_lag, set_up, tear_down),
        cmocka_unit_test_setup_teardown(jobs_run_in_the_order_they_were_deferred, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_job_that_is_deferred_twice_runs_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_job_may_free_its_owner_and_defer_another_for_the_same_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_job_may_defer_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            jobs_that_queue_jobs_without_end_keep_nothing_else_from_running, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_share_runs_in_a_later_turn_one_in_each_and_behind_the_jobs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_share_that_comes_in_a_turn_does_not_run_in_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(jobs_of_a_timer_run_in_its_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_fires_no_earlier_than_it_was_set_for, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_timer_counts_from_the_moment_it_is_set_and_not_from_the_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_job_of_before_the_first_turn_does_not_wait_for_a_timer,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_turn_beats_in_the_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_socket_that_takes_turns_is_polled_exclusively_and_goes_on,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_loop_that_was_stopped_before_does_not_turn, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
