/* Real children: what they get, how their failures come back. */
#include "daemon/proc/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "daemon/host/privilege.h"
#include "daemon/proc/cause.h"

enum { PATIENCE_MS = 30000 };

struct run {
    struct spawn_child child;
    struct cause cause;
    char out[4096];
};

static struct spawn_child start_shell(const char *script, int out)
{
    static char program[] = "shell";
    static char flag[] = "-c";
    char text[256];
    struct spawn_child child;
    (void)snprintf(text, sizeof(text), "%s", script);
    char *argv[] = {program, flag, text, NULL};
    char *env[] = {NULL};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int fds[] = {null, out, STDERR_FILENO};
    struct spawn_order order = {"/bin/sh", argv, env, fds, 3, NULL};
    assert_int_equal(spawn_start(&order, &child, NULL), 0);
    (void)close(null);
    return child;
}

static struct cause wait_for(const struct spawn_child *child)
{
    struct pollfd ended = {.fd = child->pidfd, .events = POLLIN};
    struct cause cause;
    assert_int_equal(poll(&ended, 1, PATIENCE_MS), 1);
    assert_int_equal(spawn_reap(child, &cause), 0);
    return cause;
}

static void run_shell(const char *script, struct run *run)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    *run = (struct run){.child = start_shell(script, ends[1])};
    (void)close(ends[1]);
    size_t len = 0;
    ssize_t got;
    while ((got = read(ends[0], run->out + len, sizeof(run->out) - 1 - len)) > 0) {
        len += (size_t)got;
    }
    (void)close(ends[0]);
    run->cause = wait_for(&run->child);
    assert_int_equal(spawn_failure(&run->child, "/bin/sh", NULL), 0);
    spawn_forget(&run->child);
    assert_int_equal(run->child.pidfd, -1);
}

static void ends_are_told_apart(void **state)
{
    (void)state;
    struct run run;
    run_shell("exit 3", &run);
    assert_false(run.cause.is_signal);
    assert_int_equal(run.cause.value, 3);
    run_shell("kill -11 $$", &run);
    assert_true(run.cause.is_signal);
    assert_int_equal(run.cause.value, SIGSEGV);
}

static void a_child_has_its_descriptors_and_no_other(void **state)
{
    (void)state;
    struct run run;
    int leak = open("/dev/null", O_RDONLY); /* NOLINT: without close-on-exec on purpose */
    run_shell("for f in /proc/self/fd/*; do echo -n \"${f##*/} \"; done; readlink /proc/self/fd/0",
              &run);
    (void)close(leak);
    /* the shell itself opens the folder while it expands the pattern */
    assert_true(strncmp(run.out, "0 1 2 3 /dev/null", 17) == 0 ||
                strncmp(run.out, "0 1 2 /dev/null", 15) == 0);
}

static void a_child_has_no_environment_but_the_order(void **state)
{
    (void)state;
    struct run run;
    assert_int_equal(setenv("SECRET", "x", 1), 0);
    run_shell("echo \"[$SECRET]\"", &run);
    assert_string_equal(run.out, "[]\n");
}

