/* A dictionary of several processes, some of which are killed while they write. */
#include "worker/shared/dictionary.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "test/support/shard_memory.h"

enum { SIZE = 4 << 20, SEED = 7 };

static struct dictionary dictionary;
static int memory_fd;

static int make_fd(size_t size, int seals)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

static int set_up(void **state)
{
    (void)state;
    memory_fd = make_fd(SIZE, F_SEAL_SHRINK | F_SEAL_GROW);
    dictionary = (struct dictionary){.name = "test"};
    return dictionary_map(&dictionary, memory_fd, SIZE, SEED);
}

static int tear_down(void **state)
{
    (void)state;
    dictionary_unmap(&dictionary);
    (void)close(memory_fd);
    return 0;
}

static struct shard_key find_key(const char *text, unsigned *ret_number)
{
    uint64_t hash = dictionary_hash(&dictionary, text, strlen(text));
    *ret_number = dictionary_shard_of(&dictionary, hash);
    return (struct shard_key){text, strlen(text), (uint32_t)hash, SHARD_VALUES};
}

/* The new sum, or a negative errno. */
static int64_t incr(const char *text, enum dictionary_news *ret_news)
{
    const int64_t zero = 0;
    const int64_t one = 1;
    const struct shard_record initial = {integer_of(&zero), 0};
    const struct shard_value by = integer_of(&one);
    unsigned number;
    const struct shard_key key = find_key(text, &number);
    struct shard_turn turn = turn_at(clock_monotonic_ms());
    struct dictionary_visit visit;
    struct shard_value sum;
    int64_t total;
    int result;
    if (dictionary_enter(&dictionary, number, &visit) < 0) {
        return -EAGAIN;
    }
    do {
        result = shard_sum(visit.shard, &turn, &key, &by, &initial, &sum);
    } while (dictionary_leave(&visit, result));
    if (visit.news != DICTIONARY_NO_NEWS) {
        *ret_news = visit.news;
    }
    if (result < 0) {
        return result;
    }
    memcpy(&total, sum.bytes, sizeof(total));
    return total;
}

static void only_memory_that_can_not_shrink_is_mapped(void **state)
{
    (void)state;
    struct dictionary other = {.name = "other"};
    int loose = make_fd(SIZE, F_SEAL_GROW);
    int small = make_fd(SHARD_SIZE_MIN - 1, F_SEAL_SHRINK);
    assert_int_equal(dictionary_map(&other, loose, SIZE, SEED), -EPERM);
    assert_int_equal(dictionary_map(&other, small, SHARD_SIZE_MIN - 1, SEED), -EINVAL);
    assert_int_equal(dictionary_map(&other, memory_fd, SIZE + 1, SEED), -EINVAL);
    assert_int_equal(dictionary_map(&other, -1, SIZE, SEED), -EPERM);
    assert_null(other.memory);
    dictionary_unmap(&other);
    (void)close(loose);
    (void)close(small);
}

static void the_size_says_how_many_shards_there_are(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        unsigned shards;
    } rows[] = {{SHARD_SIZE_MIN, 1}, {511 << 10, 1}, {512 << 10, 2}, {1 << 20, 4}, {16 << 20, 16}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dictionary other = {.name = "other"};
        int fd = make_fd(rows[i].size, F_SEAL_SHRINK);
        assert_int_equal(dictionary_map(&other, fd, rows[i].size, SEED), 0);
        assert_int_equal(other.shard_count, rows[i].shards);
        dictionary_unmap(&other);
        (void)close(fd);
    }
}

static void another_mapping_of_the_same_memory_sees_the_same(void **state)
{
    (void)state;
    enum dictionary_news news = DICTIONARY_NO_NEWS;
    assert_int_equal(incr("a", &news), 1);
    struct dictionary first = dictionary;
    dictionary = (struct dictionary){.name = "again"};
    assert_int_equal(dictionary_map(&dictionary, memory_fd, SIZE, SEED), 0);
    assert_int_equal(incr("a", &news), 2);
    dictionary_unmap(&dictionary);
    dictionary = first;
    assert_int_equal(incr("a", &news), 3);
    assert_int_equal(news, DICTIONARY_NO_NEWS);
}

