/* The count of kills, read again and again. */
#include "daemon/crash/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/host/cgroup.h"
#include "daemon/host/cgroup_own.h"

static void rewrite(int fd, const char *text)
{
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

struct fixture {
    int fd; /* of the file that stands for the kernel's */
    struct oom oom;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char path[] = "/tmp/fsd-oom-XXXXXX";
    fixture->fd = mkstemp(path);
    assert_true(fixture->fd >= 0);
    rewrite(fixture->fd, "oom 7\noom_kill 3\n");
    assert_int_equal(oom_open_file(&fixture->oom, path), 0);
    assert_int_equal(unlink(path), 0); /* it is opened once */
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    oom_close(&fixture->oom);
    assert_int_equal(close(fixture->fd), 0);
    free(fixture);
    return 0;
}

static void only_new_kills_are_told_of_and_once(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(oom_take(&fixture->oom, 1, 1000), 0);
    rewrite(fixture->fd, "oom 9\noom_kill 5\n");
    assert_int_equal(oom_take(&fixture->oom, 2, 1001), 2);
    assert_int_equal(oom_take(&fixture->oom, 1, 1002), 0);
    rewrite(fixture->fd, "oom_kill 6\n");
    assert_int_equal(oom_take(&fixture->oom, 3, 1003), 1); /* more victims than kills */
    assert_int_equal(oom_take(&fixture->oom, 1, 1004), 0);
}

static void a_kill_waits_for_its_victim_while_others_are_reaped(void **state)
{
    struct fixture *fixture = *state;
    rewrite(fixture->fd, "oom_kill 5\n");
    assert_int_equal(oom_take(&fixture->oom, 0, 1000), 2); /* a worker that exited came first */
    assert_int_equal(oom_take(&fixture->oom, 1, 1000 + OOM_KEEP_MS), 2);
    assert_int_equal(oom_take(&fixture->oom, 1, 1000 + OOM_KEEP_MS), 1);
    assert_int_equal(oom_take(&fixture->oom, 1, 1000 + OOM_KEEP_MS), 0);
}

static void a_kill_of_old_explains_nothing(void **state)
{
    struct fixture *fixture = *state;
    rewrite(fixture->fd, "oom_kill 4\n");
    assert_int_equal(oom_take(&fixture->oom, 0, 1000), 1);
    assert_int_equal(oom_take(&fixture->oom, 1, 1001 + OOM_KEEP_MS), 0);
    rewrite(fixture->fd, "oom_kill 5\n"); /* counted while nobody looked: new to us */
    assert_int_equal(oom_take(&fixture->oom, 1, 9000 + OOM_KEEP_MS), 1);
}

static void a_count_that_cannot_be_right_is_no_kill(void **state)
{
    struct fixture *fixture = *state;
    rewrite(fixture->fd, "oom_kill 1\n"); /* counted anew: nothing can be said of these */
    assert_int_equal(oom_take(&fixture->oom, 1, 1000), 0);
    rewrite(fixture->fd, "oom_kill 2\n");
    assert_int_equal(oom_take(&fixture->oom, 1, 1000), 1);
    rewrite(fixture->fd, "oom_kill 18446744073709551615\n");
    assert_true(oom_take(&fixture->oom, 1, 1000) == INT64_MAX);
    rewrite(fixture->fd, "");
    assert_int_equal(oom_take(&fixture->oom, 1, 1000), OOM_UNKNOWN);
    oom_close(&fixture->oom);
    assert_int_equal(oom_take(&fixture->oom, 1, 1000), OOM_UNKNOWN);
}

static void without_a_count_kills_are_unknown(void **state)
{
    (void)state;
    struct oom oom;
    assert_int_equal(oom_open_file(&oom, "/nonexistent"), -ENOENT);
    assert_int_equal(oom_take(&oom, 1, 1000), OOM_UNKNOWN);
    assert_int_equal(oom_open_file(&oom, "/proc/self/cgroup"), -EINVAL);
    assert_int_equal(oom.fd, -1);
    assert_int_equal(oom_take(&oom, 1, 1000), OOM_UNKNOWN);
    oom_close(&oom);
}

/* Whether this machine counts or not, it must not fail in another way. */
static void our_own_cgroup_is_asked(void **state)
{
    (void)state;
    struct oom oom;
    int result = oom_open(&oom);
    if (result == 0) {
        assert_true(oom_take(&oom, 0, 1000) >= 0);
        assert_true((fcntl(oom.fd, F_GETFD) & FD_CLOEXEC) != 0);
    } else {
        assert_true(result == -ENOENT || result == -EINVAL || result == -EACCES);
        assert_int_equal(oom_take(&oom, 0, 1000), OOM_UNKNOWN);
    }
    oom_close(&oom);
}

/* ---- with a real kill, where we may make a cgroup ---- */

enum { LIMIT_BYTES = 32 << 20, EATEN_MAX = 256 << 20, CHILD_SKIPS = 77 };

static int write_number(const char *folder, const char *file, long number)
{
    char path[PATH_MAX + 64];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    FILE *stream = fopen(path, "we");
    if (stream == NULL) {
        return -errno;
    }
    int result = fprintf(stream, "%ld\n", number) < 0 ? -EIO : 0;
    return fclose(stream) != 0 ? -errno : result;
}

/* The folder of a new cgroup below ours; false when there can be none. */
static bool make_cgroup(char folder[PATH_MAX])
{
    struct cgroup_folder own;
    if (cgroup_own_find("memory", &own) < 0) {
        return false;
    }
    int len = snprintf(folder, PATH_MAX, "%s/fsd-oom-test-%d", own.path, getpid());
    return len < PATH_MAX && mkdir(folder, 0700) == 0;
}

static void eat(void)
{
    for (size_t eaten = 0; eaten < EATEN_MAX; eaten += 1 << 20) {
        char *memory =
            mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory != MAP_FAILED) {
            memset(memory, 1, 1 << 20);
        }
    }
}

/* Moves into the cgroup, and has a child killed there; the exit code is how many kills were seen. */
static int be_killed_in(const char *folder)
{
    struct oom oom;
    if ((write_number(folder, "memory.limit_in_bytes", LIMIT_BYTES) < 0 &&
         write_number(folder, "memory.max", LIMIT_BYTES) < 0) ||
        write_number(folder, "cgroup.procs", getpid()) < 0 || oom_open(&oom) < 0) {
        return CHILD_SKIPS;
    }
    pid_t child = fork();
    if (child == 0) {
        eat();
        _exit(0);
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    int kills = (int)oom_take(&oom, 1, 1000);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? kills : CHILD_SKIPS;
}

static void a_kill_by_the_kernel_is_counted(void **state)
{
    (void)state;
    char folder[PATH_MAX];
    if (!make_cgroup(folder)) {
        print_message("no cgroup can be made here\n");
        skip();
    }
    pid_t child = fork();
    if (child == 0) {
        _exit(be_killed_in(folder));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(rmdir(folder), 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPS) {
        print_message("memory can't be limited here\n");
        skip();
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(only_new_kills_are_told_of_and_once),
        TEST(a_kill_waits_for_its_victim_while_others_are_reaped),
        TEST(a_kill_of_old_explains_nothing),
        TEST(a_count_that_cannot_be_right_is_no_kill),
        cmocka_unit_test(without_a_count_kills_are_unknown),
        cmocka_unit_test(our_own_cgroup_is_asked),
        cmocka_unit_test(a_kill_by_the_kernel_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