static void signals_are_as_after_login(void **state)
{
    (void)state;
    struct run run;
    sigset_t term;
    sigset_t before;
    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &term, &before);
    (void)signal(SIGPIPE, SIG_IGN);
    run_shell("grep -E '^Sig(Blk|Ign)' /proc/self/status", &run);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    unsigned long long blocked;
    unsigned long long ignored;
    assert_int_equal(sscanf(run.out, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
    assert_int_equal(blocked, 0);
    /* 32 and 33 are glibc's own: nobody can set them, and a parent may have ignored them by other means */
    assert_int_equal(ignored & ~(3ULL << 31), 0);
}

static void a_program_that_is_missing_is_named(void **state)
{
    (void)state;
    static char name[] = "nobody";
    char *argv[] = {name, NULL};
    char *env[] = {NULL};
    const int fds[] = {STDERR_FILENO};
    struct spawn_order order = {"/nowhere/nobody", argv, env, fds, 1, NULL};
    struct spawn_child child;
    struct fsd_err err = {""};
    assert_int_equal(spawn_start(&order, &child, &err), 0);
    (void)wait_for(&child);
    assert_int_equal(spawn_failure(&child, order.path, &err), -ENOENT);
    assert_string_equal(err.text, "cannot execute \"/nowhere/nobody\": No such file or directory");
    spawn_forget(&child);
}

static void a_bad_descriptor_is_a_failure_and_not_a_child_without_it(void **state)
{
    (void)state;
    static char name[] = "true";
    char *argv[] = {name, NULL};
    char *env[] = {NULL};
    const int fds[] = {STDERR_FILENO, 9999};
    struct spawn_order order = {"/bin/true", argv, env, fds, 2, NULL};
    struct spawn_child child;
    struct fsd_err err = {""};
    assert_int_equal(spawn_start(&order, &child, &err), 0);
    struct cause cause = wait_for(&child);
    assert_int_equal(cause.value, 127);
    assert_int_equal(spawn_failure(&child, order.path, &err), -EBADF);
    spawn_forget(&child);
}

static void a_child_that_cannot_become_the_user_does_not_start(void **state)
{
    (void)state;
    static char name[] = "true";
    static char user[] = "somebody";
    char *argv[] = {name, NULL};
    char *env[] = {NULL};
    const int fds[] = {STDERR_FILENO};
    struct privilege privilege = {
        .is_switching = true, .uid = (uid_t)-1, .gid = getegid(), .user = user}; /* no such id */
    struct spawn_order order = {"/bin/true", argv, env, fds, 1, &privilege};
    struct spawn_child child;
    struct fsd_err err = {""};
    char expected[64];
    assert_int_equal(spawn_start(&order, &child, &err), 0);
    struct cause cause = wait_for(&child);
    assert_int_equal(cause.value, 127);
    int error = spawn_failure(&child, order.path, &err);
    assert_int_equal(error, -EPERM); /* nothing failed, but it is not who it was to be */
    (void)snprintf(expected, sizeof(expected), "cannot become user \"somebody\": %s",
                   strerror(-error));
    assert_string_equal(err.text, expected);
    spawn_forget(&child);
}

static void a_living_child_is_not_reaped_and_can_be_signalled(void **state)
{
    (void)state;
    struct cause cause;
    struct spawn_child child = start_shell("sleep 60", STDERR_FILENO);
    assert_int_equal(spawn_reap(&child, &cause), -EAGAIN);
    spawn_signal(&child, SIGKILL);
    cause = wait_for(&child);
    assert_true(cause.is_signal);
    assert_int_equal(cause.value, SIGKILL);
    spawn_signal(&child, SIGKILL); /* it is gone: no error */
    spawn_forget(&child);
}

static bool is_the_one(const void *owner, pid_t pid)
{
    return *(const pid_t *)owner == pid;
}

static void foreign_children_are_reaped_and_ours_is_left(void **state)
{
    (void)state;
    struct spawn_child child = start_shell("sleep 60", STDERR_FILENO);
    pid_t foreign = fork();
    if (foreign == 0) {
        _exit(9);
    }
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)foreign, &info, WEXITED | WNOWAIT), 0);
    spawn_reap_foreign(is_the_one, &child.pid);
    assert_int_equal(waitpid(foreign, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    spawn_signal(&child, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
    spawn_reap_foreign(is_the_one, &child.pid);
    struct cause cause = wait_for(&child);
    assert_int_equal(cause.value, SIGKILL);
    spawn_forget(&child);
}

static void the_basic_environment_is_taken_over(void **state)
{
    (void)state;
    char *env[SPAWN_ENV_BASE_MAX];
    assert_int_equal(setenv("PATH", "/bin", 1), 0);
    assert_int_equal(unsetenv("LANG"), 0);
    assert_int_equal(setenv("TZ", "UTC", 1), 0);
    assert_int_equal(spawn_env_base(env, NULL), 2);
    assert_string_equal(env[0], "PATH=/bin");
    assert_string_equal(env[1], "TZ=UTC");
    const struct privilege shielded = {.is_shielded = true};
    assert_int_equal(spawn_env_base(env, &shielded), 3);
    assert_string_equal(env[0], "FSD_SHIELD=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_told_apart),
        cmocka_unit_test(a_child_has_its_descriptors_and_no_other),
        cmocka_unit_test(a_child_has_no_environment_but_the_order),
        cmocka_unit_test(signals_are_as_after_login),
        cmocka_unit_test(a_program_that_is_missing_is_named),
        cmocka_unit_test(a_bad_descriptor_is_a_failure_and_not_a_child_without_it),
        cmocka_unit_test(a_child_that_cannot_become_the_user_does_not_start),
        cmocka_unit_test(a_living_child_is_not_reaped_and_can_be_signalled),
        cmocka_unit_test(foreign_children_are_reaped_and_ours_is_left),
        cmocka_unit_test(the_basic_environment_is_taken_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