static void keys_are_spread_over_all_shards(void **state)
{
    (void)state;
    unsigned counts[DICTIONARY_SHARDS_MAX] = {0};
    for (int i = 0; i < 16000; i++) {
        char text[16];
        unsigned number;
        (void)snprintf(text, sizeof(text), "key:%d", i);
        (void)find_key(text, &number);
        counts[number]++;
    }
    for (int i = 0; i < DICTIONARY_SHARDS_MAX; i++) {
        assert_true(counts[i] > 800 && counts[i] < 1200);
    }
}

static void a_damaged_shard_is_emptied_and_used_at_once(void **state)
{
    (void)state;
    enum dictionary_news news = DICTIONARY_NO_NEWS;
    unsigned number;
    const struct shard_key key = find_key("a", &number);
    const struct shard *shard = &dictionary.shards[number];
    assert_int_equal(incr("a", &news), 1);
    assert_int_equal(incr("a", &news), 2);
    shard->buckets[key.hash & (shard->bucket_count - 1)] = UINT32_MAX;
    assert_int_equal(incr("a", &news), 1);
    assert_int_equal(news, DICTIONARY_DAMAGED);
}

static void damage_that_comes_back_is_not_fought_for_ever(void **state)
{
    (void)state;
    struct dictionary_visit visit;
    unsigned rounds = 1;
    assert_int_equal(dictionary_enter(&dictionary, 0, &visit), 0);
    while (dictionary_leave(&visit, -EBADMSG)) {
        rounds++;
    }
    assert_int_equal(rounds, 2);
    assert_int_equal(*shard_lock_word(&dictionary.shards[0]), 0);
}

static pid_t start(void (*work)(void))
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);      /* a test that fails leaves nobody behind */
        struct dictionary other = {.name = "child"}; /* a process of its own has its own mapping */
        if (dictionary_map(&other, memory_fd, SIZE, SEED) != 0) {
            _exit(1);
        }
        dictionary = other;
        work();
        _exit(0);
    }
    return pid;
}

static void hold(void)
{
    struct dictionary_visit visit;
    if (dictionary_enter(&dictionary, 3, &visit) == 0) {
        (void)raise(SIGSTOP);
    }
}

static void a_holder_that_stands_still_costs_one_wait_and_its_death_empties_the_shard(void **state)
{
    (void)state;
    struct dictionary_visit visit;
    int status;
    pid_t pid = start(hold);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    uint64_t before_ms = clock_monotonic_ms();
    assert_int_equal(dictionary_enter(&dictionary, 3, &visit), -EAGAIN);
    uint64_t first_ms = clock_monotonic_ms() - before_ms;
    assert_true(first_ms >= 50);
    before_ms = clock_monotonic_ms();
    for (int i = 0; i < 100; i++) {
        assert_int_equal(dictionary_enter(&dictionary, 3, &visit), -EAGAIN);
    }
    assert_true(clock_monotonic_ms() - before_ms < 100 * 50);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(dictionary_enter(&dictionary, 3, &visit), 0);
    assert_int_equal(visit.news, DICTIONARY_OWNER_DIED);
    assert_false(dictionary_leave(&visit, 0));
    assert_int_equal(dictionary_enter(&dictionary, 3, &visit), 0);
    assert_int_equal(visit.news, DICTIONARY_NO_NEWS);
    assert_false(dictionary_leave(&visit, 0));
}

/* What the workers below tell the test, in memory that a kill leaves as it was. */
struct tally {
    uint64_t done;  /* increments that were seen to happen */
    uint64_t wiped; /* news of a death or of damage */
};
static struct tally *tallies;
static unsigned self;

enum { WORKERS = 4, COUNTERS = 64, KILLS = 200 };

