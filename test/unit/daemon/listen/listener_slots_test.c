/* Listening sockets of slots that come and go: growing, excluding, shrinking, sockets that were open before. */
#include "daemon/listen/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/fd.h"
#include "test/support/listening.h"

enum { SLOTS = 4, CONNECTIONS = 200 };

static char folder[] = "/tmp/fsd-listener-XXXXXX";

static struct conf_listener make_unix_conf(void)
{
    char address[64];
    (void)snprintf(address, sizeof(address), "unix:%s/web.sock", folder);
    return make_conf(address);
}

static void open_slots(struct listener *listener, unsigned slots)
{
    struct conf_listener conf = make_conf("127.0.0.1:0");
    assert_int_equal(listener_open(listener, &conf, slots, NULL, NULL), 0);
    assert_int_equal(listener->count, slots);
}

/* Opens connections, none of which may fail, and counts where they wait. */
static void spread(const struct listener *listener, int counts[SLOTS])
{
    int peers[CONNECTIONS];
    int total = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        peers[i] = connect_to(listener);
    }
    for (unsigned i = 0; i < listener->count; i++) {
        counts[i] = count_waiting(listener_get_fd(listener, i));
        total += counts[i];
    }
    assert_int_equal(total, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        fd_close(&peers[i]);
    }
}

/* The first `live` slots share everything, the others get nothing. */
static void assert_balance(const struct listener *listener, int live)
{
    int counts[SLOTS] = {0};
    spread(listener, counts);
    for (int i = 0; i < SLOTS; i++) {
        if (i < live) {
            assert_in_range(counts[i], CONNECTIONS / live / 3, CONNECTIONS / live * 2);
        } else {
            assert_int_equal(counts[i], 0);
        }
    }
}

static void excluded_slots_get_no_new_connections(void **state)
{
    (void)state;
    struct listener listener;
    open_slots(&listener, SLOTS);
    assert_int_equal(listener_exclude(&listener, 3), 0);
    assert_balance(&listener, 3);
    assert_int_equal(listener_exclude(&listener, 1), 0);
    assert_balance(&listener, 1);
    assert_int_equal(listener_exclude(&listener, SLOTS), 0);
    assert_balance(&listener, SLOTS);
    listener_close(&listener);
}

static void what_waits_in_an_excluded_slot_stays_there(void **state)
{
    (void)state;
    struct listener listener;
    int peers[CONNECTIONS];
    open_slots(&listener, SLOTS);
    assert_false(listener_is_waiting(&listener, 3));
    for (int i = 0; i < CONNECTIONS; i++) {
        peers[i] = connect_to(&listener);
    }
    assert_int_equal(listener_exclude(&listener, 3), 0);
    assert_true(listener_is_waiting(&listener, 3));
    assert_true(count_waiting(listener_get_fd(&listener, 3)) > 0);
    assert_false(listener_is_waiting(&listener, 3));
    for (int i = 0; i < CONNECTIONS; i++) {
        fd_close(&peers[i]);
    }
    listener_close(&listener);
}

/* With TCP_DEFER_ACCEPT the kernel keeps a handshake half-open until the client sends something. */
static void defer_accept(const struct listener *listener, int seconds)
{
    for (unsigned i = 0; i < listener->count; i++) {
        assert_int_equal(setsockopt(listener_get_fd(listener, i), IPPROTO_TCP, TCP_DEFER_ACCEPT,
                                    &seconds, sizeof(seconds)),
                         0);
    }
}

/* The server closed its end in order: a reset would be an error. */
static void assert_served(int peer)
{
    char byte;
    struct pollfd wait = {.fd = peer, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 30000), 1);
    assert_int_equal(recv(peer, &byte, 1, 0), 0);
}

/* Reads the request before closing, or the close would be a reset. */
static int serve_waiting(int fd)
{
    int count = 0;
    for (;;) {
        char byte;
        int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (peer < 0) {
            assert_int_equal(errno, EAGAIN);
            return count;
        }
        assert_int_equal(recv(peer, &byte, 1, 0), 1);
        (void)close(peer);
        count++;
    }
}

