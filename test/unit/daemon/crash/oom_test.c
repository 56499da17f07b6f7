/* The count of kills, read again and again. */
#include "daemon/crash/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void rewrite(int fd, const char *text)
{
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

static void only_new_kills_are_told_of_and_once(void **state)
{
    (void)state;
    char path[] = "/tmp/fsd-oom-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    rewrite(fd, "oom 7\noom_kill 3\n");
    struct oom oom;
    assert_int_equal(oom_open_file(&oom, path), 0);
    assert_int_equal(unlink(path), 0); /* it is opened once */
    assert_int_equal(oom_take(&oom), 0);
    rewrite(fd, "oom 9\noom_kill 5\n");
    assert_int_equal(oom_take(&oom), 2);
    assert_int_equal(oom_take(&oom), 0);
    rewrite(fd, "oom_kill 1\n"); /* counted anew: nothing can be said of these */
    assert_int_equal(oom_take(&oom), 0);
    rewrite(fd, "oom_kill 2\n");
    assert_int_equal(oom_take(&oom), 1);
    rewrite(fd, "oom_kill 18446744073709551615\n");
    assert_true(oom_take(&oom) > 0);
    rewrite(fd, "");
    assert_int_equal(oom_take(&oom), OOM_UNKNOWN);
    oom_close(&oom);
    oom_close(&oom);
    assert_int_equal(oom_take(&oom), OOM_UNKNOWN);
    assert_int_equal(close(fd), 0);
}

static void without_a_count_kills_are_unknown(void **state)
{
    (void)state;
    struct oom oom;
    assert_int_equal(oom_open_file(&oom, "/nonexistent"), -ENOENT);
    assert_int_equal(oom_take(&oom), OOM_UNKNOWN);
    assert_int_equal(oom_open_file(&oom, "/proc/self/cgroup"), -EINVAL);
    assert_int_equal(oom.fd, -1);
    assert_int_equal(oom_take(&oom), OOM_UNKNOWN);
    oom_close(&oom);
}

/* Whether this machine counts or not, it must not fail in another way. */
static void our_own_cgroup_is_asked(void **state)
{
    (void)state;
    struct oom oom;
    int result = oom_open(&oom);
    if (result == 0) {
        assert_true(oom_take(&oom) >= 0);
        assert_true((fcntl(oom.fd, F_GETFD) & FD_CLOEXEC) != 0);
    } else {
        assert_true(result == -ENOENT || result == -EINVAL || result == -EACCES);
        assert_int_equal(oom_take(&oom), OOM_UNKNOWN);
    }
    oom_close(&oom);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_new_kills_are_told_of_and_once),
        cmocka_unit_test(without_a_count_kills_are_unknown),
        cmocka_unit_test(our_own_cgroup_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
