/* Listening sockets: balance, addresses that are taken, Unix sockets. */
#include "daemon/listen/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"
#include "test/support/listening.h"

enum { SLOTS = 4, CONNECTIONS = 200 };

static char folder[] = "/tmp/fsd-listener-XXXXXX";

static struct conf_listener make_unix_conf(char path[108])
{
    char address[128];
    (void)snprintf(path, 108, "%s/web.sock", folder);
    (void)snprintf(address, sizeof(address), "unix:%s", path);
    return make_conf(address);
}

static void connections_are_spread_over_the_slots(void **state)
{
    (void)state;
    struct conf_listener conf = make_conf("127.0.0.1:0");
    struct listener listener;
    int peers[CONNECTIONS];
    assert_int_equal(listener_open(&listener, &conf, SLOTS, NULL, NULL), 0);
    assert_string_not_equal(listener.address, "127.0.0.1:0");
    for (int i = 0; i < CONNECTIONS; i++) {
        peers[i] = connect_to(&listener);
    }
    int total = 0;
    for (unsigned i = 0; i < SLOTS; i++) {
        int count = count_waiting(listener_get_fd(&listener, i));
        assert_in_range(count, CONNECTIONS / SLOTS / 3, CONNECTIONS / SLOTS * 2);
        total += count;
    }
    assert_int_equal(total, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        (void)close(peers[i]);
    }
    listener_close(&listener);
}

static void a_slot_that_a_listener_was_not_opened_for_has_nothing_waiting(void **state)
{
    (void)state;
    char path[108];
    struct conf_listener shared_conf = make_unix_conf(path);
    struct conf_listener conf = make_conf("127.0.0.1:0");
    struct listener listener;
    struct listener shared;
    assert_int_equal(listener_open(&listener, &conf, 1, NULL, NULL), 0);
    assert_int_equal(listener_open(&shared, &shared_conf, 1, NULL, NULL), 0);
    int peer = connect_to(&listener);
    assert_true(listener_has(&listener, 0) && listener_is_waiting(&listener, 0));
    assert_false(listener_has(&listener, 1) || listener_is_waiting(&listener, 1));
    assert_true(listener_has(&shared, 1));
    (void)close(peer);
    listener_close(&listener);
    listener_close(&shared);
}

static void an_address_that_is_taken_is_named_with_the_reason(void **state)
{
    (void)state;
    struct conf_listener conf = make_conf("127.0.0.1:0");
    struct listener first;
    struct listener second;
    struct fsd_err err = {""};
    char expected[256];
    assert_int_equal(listener_open(&first, &conf, 2, NULL, NULL), 0);
    conf = make_conf(first.address);
    assert_int_equal(listener_open(&second, &conf, 2, NULL, &err), -EADDRINUSE);
    (void)snprintf(expected, sizeof(expected),
                   "cannot bind \"%s\": Address already in use listener=web", first.address);
    assert_string_equal(err.text, expected);
    listener_close(&first);
    assert_int_equal(listener_open(&second, &conf, 2, NULL, &err), 0);
    listener_close(&second);
}

static void all_addresses_include_ipv4(void **state)
{
    (void)state;
    struct conf_listener conf = make_conf(":0");
    struct listener listener;
    assert_int_equal(listener_open(&listener, &conf, 1, NULL, NULL), 0);
    int64_t port = 0;
    assert_int_equal(parse_int(strrchr(listener.address, ':') + 1, 1, 65535, &port), 0);
    struct sockaddr_in four = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(peer, (struct sockaddr *)&four, sizeof(four)), 0);
    (void)close(peer);
    listener_close(&listener);
}

static void a_unix_socket_is_shared_by_all_slots_and_removed_at_the_end(void **state)
{
    (void)state;
    char path[108];
    struct conf_listener conf = make_unix_conf(path);
    struct listener listener;
    struct stat info;
    assert_int_equal(listener_open(&listener, &conf, SLOTS, NULL, NULL), 0);
    assert_int_equal(listener_get_fd(&listener, 0), listener_get_fd(&listener, SLOTS - 1));
    int peer = connect_to(&listener);
    assert_int_equal(count_waiting(listener_get_fd(&listener, 3)), 1);
    (void)close(peer);
    listener_close(&listener);
    assert_int_equal(stat(path, &info), -1);
}