static void half_open_handshakes_are_served_by_the_slot_that_leaves(void **state)
{
    (void)state;
    struct listener listener;
    int peers[CONNECTIONS];
    open_slots(&listener, SLOTS);
    defer_accept(&listener, 30);
    for (int i = 0; i < CONNECTIONS; i++) {
        peers[i] = connect_to(&listener);
    }
    for (unsigned i = 0; i < SLOTS; i++) {
        assert_false(listener_is_waiting(&listener, i));
    }
    assert_int_equal(listener_exclude(&listener, 3), 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        assert_int_equal(send(peers[i], "x", 1, MSG_NOSIGNAL), 1);
    }
    int leaving = serve_waiting(listener_get_fd(&listener, 3));
    assert_in_range(leaving, CONNECTIONS / SLOTS / 3, CONNECTIONS / SLOTS * 2);
    listener_shrink(&listener, 3);
    int total = leaving;
    for (unsigned i = 0; i < 3; i++) {
        total += serve_waiting(listener_get_fd(&listener, i));
    }
    assert_int_equal(total, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        assert_served(peers[i]);
        fd_close(&peers[i]);
    }
    listener_close(&listener);
}

static void balance_is_over_all_after_shrinking_and_growing(void **state)
{
    (void)state;
    struct listener listener;
    open_slots(&listener, SLOTS);
    assert_int_equal(listener_exclude(&listener, 2), 0);
    listener_shrink(&listener, 2);
    assert_balance(&listener, 2);
    assert_int_equal(listener_grow(&listener, SLOTS, NULL), 0);
    assert_balance(&listener, SLOTS);
    /* the order is still that of the slots */
    assert_int_equal(listener_exclude(&listener, 3), 0);
    assert_balance(&listener, 3);
    listener_close(&listener);
}

static void an_exclusion_lasts_until_the_last_excluded_slot_has_gone(void **state)
{
    (void)state;
    struct listener listener;
    open_slots(&listener, SLOTS);
    assert_int_equal(listener_exclude(&listener, 1), 0);
    for (unsigned slots = SLOTS - 1; slots > 0; slots--) {
        listener_shrink(&listener, slots);
        assert_int_equal(listener.live, 1);
        assert_balance(&listener, 1);
    }
    assert_int_equal(listener_grow(&listener, SLOTS, NULL), 0);
    assert_balance(&listener, SLOTS);
    listener_close(&listener);
}

static void growing_ends_an_exclusion(void **state)
{
    (void)state;
    struct listener listener;
    open_slots(&listener, 3);
    assert_int_equal(listener_exclude(&listener, 1), 0);
    assert_int_equal(listener_grow(&listener, SLOTS, NULL), 0);
    assert_int_equal(listener.live, SLOTS);
    assert_balance(&listener, SLOTS);
    listener_close(&listener);
}

static void a_copy_in_a_worker_takes_nothing_after_the_end(void **state)
{
    (void)state;
    struct listener listener;
    open_slots(&listener, SLOTS);
    int copy = fcntl(listener_get_fd(&listener, 3), F_DUPFD_CLOEXEC, 0);
    assert_true(copy >= 0);
    listener_shrink(&listener, 3);
    assert_balance(&listener, 3);
    fd_close(&copy);
    listener_close(&listener);
}

static void an_address_that_was_given_up_is_free_although_a_worker_has_copies(void **state)
{
    (void)state;
    struct listener first;
    struct listener second;
    open_slots(&first, 2);
    struct conf_listener conf = make_conf(listener_get_address(&first));
    int copy = fcntl(listener_get_fd(&first, 0), F_DUPFD_CLOEXEC, 0);
    assert_int_equal(listener_open(&second, &conf, 1, NULL, NULL), -EADDRINUSE);
    listener_shrink(&first, 0);
    assert_int_equal(listener_open(&second, &conf, 1, NULL, NULL), 0);
    fd_close(&copy);
    listener_close(&first);
    listener_close(&second);
}