static void hammer(void)
{
    uint64_t random = 88172645463325252U + (uint64_t)getpid();
    for (;;) {
        char key[16];
        enum dictionary_news news = DICTIONARY_NO_NEWS;
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (void)snprintf(key, sizeof(key), "counter:%u", (unsigned)(random % COUNTERS));
        int64_t total = incr(key, &news);
        if (total == -EAGAIN) {
            continue; /* whoever holds the shard is not given the CPU */
        }
        if (total <= 0) {
            _exit(1);
        }
        __atomic_add_fetch(&tallies[self].done, 1, __ATOMIC_SEQ_CST);
        if (news == DICTIONARY_OWNER_DIED) {
            __atomic_add_fetch(&tallies[self].wiped, 1, __ATOMIC_SEQ_CST);
        } else if (news != DICTIONARY_NO_NEWS) {
            _exit(2);
        }
    }
}

static uint64_t sum_of_counters(uint64_t *wiped)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < COUNTERS; i++) {
        char key[16];
        enum dictionary_news news = DICTIONARY_NO_NEWS;
        (void)snprintf(key, sizeof(key), "counter:%u", i);
        int64_t total = incr(key, &news);
        assert_true(total > 0);
        *wiped += news != DICTIONARY_NO_NEWS;
        sum += (uint64_t)total - 1;
    }
    return sum;
}

/* Four count, one after the other is killed and replaced.  A death inside costs the counters of that shard, and nothing else: what is there
 * at the end is never more than what was done, and no less when nothing was lost. */
static void workers_that_are_killed_leave_counters_that_are_right_or_gone(void **state)
{
    (void)state;
    pid_t pids[WORKERS];
    uint64_t done = 0;
    uint64_t wiped = 0;
    void *memory = mmap(NULL, sizeof(struct tally) * (WORKERS + KILLS), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    tallies = memory;
    for (self = 0; self < WORKERS; self++) {
        pids[self] = start(hammer);
    }
    for (unsigned i = 0; i < KILLS; i++) {
        unsigned which = i % WORKERS;
        int status = 0;
        (void)usleep(1000 + i * 37 % 3000);
        assert_int_equal(kill(pids[which], SIGKILL), 0);
        assert_int_equal(waitpid(pids[which], &status, 0), pids[which]);
        assert_true(WIFSIGNALED(status)); /* else it has found something wrong */
        self = WORKERS + i;
        pids[which] = start(hammer);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        assert_int_equal(kill(pids[i], SIGKILL), 0);
        assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
    }
    for (unsigned i = 0; i < WORKERS + KILLS; i++) {
        done += tallies[i].done;
        wiped += tallies[i].wiped;
    }
    uint64_t sum = sum_of_counters(&wiped);
    print_message("%lu increments, %d kills, %lu shards emptied, %lu left\n", (unsigned long)done,
                  KILLS + WORKERS, (unsigned long)wiped, (unsigned long)sum);
    assert_true(sum <= done + KILLS + WORKERS); /* one may have been done and not been told */
    assert_true(wiped > 0 || sum >= done);
    assert_true(done > 10000);
    (void)munmap(memory, sizeof(struct tally) * (WORKERS + KILLS));
}

static void the_speed_is_printed(void **state)
{
    (void)state;
    enum { ROUNDS = 200000 };
    enum dictionary_news news = DICTIONARY_NO_NEWS;
    uint64_t before_us = clock_monotonic_us();
    for (int i = 0; i < ROUNDS; i++) {
        (void)incr("counter", &news);
    }
    uint64_t spent_us = clock_monotonic_us() - before_us;
    print_message("incr, lock and hash included: %lu ns\n",
                  (unsigned long)(spent_us * 1000 / ROUNDS));
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(only_memory_that_can_not_shrink_is_mapped),
        ROW(the_size_says_how_many_shards_there_are),
        ROW(another_mapping_of_the_same_memory_sees_the_same),
        ROW(keys_are_spread_over_all_shards),
        ROW(a_damaged_shard_is_emptied_and_used_at_once),
        ROW(damage_that_comes_back_is_not_fought_for_ever),
        ROW(a_holder_that_stands_still_costs_one_wait_and_its_death_empties_the_shard),
        ROW(workers_that_are_killed_leave_counters_that_are_right_or_gone),
        ROW(the_speed_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
