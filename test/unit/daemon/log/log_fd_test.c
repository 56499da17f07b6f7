/* Lines to a file: appending, full disks, and paths that can't be opened. */
#include "daemon/log/log_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"

struct fixture {
    char folder[32];
    char path[64];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/fsd-log-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/a.log", fixture->folder);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    (void)unlink(fixture->path);
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

static void expect_content(const char *path, const char *expected)
{
    char text[256] = "";
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    assert_string_equal(text, expected);
}

static void a_file_is_made_for_its_group_and_appended_to(void **state)
{
    const struct fixture *fixture = *state;
    struct log_fd out;
    struct stat info;
    mode_t before = umask(0);
    assert_int_equal(log_fd_open(&out, fixture->path, NULL), 0);
    (void)umask(before);
    assert_int_equal(fstat(out.fd, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(out.kind, LOG_FD_FILE);
    assert_true((fcntl(out.fd, F_GETFD) & FD_CLOEXEC) != 0);
    assert_true(log_fd_write(&out, "one\n", 4));
    log_fd_fini(&out);
    log_fd_fini(&out);
    assert_int_equal(log_fd_open(&out, fixture->path, NULL), 0);
    assert_true(log_fd_write(&out, "two\n", 4));
    log_fd_fini(&out);
    expect_content(fixture->path, "one\ntwo\n");
}

static void a_path_that_cannot_be_opened_is_an_error_that_names_it(void **state)
{
    const struct fixture *fixture = *state;
    struct log_fd out;
    struct fsd_err err;
    assert_int_equal(log_fd_open(&out, fixture->folder, &err), -EISDIR);
    assert_non_null(strstr(err.text, fixture->folder));
    assert_int_equal(log_fd_open(&out, "/nonexistent/a.log", &err), -ENOENT);
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    assert_int_equal(log_fd_open(&out, fixture->path, &err), -ENXIO); /* and did not wait */
}

static void a_line_cut_by_a_full_disk_does_not_run_into_the_next(void **state)
{
    const struct fixture *fixture = *state;
    struct rlimit before;
    struct rlimit small;
    struct log_fd out;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 10, .rlim_max = before.rlim_max};
    assert_int_equal(log_fd_open(&out, fixture->path, NULL), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_true(log_fd_write(&out, "12345\n", 6));
    assert_false(log_fd_write(&out, "abcdefgh\n", 9));
    assert_true(out.is_mid_line);
    assert_false(log_fd_write(&out, "lost\n", 5));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_true(log_fd_write(&out, "healed\n", 7));
    log_fd_fini(&out);
    expect_content(fixture->path, "12345\nabcd\nhealed\n");
}

static void what_is_inherited_stays_open(void **state)
{
    (void)state;
    struct log_fd out;
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    log_fd_init(&out, fd);
    assert_int_equal(out.kind, LOG_FD_STREAM);
    log_fd_fini(&out);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    (void)close(fd);
    log_fd_init(&out, fd); /* closed: lines are refused, that is all */
    assert_false(log_fd_write(&out, "x\n", 2));
    log_fd_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_made_for_its_group_and_appended_to, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_path_that_cannot_be_opened_is_an_error_that_names_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_cut_by_a_full_disk_does_not_run_into_the_next,
                                        set_up, tear_down),
        cmocka_unit_test(what_is_inherited_stays_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