static void
an_address_that_is_wider_is_opened_beside_and_serves_when_the_narrow_one_is_given_up(void **state)
{
    (void)state;
    struct listener narrow;
    struct listener wide;
    char text[PARSE_ADDRESS_TEXT_MAX + 8];
    open_slots(&narrow, 2);
    const char *port = strrchr(listener_get_address(&narrow), ':');
    (void)snprintf(text, sizeof(text), "0.0.0.0%s", port);
    struct conf_listener conf = make_conf(text);
    assert_int_equal(listener_open(&wide, &conf, SLOTS, NULL, NULL), -EADDRINUSE);
    assert_int_equal(listener_open_beside(&wide, &conf, SLOTS, NULL), 0);
    assert_int_equal(wide.live, SLOTS);
    int peer = connect_to(&narrow);
    assert_int_equal(
        count_waiting(listener_get_fd(&narrow, 0)) + count_waiting(listener_get_fd(&narrow, 1)), 1);
    listener_shrink(&narrow, 0);
    assert_balance(&wide, SLOTS);
    fd_close(&peer);
    listener_close(&narrow);
    listener_close(&wide);
}

static void nothing_is_opened_beside_a_socket_that_shares_its_port_with_nobody(void **state)
{
    (void)state;
    struct fsd_err err;
    struct listener listener;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    char text[PARSE_ADDRESS_TEXT_MAX];
    int foreign = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(foreign, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(foreign, 1), 0);
    assert_int_equal(getsockname(foreign, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(text, sizeof(text), "127.0.0.1:%d", ntohs(address.sin_port));
    struct conf_listener conf = make_conf(text);
    assert_int_equal(listener_open_beside(&listener, &conf, 2, &err), -EADDRINUSE);
    assert_int_equal(listener.count, 0);
    fd_close(&foreign);
}

static void growing_that_fails_changes_nothing(void **state)
{
    (void)state;
    struct listener listener;
    struct fsd_err err = {""};
    struct rlimit usual;
    char expected[256];
    open_slots(&listener, 3);
    int free_fd = fcntl(0, F_DUPFD_CLOEXEC, 0); /* the lowest one that is free */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
    struct rlimit tight = {(rlim_t)free_fd + 2, usual.rlim_max};
    fd_close(&free_fd);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    int error = listener_grow(&listener, 8, &err);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
    assert_int_equal(error, -EMFILE);
    (void)snprintf(expected, sizeof(expected),
                   "cannot bind \"%s\": Too many open files listener=web",
                   listener_get_address(&listener));
    assert_string_equal(err.text, expected);
    assert_int_equal(listener.count, 3);
    assert_balance(&listener, 3);
    listener_close(&listener);
}

static void a_shared_socket_neither_grows_nor_shrinks(void **state)
{
    (void)state;
    struct listener listener;
    struct conf_listener conf = make_unix_conf();
    assert_int_equal(listener_open(&listener, &conf, 2, NULL, NULL), 0);
    int fd = listener_get_fd(&listener, 1);
    assert_int_equal(listener_grow(&listener, SLOTS, NULL), 0);
    assert_int_equal(listener_exclude(&listener, 1), 0);
    listener_shrink(&listener, 0);
    assert_int_equal(listener_get_fd(&listener, SLOTS), fd);
    int peer = connect_to(&listener);
    assert_true(listener_is_waiting(&listener, 3));
    fd_close(&peer);
    listener_close(&listener);
}

static void what_it_was_told_may_be_freed(void **state)
{
    (void)state;
    struct listener listener;
    char name[] = "old";
    struct conf_listener conf = make_conf("127.0.0.1:0");
    struct parse_address address = conf.address;
    conf.name = name;
    assert_int_equal(listener_open(&listener, &conf, 1, NULL, NULL), 0);
    memset(&conf, 0xff, sizeof(conf));
    memset(name, 'x', sizeof(name) - 1);
    assert_string_equal(listener.name, "old");
    assert_true(listener_is_same_address(&listener, &address));
    assert_int_equal(parse_address(listener_get_address(&listener), &address), 0);
    assert_false(listener_is_same_address(&listener, &address)); /* the port is asked for now */
    listener_rename(&listener, "new");
    assert_string_equal(listener.name, "new");
    listener_close(&listener);
}

/* Copies of a listener's sockets, as if they came from a process before us: blocking, kept on exec. */
static struct listener_inherited inherit(const struct listener *listener, int fds[SLOTS])
{
    for (unsigned i = 0; i < listener->count; i++) {
        fds[i] = fcntl(listener->fds[i], F_DUPFD, 0);
        assert_true(fds[i] >= 0);
        assert_int_equal(fcntl(fds[i], F_SETFL, 0), 0);
    }
    return (struct listener_inherited){.fds = fds, .count = listener->count};
}

static void assert_flags(const struct listener *listener)
{
    for (unsigned i = 0; i < listener->count; i++) {
        int fd = listener->fds[i];
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    }
}

static void inherited_sockets_keep_their_port_and_their_queues(void **state)
{
    (void)state;
    struct listener before;
    struct listener after;
    int fds[SLOTS];
    int peers[CONNECTIONS];
    struct conf_listener conf = make_conf("127.0.0.1:0");
    open_slots(&before, 3);
    for (int i = 0; i < CONNECTIONS; i++) {
        peers[i] = connect_to(&before);
    }
    assert_int_equal(listener_exclude(&before, 1), 0); /* its master died while it shrank */
    struct listener_inherited inherited = inherit(&before, fds);
    listener_close(&before);
    assert_int_equal(listener_open(&after, &conf, SLOTS, &inherited, NULL), 0);
    assert_int_equal(after.count, SLOTS);
    assert_flags(&after);
    int total = 0;
    for (unsigned i = 0; i < SLOTS; i++) {
        total += count_waiting(listener_get_fd(&after, i));
    }
    assert_int_equal(total, CONNECTIONS);
    assert_balance(&after, SLOTS);
    for (int i = 0; i < CONNECTIONS; i++) {
        fd_close(&peers[i]);
    }
    listener_close(&after);
}

static void inherited_sockets_above_the_slots_are_excluded_until_they_are_shrunk(void **state)
{
    (void)state;
    struct listener before;
    struct listener after;
    int fds[SLOTS];
    struct conf_listener conf = make_conf("127.0.0.1:0");
    open_slots(&before, SLOTS);
    struct listener_inherited inherited = inherit(&before, fds);
    listener_close(&before);
    assert_int_equal(listener_open(&after, &conf, 2, &inherited, NULL), 0);
    assert_int_equal(after.count, SLOTS);
    assert_int_equal(after.live, 2);
    assert_balance(&after, 2);
    listener_shrink(&after, 2);
    assert_balance(&after, 2);
    listener_close(&after);
}

static void a_foreign_socket_is_shared_and_never_removed(void **state)
{
    (void)state;
    struct listener listener;
    struct stat info;
    struct conf_listener conf = make_unix_conf();
    struct sockaddr_un address;
    memcpy(&address, &conf.address.storage, sizeof(address));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 5), 0);
    struct listener_inherited inherited = {.fds = &fd, .count = 1, .is_foreign = true};
    assert_int_equal(listener_open(&listener, &conf, SLOTS, &inherited, NULL), 0);
    assert_flags(&listener);
    int peer = connect_to(&listener);
    assert_int_equal(count_waiting(listener_get_fd(&listener, 3)), 1);
    fd_close(&peer);
    listener_close(&listener);
    assert_int_equal(stat(address.sun_path, &info), 0);
    assert_int_equal(unlink(address.sun_path), 0);
}

