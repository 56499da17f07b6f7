/* The trial of another program: only the one right answer counts, and everything else has a reason. */
#include "daemon/upgrade/upgrade_probe.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/fd.h"

struct fixture {
    struct upgrade_probe probe;
    sd_event *loop;
    char path[32];
    int state_fd;
    unsigned done;
    char version[64];
    char why[16384];
};

static struct fixture *current; /* on_done has no other way to it */

static void on_done(struct upgrade_probe *probe, const char *version, const char *why)
{
    assert_ptr_equal(probe, &current->probe);
    current->done++;
    (void)snprintf(current->version, sizeof(current->version), "%s", version ? version : "");
    (void)snprintf(current->why, sizeof(current->why), "%s", why ? why : "");
    (void)sd_event_exit(current->loop, 0);
}

static int set_up(void **state)
{
    sigset_t child;
    current = calloc(1, sizeof(*current));
    (void)snprintf(current->path, sizeof(current->path), "/tmp/fsd-probe-XXXXXX");
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &child, NULL);
    assert_true(sd_event_new(&current->loop) >= 0);
    current->state_fd = fd_sealed_from("state", "the state", 9);
    *state = current;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    upgrade_probe_stop(&fixture->probe);
    sd_event_unref(fixture->loop);
    fd_close(&fixture->state_fd);
    (void)unlink(fixture->path);
    free(fixture);
    return 0;
}

static void write_program(struct fixture *fixture, const char *script)
{
    int fd = mkstemp(fixture->path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "#!/bin/sh\n%s\n", script) > 0);
    assert_int_equal(fchmod(fd, 0700), 0);
    fd_close(&fd);
}

static void try(struct fixture *fixture)
{
    struct fsd_err err = {""};
    assert_int_equal(upgrade_probe_start(&fixture->probe, fixture->loop, fixture->path,
                                         fixture->state_fd, on_done, &err),
                     0);
    assert_int_equal(fixture->done, 0);
    assert_int_equal(sd_event_loop(fixture->loop), 0);
    assert_int_equal(fixture->done, 1);
    assert_false(fixture->probe.is_running);
}

static void the_right_answer_tells_the_version(void **state)
{
    struct fixture *fixture = *state;
    write_program(fixture,
                  "[ \"$*\" = \"--upgrade-probe 3\" ] && [ \"$(cat /proc/self/fd/3)\" = "
                  "'the state' ] && [ ! -e /proc/self/fd/4 ] && echo 'fsd-upgrade 1.2.3~rc1'");
    try(fixture);
    assert_string_equal(fixture->why, "");
    assert_string_equal(fixture->version, "1.2.3~rc1");
}

static void the_environment_is_passed_on(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(setenv("FSD_PROBE_TEST", "x y", 1), 0);
    write_program(fixture, "[ \"$FSD_PROBE_TEST\" = 'x y' ] && echo 'fsd-upgrade 2'");
    try(fixture);
    assert_string_equal(fixture->version, "2");
}

static void everything_else_is_a_refusal_with_its_reason(void **state)
{
    static const struct {
        const char *script;
        const char *why; /* behind the quoted path */
    } cases[] = {
        {"exit 0", " exited with code 0 in its trial"},
        {"echo hello", " is no fsd that can go on"},
        {"echo 'fsd-upgrade '", " is no fsd that can go on"},
        {"printf 'fsd-upgrade 1'", " is no fsd that can go on"},
        {"echo 'fsd-upgrade 1'; echo more", " is no fsd that can go on"},
        {"echo 'warning'; echo 'fsd-upgrade 1'", " is no fsd that can go on"},
        {"echo 'fsd-upgrade 12345678901234567890123456789012'", " is no fsd that can go on"},
        {"echo 'fsd-upgrade 1'; exit 1", " exited with code 1 in its trial: fsd-upgrade 1"},
        {"echo 'cannot: \033[31mno' >&2; exit 65",
         " exited with code 65 in its trial: cannot: ?[31mno"},
        {"exit 7", " exited with code 7 in its trial"},
        {"echo 'fsd-upgrade 1'; kill -SEGV $$",
         " killed by signal 11 (Segmentation fault) in its trial"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (i > 0) {
            (void)tear_down(state);
            (void)set_up(state);
        }
        struct fixture *fixture = *state;
        char wanted[256];
        write_program(fixture, cases[i].script);
        try(fixture);
        (void)snprintf(wanted, sizeof(wanted), "\"%s\"%s", fixture->path, cases[i].why);
        assert_string_equal(fixture->why, wanted);
        assert_string_equal(fixture->version, "");
    }
}

static void a_program_that_is_not_there_is_named(void **state)
{
    struct fixture *fixture = *state;
    char wanted[128];
    try(fixture);
    (void)snprintf(wanted, sizeof(wanted), "cannot execute \"%s\": No such file or directory",
                   fixture->path);
    assert_string_equal(fixture->why, wanted);
}

static void one_that_is_stopped_says_nothing_more(void **state)
{
    struct fixture *fixture = *state;
    struct fsd_err err = {""};
    write_program(fixture, "sleep 600");
    assert_int_equal(upgrade_probe_start(&fixture->probe, fixture->loop, fixture->path,
                                         fixture->state_fd, on_done, &err),
                     0);
    pid_t pid = fixture->probe.child.pid;
    upgrade_probe_stop(&fixture->probe);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(sd_event_run(fixture->loop, 0), 0);
    assert_int_equal(fixture->done, 0);
    upgrade_probe_stop(&fixture->probe); /* a second time is fine */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_right_answer_tells_the_version),
        TEST(the_environment_is_passed_on),
        TEST(everything_else_is_a_refusal_with_its_reason),
        TEST(a_program_that_is_not_there_is_named),
        TEST(one_that_is_stopped_says_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