static void a_stale_socket_file_is_replaced_a_live_one_and_other_files_are_not(void **state)
{
    (void)state;
    char path[108];
    struct conf_listener conf = make_unix_conf(path);
    struct listener first;
    struct listener second;
    struct sockaddr_un address;
    memcpy(&address, &conf.address.storage, sizeof(address));
    int stale = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(stale, (struct sockaddr *)&address, sizeof(address)), 0);
    (void)close(stale);
    assert_int_equal(listener_open(&first, &conf, 1, NULL, NULL), 0);
    assert_int_equal(listener_open(&second, &conf, 1, NULL, NULL), -EADDRINUSE);
    listener_close(&first);

    FILE *file = fopen(path, "we");
    assert_non_null(file);
    (void)fclose(file);
    assert_int_equal(listener_open(&first, &conf, 1, NULL, NULL), -EADDRINUSE);
    assert_int_equal(unlink(path), 0);
}

static void a_file_that_is_not_ours_any_more_is_left_alone(void **state)
{
    (void)state;
    char path[108];
    struct conf_listener conf = make_unix_conf(path);
    struct listener listener;
    struct stat info;
    assert_int_equal(listener_open(&listener, &conf, 1, NULL, NULL), 0);
    char other[128];
    (void)snprintf(other, sizeof(other), "%s.other", path);
    FILE *file = fopen(other, "we"); /* another inode while ours still lives */
    assert_non_null(file);
    (void)fclose(file);
    assert_int_equal(rename(other, path), 0);
    listener_close(&listener);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(unlink(path), 0);
}

/* The name beside the path, under which it is bound first, must not cut the path. */
static void a_path_of_any_length_that_fits_is_bound_where_it_says(void **state)
{
    (void)state;
    for (size_t len = 94; len < 108; len++) {
        char path[108] = "";
        char address[128];
        struct listener listener;
        struct stat info;
        size_t start = (size_t)snprintf(path, sizeof(path), "%s/", folder);
        memset(path + start, 'x', len - start);
        (void)snprintf(address, sizeof(address), "unix:%s", path);
        struct conf_listener conf = make_conf(address);
        assert_int_equal(listener_open(&listener, &conf, 1, NULL, NULL), 0);
        assert_int_equal(stat(path, &info), 0);
        int peer = connect_to(&listener);
        (void)close(peer);
        listener_close(&listener);
        assert_int_equal(stat(path, &info), -1);
    }
}

static void a_leftover_of_a_daemon_with_our_pid_does_not_matter(void **state)
{
    (void)state;
    char path[108];
    struct conf_listener conf = make_unix_conf(path);
    struct listener listener;
    struct sockaddr_un leftover = {.sun_family = AF_UNIX};
    (void)snprintf(leftover.sun_path, sizeof(leftover.sun_path), "%.80s.%d", path, (int)getpid());
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&leftover, sizeof(leftover)), 0);
    (void)close(fd);
    assert_int_equal(listener_open(&listener, &conf, 1, NULL, NULL), 0);
    listener_close(&listener);
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
        cmocka_unit_test(connections_are_spread_over_the_slots),
        cmocka_unit_test(a_slot_that_a_listener_was_not_opened_for_has_nothing_waiting),
        cmocka_unit_test(an_address_that_is_taken_is_named_with_the_reason),
        cmocka_unit_test(all_addresses_include_ipv4),
        cmocka_unit_test(a_unix_socket_is_shared_by_all_slots_and_removed_at_the_end),
        cmocka_unit_test(a_stale_socket_file_is_replaced_a_live_one_and_other_files_are_not),
        cmocka_unit_test(a_file_that_is_not_ours_any_more_is_left_alone),
        cmocka_unit_test(a_path_of_any_length_that_fits_is_bound_where_it_says),
        cmocka_unit_test(a_leftover_of_a_daemon_with_our_pid_does_not_matter),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