static void a_foreign_tcp_socket_is_shared_as_well(void **state)
{
    (void)state;
    struct listener before;
    struct listener after;
    int fds[SLOTS];
    struct conf_listener conf = make_conf("127.0.0.1:1"); /* systemd's word counts */
    open_slots(&before, 1);
    struct listener_inherited inherited = inherit(&before, fds);
    inherited.is_foreign = true;
    assert_int_equal(listener_open(&after, &conf, SLOTS, &inherited, NULL), 0);
    assert_string_equal(listener_get_address(&after), listener_get_address(&before));
    assert_int_equal(listener_get_fd(&after, 0), listener_get_fd(&after, 3));
    listener_shrink(&after, 0);
    listener_close(&after);
    int peer = connect_to(&before); /* it was not shut down */
    fd_close(&peer);
    listener_close(&before);
}

static void our_own_unix_socket_is_removed_by_its_heir(void **state)
{
    (void)state;
    struct listener before;
    struct listener after;
    struct stat info;
    int fds[SLOTS];
    struct conf_listener conf = make_unix_conf();
    assert_int_equal(listener_open(&before, &conf, 1, NULL, NULL), 0);
    struct listener_inherited inherited = inherit(&before, fds);
    inherited.file = before.file;
    before.file = (struct listener_file){0}; /* as after an exec: nobody closes it in order */
    listener_close(&before);
    assert_int_equal(listener_open(&after, &conf, 1, &inherited, NULL), 0);
    int peer = connect_to(&after);
    fd_close(&peer);
    char address[PARSE_ADDRESS_TEXT_MAX];
    memcpy(address, after.address, sizeof(address));
    listener_close(&after);
    assert_int_equal(stat(strchr(address, '/'), &info), -1);
}

