/* shard_lock.c - a lock between processes that outlives whoever holds it.
 * Owns the meaning of one word: the thread that holds it, and whether others wait.  Before it touches the word the thread tells
 * the kernel where the word is ("pending operation" of its robust list): if it ends then, by whatever signal, the kernel marks the
 * word and wakes a waiter.  The robust mutexes of the C library work the same way but keep pointers of the process inside the shared
 * memory, where a worker that has run wild could turn them into a write anywhere in ours; a word can at worst be wrong.
 * Called by dictionary.c.  Must not know what is guarded. */
#include "worker/shared/shard_lock.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

enum { SPINS = 64 /* the holder is done within a microsecond, if it runs */ };

int shard_locker_init(struct shard_locker *locker)
{
    struct robust_list_head *list = NULL;
    size_t len = 0;
    if (syscall(SYS_get_robust_list, 0, &list, &len) != 0) {
        return -errno;
    }
    if (list == NULL || len != sizeof(*list)) {
        return -ENOTSUP;
    }
    *locker = (struct shard_locker){.list = list, .tid = (uint32_t)syscall(SYS_gettid)};
    return 0;
}

/* word NULL: none any more.  The kernel adds the offset of the C library's own locks to what stands there. */
static void announce(const struct shard_locker *locker, uint32_t *word)
{
    void *entry = NULL;
    if (word != NULL) {
        char *address = (char *)word;
        entry = address - locker->list->futex_offset;
    }
    __atomic_store_n((void **)&locker->list->list_op_pending, entry, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the builtin writes to it */
static bool change(uint32_t *word, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(word, &from, to, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static bool spin(const struct shard_locker *locker, uint32_t *word)
{
    for (int i = 0; i < SPINS; i++) {
        if (__atomic_load_n(word, __ATOMIC_RELAXED) == 0 && change(word, 0, locker->tid)) {
            return true;
        }
    }
    return false;
}

/* A word that names nobody, or us, who hold nothing: not even the kernel will ever free it. */
static bool is_orphan(const struct shard_locker *locker, uint32_t value)
{
    uint32_t owner = value & FUTEX_TID_MASK;
    return owner == locker->tid || (kill((pid_t)owner, 0) != 0 && errno == ESRCH);
}

static void wait_for(uint32_t *word, uint32_t value, uint64_t wait_ms)
{
    const struct timespec limit = {.tv_sec = (time_t)(wait_ms / 1000),
                                   .tv_nsec = (long)(wait_ms % 1000) * 1000000};
    (void)syscall(SYS_futex, word, FUTEX_WAIT, value, &limit, NULL, 0); /* all ends are looked at */
}

/* Others may wait as well, so whoever had to wait leaves their mark. */
static int take_slowly(const struct shard_locker *locker, uint32_t *word, uint32_t timeout_ms)
{
    uint64_t until_ms = clock_monotonic_ms() + timeout_ms;
    for (;;) {
        uint32_t value = __atomic_load_n(word, __ATOMIC_RELAXED);
        uint64_t now_ms = clock_monotonic_ms();
        if ((value & FUTEX_OWNER_DIED) != 0 || (value & FUTEX_TID_MASK) == 0) {
            if (change(word, value, locker->tid | FUTEX_WAITERS)) {
                return (value & FUTEX_OWNER_DIED) != 0 ? -EOWNERDEAD : 0;
            }
        } else if (now_ms >= until_ms) {
            bool is_taken =
                is_orphan(locker, value) && change(word, value, locker->tid | FUTEX_WAITERS);
            return is_taken ? -EOWNERDEAD : -ETIMEDOUT;
        } else if ((value & FUTEX_WAITERS) != 0 || change(word, value, value | FUTEX_WAITERS)) {
            wait_for(word, value | FUTEX_WAITERS, until_ms - now_ms);
        }
    }
}

int shard_lock_take(const struct shard_locker *locker, uint32_t *word, uint32_t timeout_ms)
{
    announce(locker, word);
    if (change(word, 0, locker->tid) || spin(locker, word)) {
        return 0;
    }
    int result = take_slowly(locker, word, timeout_ms);
    if (result == -ETIMEDOUT) {
        announce(locker, NULL);
    }
    return result;
}

void shard_lock_release(const struct shard_locker *locker, uint32_t *word)
{
    uint32_t value = __atomic_exchange_n(word, 0, __ATOMIC_RELEASE);
    if ((value & FUTEX_WAITERS) != 0) {
        (void)syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
    }
    announce(locker, NULL); /* not before: the kernel wakes a waiter if we end in between */
}
