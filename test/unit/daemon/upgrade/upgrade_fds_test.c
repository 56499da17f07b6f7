/* Descriptors that live through the exec are what they should be, and nobody else lives through it. */
#include "daemon/upgrade/upgrade_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/blackbox.h"
#include "common/err.h"
#include "common/fd.h"
#include "common/page.h"
#include "test/support/upgrade_sample.h"

/* Real descriptors for all that the sample names. */
struct fixture {
    struct upgrade_state state;
    int fds[16];
    int count;
};

static int open_pair(struct fixture *fixture, int type)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), 0);
    fixture->fds[fixture->count++] = pair[1];
    return pair[0];
}

static int open_listening(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static int open_shared(void)
{
    int fd = memfd_create("shared", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, 65536), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    return fd;
}

static void open_all(struct fixture *fixture)
{
    fixture->state = upgrade_sample_make();
    fixture->count = 0;
    struct upgrade_pool *pool = fixture->state.pools.items;
    struct upgrade_proc *procs = pool->procs.items;
    for (int i = 0; i < 2; i++) {
        procs[i].channel = open_pair(fixture, SOCK_SEQPACKET);
        procs[i].page = page_create();
        procs[i].blackbox = blackbox_create();
        procs[i].log = i == 0 ? open_pair(fixture, SOCK_SEQPACKET) : -1;
    }
    struct upgrade_app *app = fixture->state.apps.items;
    struct upgrade_bundle *kept = app->kept.items;
    app->running.fd = fd_sealed_from("code", "x", 1);
    kept[0].fd = fd_sealed_from("code", "x", 1);
    kept[1].fd = fd_sealed_from("code", "x", 1);
    struct upgrade_listener *listener = fixture->state.listeners.items;
    struct upgrade_socket *sockets = listener->sockets.items;
    sockets[0].fd = open_listening();
    sockets[1].fd = open_listening();
    ((struct upgrade_shared *)fixture->state.shared.items)->fd = open_shared();
    fixture->state.control = open_listening();
    fixture->state.caller.fd = open_pair(fixture, SOCK_STREAM);
}

static void close_all(struct fixture *fixture)
{
    int *fds = NULL;
    size_t count = 0;
    assert_int_equal(upgrade_list_fds(&fixture->state, &fds, &count), 0);
    for (size_t i = 0; i < count; i++) {
        (void)close(fds[i]);
    }
    for (int i = 0; i < fixture->count; i++) {
        (void)close(fixture->fds[i]);
    }
    free(fds);
    upgrade_state_fini(&fixture->state);
}

static void what_is_as_it_should_be_is_accepted(void **state)
{
    (void)state;
    struct fixture fixture;
    struct fsd_err err = {""};
    open_all(&fixture);
    if (upgrade_fds_check(&fixture.state, &err) < 0) {
        fail_msg("%s", err.text);
    }
    close_all(&fixture);
}

/* The place of each kind in the sample. */
static int *find_place(struct upgrade_state *state, enum upgrade_fd what)
{
    struct upgrade_proc *procs = ((struct upgrade_pool *)state->pools.items)->procs.items;
    switch (what) {
    case UPGRADE_FD_LISTENING:
        break;
    case UPGRADE_FD_STREAM:
        return &state->caller.fd;
    case UPGRADE_FD_PACKETS:
        return &procs[1].channel;
    case UPGRADE_FD_SEALED:
        return &((struct upgrade_app *)state->apps.items)->running.fd;
    case UPGRADE_FD_PAGE:
        return &procs[1].page;
    case UPGRADE_FD_BLACKBOX:
        return &procs[1].blackbox;
    case UPGRADE_FD_SHARED:
        return &((struct upgrade_shared *)state->shared.items)->fd;
    }
    return &state->control;
}

static int open_small_page(void)
{
    int fd = memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, PAGE_BYTES_MIN - 1), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    return fd;
}