/* The kernel lets only sockets of one user share a port. */
static void sockets_of_another_user_are_replaced(void **state)
{
    (void)state;
    struct listener before;
    struct listener after;
    int fds[SLOTS];
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(seteuid(65534), 0);
    open_slots(&before, 2);
    assert_int_equal(seteuid(0), 0);
    struct conf_listener conf = make_conf(listener_get_address(&before));
    struct listener_inherited inherited = inherit(&before, fds);
    assert_int_equal(listener_open(&after, &conf, SLOTS, &inherited, NULL), 0);
    assert_int_equal(after.count, SLOTS);
    assert_balance(&after, SLOTS);
    listener_close(&after);
    listener_close(&before);
}

static void inherited_sockets_are_closed_when_opening_fails(void **state)
{
    (void)state;
    struct listener listener;
    struct conf_listener conf = make_conf("127.0.0.1:0");
    int pair[2];
    assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
    int number = pair[0];
    struct listener_inherited inherited = {.fds = pair, .count = 1};
    assert_int_equal(listener_open(&listener, &conf, 1, &inherited, NULL), -ENOTSOCK);
    assert_int_equal(fcntl(number, F_GETFD), -1);
    fd_close(&pair[1]);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails when a test left something there */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(excluded_slots_get_no_new_connections),
        cmocka_unit_test(what_waits_in_an_excluded_slot_stays_there),
        cmocka_unit_test(half_open_handshakes_are_served_by_the_slot_that_leaves),
        cmocka_unit_test(balance_is_over_all_after_shrinking_and_growing),
        cmocka_unit_test(an_exclusion_lasts_until_the_last_excluded_slot_has_gone),
        cmocka_unit_test(growing_ends_an_exclusion),
        cmocka_unit_test(a_copy_in_a_worker_takes_nothing_after_the_end),
        cmocka_unit_test(an_address_that_was_given_up_is_free_although_a_worker_has_copies),
        cmocka_unit_test(
            an_address_that_is_wider_is_opened_beside_and_serves_when_the_narrow_one_is_given_up),
        cmocka_unit_test(nothing_is_opened_beside_a_socket_that_shares_its_port_with_nobody),
        cmocka_unit_test(growing_that_fails_changes_nothing),
        cmocka_unit_test(a_shared_socket_neither_grows_nor_shrinks),
        cmocka_unit_test(what_it_was_told_may_be_freed),
        cmocka_unit_test(inherited_sockets_keep_their_port_and_their_queues),
        cmocka_unit_test(inherited_sockets_above_the_slots_are_excluded_until_they_are_shrunk),
        cmocka_unit_test(a_foreign_socket_is_shared_and_never_removed),
        cmocka_unit_test(a_foreign_tcp_socket_is_shared_as_well),
        cmocka_unit_test(our_own_unix_socket_is_removed_by_its_heir),
        cmocka_unit_test(sockets_of_another_user_are_replaced),
        cmocka_unit_test(inherited_sockets_are_closed_when_opening_fails),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
