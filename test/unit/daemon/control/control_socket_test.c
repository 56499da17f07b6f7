/* The file of the control socket: how it appears, and what may stand in its place. */
#include "daemon/control/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/fd.h"

struct fixture {
    char folder[32];
    char path[64];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/fsd-socket-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    assert_int_equal(chmod(fixture->folder, 0755), 0);
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/c.sock", fixture->folder);
    *state = fixture;
    return 0;
}

/* rmdir also tells that no temporary name was left behind. */
static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    (void)unlink(fixture->path); /* where a test left one */
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        fd_close(&fd);
        return -errno;
    }
    return fd;
}

static void the_file_has_its_mode_and_goes_with_the_socket(void **state)
{
    const struct fixture *fixture = *state;
    struct control_socket control;
    struct stat found;
    int stale = -1;
    assert_int_equal(control_socket_open(&control, fixture->path, &stale, NULL), 0);
    assert_int_equal(stale, 0);
    assert_int_equal(stat(fixture->path, &found), 0);
    assert_true(S_ISSOCK(found.st_mode));
    /* for the group only where its group is the administrators' */
    const struct group *admins = getgrnam("fsd-admin");
    bool is_theirs = admins != NULL && found.st_gid == admins->gr_gid;
    assert_int_equal(found.st_mode & 0777, is_theirs ? 0660 : 0600);
    assert_int_equal(fcntl(control.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);

    int fd = connect_to(fixture->path);
    assert_true(fd >= 0);
    fd_close(&fd);

    control_socket_close(&control);
    control_socket_close(&control);
    assert_int_equal(access(fixture->path, F_OK), -1);
}

static void a_living_daemon_is_not_displaced(void **state)
{
    const struct fixture *fixture = *state;
    struct control_socket first;
    struct control_socket second;
    struct fsd_err err;
    char expected[256];
    int stale = -1;
    assert_int_equal(control_socket_open(&first, fixture->path, &stale, NULL), 0);
    assert_int_equal(control_socket_open(&second, fixture->path, &stale, &err), -EADDRINUSE);
    (void)snprintf(expected, sizeof(expected),
                   "cannot listen on control socket \"%s\": another fsd is running there",
                   fixture->path);
    assert_string_equal(err.text, expected);

    int fds[200]; /* more than its backlog */
    size_t count = 0;
    while (count < 200 && (fds[count] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) >= 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", fixture->path);
        (void)connect(fds[count], (const struct sockaddr *)&address, sizeof(address));
        count++;
    }
    assert_int_equal(control_socket_open(&second, fixture->path, &stale, NULL), -EADDRINUSE);
    while (count > 0) {
        fd_close(&fds[--count]);
    }
    control_socket_close(&first);
}

static void what_a_killed_daemon_left_is_replaced(void **state)
{
    const struct fixture *fixture = *state;
    struct control_socket dead;
    struct control_socket control;
    int stale = -1;
    assert_int_equal(control_socket_open(&dead, fixture->path, &stale, NULL), 0);
    int fd = dead.fd;
    fd_close(&fd); /* the file stays, as after SIGKILL */
    assert_int_equal(control_socket_open(&control, fixture->path, &stale, NULL), 0);
    assert_int_equal(stale, 1);
    fd = connect_to(fixture->path);
    assert_true(fd >= 0);
    fd_close(&fd);
    control_socket_close(&control);
    free(dead.path);
}

/* Listens on the path and ends; somebody else has the socket for so long. */
static pid_t leave_socket_to_child(const char *path, useconds_t for_us)
{
    int report[2];
    assert_int_equal(pipe(report), 0);
    pid_t daemon = fork();
    assert_true(daemon >= 0);
    if (daemon == 0) {
        struct control_socket control;
        int stale = -1;
        (void)control_socket_open(&control, path, &stale, NULL);
        pid_t child = fork();
        if (child == 0) {
            (void)usleep(for_us);
            _exit(0);
        }
        _exit(write(report[1], &child, sizeof(child)) == sizeof(child) ? 0 : 1);
    }
    pid_t child = 0;
    int status = -1;
    assert_int_equal(read(report[0], &child, sizeof(child)), sizeof(child));
    assert_int_equal(waitpid(daemon, &status, 0), daemon);
    assert_int_equal(status, 0);
    fd_close(&report[0]);
    fd_close(&report[1]);
    return child;
}

static void a_child_that_a_killed_daemon_left_is_waited_for(void **state)
{
    const struct fixture *fixture = *state;
    struct control_socket control;
    int stale = -1;
    (void)leave_socket_to_child(fixture->path, 50 * 1000);
    assert_int_equal(control_socket_open(&control, fixture->path, &stale, NULL), 0);
    assert_int_equal(stale, 1);
    control_socket_close(&control);
}

static void a_socket_that_stays_in_use_is_not_taken_away_whoever_has_it(void **state)
{
    const struct fixture *fixture = *state;
    struct control_socket control;
    int stale = -1;
    pid_t child = leave_socket_to_child(fixture->path, 60 * 1000 * 1000);
    assert_int_equal(control_socket_open(&control, fixture->path, &stale, NULL), -EADDRINUSE);
    assert_int_equal(kill(child, SIGKILL), 0);
}

static void a_file_of_somebody_else_is_not_removed_at_the_end(void **state)
{
    const struct fixture *fixture = *state;
    struct control_socket control;
    int stale = -1;
    assert_int_equal(control_socket_open(&control, fixture->path, &stale, NULL), 0);
    assert_int_equal(unlink(fixture->path), 0);
    int fd = open(fixture->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    fd_close(&fd);
    control_socket_close(&control);
    assert_int_equal(access(fixture->path, F_OK), 0);
}

static void the_folder_is_made_when_only_that_is_missing(void **state)
{
    const struct fixture *fixture = *state;
    struct control_socket control;
    char folder[200];
    char path[220];
    int stale = -1;
    struct stat found;
    (void)snprintf(folder, sizeof(folder), "%s/run", fixture->folder);
    (void)snprintf(path, sizeof(path), "%s/c.sock", folder);
    assert_int_equal(control_socket_open(&control, path, &stale, NULL), 0);
    assert_int_equal(stat(folder, &found), 0);
    assert_true(S_ISDIR(found.st_mode));
    control_socket_close(&control);
    assert_int_equal(rmdir(folder), 0);
}

static void what_cannot_be_is_said(void **state)
{
    const struct fixture *fixture = *state;
    struct control_socket control;
    struct fsd_err err;
    int stale = -1;
    int fd = open(fixture->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    fd_close(&fd);
    assert_int_equal(control_socket_open(&control, fixture->path, &stale, &err), -EEXIST);
    assert_non_null(strstr(err.text, "a file that is not a socket is in its place"));

    assert_int_equal(control_socket_open(&control, "/nowhere/at/all/c.sock", &stale, &err),
                     -ENOENT);
    assert_string_equal(err.text,
                        "cannot listen on control socket \"/nowhere/at/all/c.sock\": No such "
                        "file or directory");

    char path[200];
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(control_socket_open(&control, path, &stale, &err), -ENAMETOOLONG);
    assert_int_equal(stale, -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_file_has_its_mode_and_goes_with_the_socket),
        TEST(a_living_daemon_is_not_displaced),
        TEST(what_a_killed_daemon_left_is_replaced),
        TEST(a_child_that_a_killed_daemon_left_is_waited_for),
        TEST(a_socket_that_stays_in_use_is_not_taken_away_whoever_has_it),
        TEST(a_file_of_somebody_else_is_not_removed_at_the_end),
        TEST(the_folder_is_made_when_only_that_is_missing),
        TEST(what_cannot_be_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
