/* The lock between processes, above all what becomes of it when one of them dies. */
#include "worker/shared/shard_lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"

enum { LONG_MS = 20000, SHORT_MS = 30 };

/* In memory that the processes share. */
static struct {
    uint32_t word;
    uint32_t inside;
    uint64_t total;
} * common;

static struct shard_locker locker;

static int set_up(void **state)
{
    (void)state;
    void *memory =
        mmap(NULL, sizeof(*common), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    common = memory;
    return memory == MAP_FAILED ? -1 : shard_locker_init(&locker);
}

static int tear_down(void **state)
{
    (void)state;
    return munmap(common, sizeof(*common));
}

/* A child that runs work and ends by a signal or with its result. */
static pid_t start(int (*work)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        _exit(shard_locker_init(&locker) == 0 ? work() : 99);
    }
    return pid;
}

static void wait_until_inside(void)
{
    while (__atomic_load_n(&common->inside, __ATOMIC_SEQ_CST) == 0) {
        (void)usleep(1000);
    }
}

static int hold(void)
{
    if (shard_lock_take(&locker, &common->word, LONG_MS) != 0) {
        return 1;
    }
    __atomic_store_n(&common->inside, 1, __ATOMIC_SEQ_CST);
    for (;;) {
        (void)pause();
    }
}

static void reap(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_free_lock_is_taken_and_given_back(void **state)
{
    (void)state;
    assert_int_equal(shard_lock_take(&locker, &common->word, 0), 0);
    assert_int_equal(common->word, locker.tid);
    assert_non_null(locker.list->list_op_pending);
    shard_lock_release(&locker, &common->word);
    assert_int_equal(common->word, 0);
    assert_null(locker.list->list_op_pending);
}

static void one_that_is_held_is_waited_for_until_the_time_is_over(void **state)
{
    (void)state;
    pid_t pid = start(hold);
    wait_until_inside();
    uint64_t before_ms = clock_monotonic_ms();
    assert_int_equal(shard_lock_take(&locker, &common->word, SHORT_MS), -ETIMEDOUT);
    assert_true(clock_monotonic_ms() >= before_ms + SHORT_MS);
    assert_null(locker.list->list_op_pending);
    assert_int_equal(shard_lock_take(&locker, &common->word, 0), -ETIMEDOUT);
    reap(pid);
}

static void the_lock_of_a_dead_process_is_taken_and_its_death_is_told_once(void **state)
{
    (void)state;
    pid_t pid = start(hold);
    wait_until_inside();
    reap(pid);
    assert_int_equal(shard_lock_take(&locker, &common->word, 0), -EOWNERDEAD);
    shard_lock_release(&locker, &common->word);
    assert_int_equal(shard_lock_take(&locker, &common->word, 0), 0);
    shard_lock_release(&locker, &common->word);
}

static int take_and_leave(void)
{
    int result = shard_lock_take(&locker, &common->word, LONG_MS);
    shard_lock_release(&locker, &common->word);
    return -result;
}

static void who_waits_is_woken_by_the_death_of_the_holder(void **state)
{
    (void)state;
    int status = 0;
    pid_t holder = start(hold);
    wait_until_inside();
    pid_t waiter = start(take_and_leave);
    while ((__atomic_load_n(&common->word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS) == 0) {
        (void)usleep(1000);
    }
    uint64_t before_ms = clock_monotonic_ms();
    reap(holder);
    assert_int_equal(waitpid(waiter, &status, 0), waiter);
    assert_true(clock_monotonic_ms() - before_ms < LONG_MS / 2);
    assert_int_equal(WEXITSTATUS(status), EOWNERDEAD);
}

static void a_word_that_names_nobody_is_taken_over(void **state)
{
    (void)state;
    pid_t pid = start(take_and_leave);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    common->word = (uint32_t)pid; /* whoever wrote this did not hold it in the kernel's eyes */
    assert_int_equal(shard_lock_take(&locker, &common->word, SHORT_MS), -EOWNERDEAD);
    shard_lock_release(&locker, &common->word);
    common->word = locker.tid;
    assert_int_equal(shard_lock_take(&locker, &common->word, SHORT_MS), -EOWNERDEAD);
    shard_lock_release(&locker, &common->word);
    common->word = FUTEX_WAITERS; /* as a wild write may leave it */
    assert_int_equal(shard_lock_take(&locker, &common->word, SHORT_MS), 0);
    shard_lock_release(&locker, &common->word);
}

static int add_up(void)
{
    enum { ROUNDS = 100000 };
    for (int i = 0; i < ROUNDS; i++) {
        if (shard_lock_take(&locker, &common->word, LONG_MS) != 0) {
            return 1;
        }
        common->total++; /* not atomic: that is the lock's affair */
        shard_lock_release(&locker, &common->word);
    }
    return 0;
}

static void only_one_is_inside_at_a_time(void **state)
{
    (void)state;
    enum { PROCESSES = 4 };
    pid_t pids[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = start(add_up);
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = 1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(common->total, 400000);
    assert_int_equal(common->word, 0);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(a_free_lock_is_taken_and_given_back),
        ROW(one_that_is_held_is_waited_for_until_the_time_is_over),
        ROW(the_lock_of_a_dead_process_is_taken_and_its_death_is_told_once),
        ROW(who_waits_is_woken_by_the_death_of_the_holder),
        ROW(a_word_that_names_nobody_is_taken_over),
        ROW(only_one_is_inside_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