static int open_page_that_can_shrink(void)
{
    int fd = memfd_create("page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, BLACKBOX_SIZE), 0);
    return fd;
}

static int open_datagrams(void)
{
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int open_stream(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int open_null(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int open_inet(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int open_nothing(void)
{
    int fd = open_null();
    (void)close(fd);
    return fd;
}

static void everything_else_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum upgrade_fd what;
        int (*open)(void);
    } cases[] = {
        {UPGRADE_FD_LISTENING, open_stream},
        {UPGRADE_FD_LISTENING, open_null},
        {UPGRADE_FD_LISTENING, open_nothing},
        {UPGRADE_FD_STREAM, open_listening},
        {UPGRADE_FD_STREAM, open_inet},
        {UPGRADE_FD_STREAM, open_datagrams},
        {UPGRADE_FD_PACKETS, open_stream},
        {UPGRADE_FD_PACKETS, page_create},
        {UPGRADE_FD_SEALED, page_create}, /* the worker writes to it */
        {UPGRADE_FD_SEALED, open_null},
        {UPGRADE_FD_PAGE, open_small_page},
        {UPGRADE_FD_PAGE, open_page_that_can_shrink},
        {UPGRADE_FD_PAGE, open_nothing},
        {UPGRADE_FD_BLACKBOX, page_create}, /* too small */
        {UPGRADE_FD_BLACKBOX, open_page_that_can_shrink},
        {UPGRADE_FD_SHARED, open_page_that_can_shrink},
        {UPGRADE_FD_SHARED, open_small_page}, /* it can grow */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture fixture;
        struct fsd_err err = {""};
        open_all(&fixture);
        int *place = find_place(&fixture.state, cases[i].what);
        int right = *place;
        *place = cases[i].open();
        assert_int_equal(upgrade_fds_check(&fixture.state, &err), -EBADF);
        assert_non_null(strstr(err.text, " is not a"));
        (void)close(right);
        close_all(&fixture);
    }
}

static int get_flag(int fd)
{
    return fcntl(fd, F_GETFD);
}

static void descriptors_live_through_an_exec_only_on_demand(void **state)
{
    (void)state;
    struct fixture fixture;
    int *fds = NULL;
    size_t count = 0;
    open_all(&fixture);
    assert_int_equal(upgrade_list_fds(&fixture.state, &fds, &count), 0);
    upgrade_fds_keep(&fixture.state, true);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(get_flag(fds[i]), 0);
    }
    upgrade_fds_keep(&fixture.state, false);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(get_flag(fds[i]), FD_CLOEXEC);
    }
    free(fds);
    close_all(&fixture);
}

/* In a child, since it closes the test's own descriptors. */
static int close_and_look(const struct fixture *fixture, int other, int foreign)
{
    int *fds = NULL;
    size_t count = 0;
    const int others[] = {-1, other};
    if (upgrade_fds_close_rest(&fixture->state, others, 2) < 0 ||
        upgrade_list_fds(&fixture->state, &fds, &count) < 0) {
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        if (get_flag(fds[i]) < 0) {
            return 2;
        }
    }
    free(fds);
    for (int i = 0; i < fixture->count; i++) {
        if (get_flag(fixture->fds[i]) >= 0) {
            return 3;
        }
    }
    return get_flag(other) < 0 ? 4 : get_flag(foreign) >= 0 ? 5 : get_flag(2) < 0 ? 6 : 0;
}

static void what_was_not_named_is_closed(void **state)
{
    (void)state;
    struct fixture fixture;
    int other = open_null();
    int foreign = fcntl(other, F_DUPFD_CLOEXEC, 200);
    int status = -1;
    open_all(&fixture);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(close_and_look(&fixture, other, foreign));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)close(other);
    (void)close(foreign);
    close_all(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_as_it_should_be_is_accepted),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(descriptors_live_through_an_exec_only_on_demand),
        cmocka_unit_test(what_was_not_named_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
