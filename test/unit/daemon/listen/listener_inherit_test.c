/* A listener that goes on in another program: nothing of it changes. */
#include "daemon/listen/listener.h"

#include <errno.h>
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

enum { SLOTS = 4, CONNECTIONS = 80 };

/* The same sockets in another struct, as after an exec. */
static void pass_on(struct listener *before, struct listener *after,
                    const struct conf_listener *conf)
{
    struct listener_inherited inherited = {.fds = before->fds,
                                           .count = before->count,
                                           .is_foreign = before->is_foreign,
                                           .file = before->file};
    assert_int_equal(listener_inherit(after, conf, before->live, &inherited), 0);
    free(before->fds); /* its program is no more */
}

static void sockets_queues_and_the_port_are_kept(void **state)
{
    (void)state;
    struct conf_listener conf = make_conf("127.0.0.1:0");
    struct listener before;
    struct listener after;
    int peers[CONNECTIONS];
    assert_int_equal(listener_open(&before, &conf, SLOTS, NULL, NULL), 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        peers[i] = connect_to(&before);
    }
    pass_on(&before, &after, &conf);
    assert_string_equal(after.address, before.address);
    assert_string_equal(after.name, before.name);
    assert_int_equal(after.kind, LISTENER_PER_SLOT);
    assert_int_equal(after.count, SLOTS);
    assert_int_equal(after.live, SLOTS);
    assert_true(listener_is_same_address(&after, &conf.address));
    int total = 0;
    for (unsigned i = 0; i < SLOTS; i++) {
        total += count_waiting(listener_get_fd(&after, i));
    }
    assert_int_equal(total, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        (void)close(peers[i]);
    }
    listener_close(&after);
}

static void an_exclusion_goes_on(void **state)
{
    (void)state;
    struct conf_listener conf = make_conf("127.0.0.1:0");
    struct listener before;
    struct listener after;
    int peers[CONNECTIONS];
    assert_int_equal(listener_open(&before, &conf, SLOTS, NULL, NULL), 0);
    assert_int_equal(listener_exclude(&before, 1), 0);
    pass_on(&before, &after, &conf);
    assert_int_equal(after.count, SLOTS);
    assert_int_equal(after.live, 1);
    for (int i = 0; i < CONNECTIONS; i++) {
        peers[i] = connect_to(&after);
    }
    assert_int_equal(count_waiting(listener_get_fd(&after, 0)), CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++) {
        (void)close(peers[i]);
    }
    listener_close(&after);
}

static void the_file_of_a_unix_socket_is_removed_by_the_heir(void **state)
{
    (void)state;
    char path[] = "/tmp/fsd-inherit-XXXXXX";
    char address[128];
    struct stat info;
    struct listener before;
    struct listener after;
    assert_non_null(mkdtemp(path));
    (void)snprintf(address, sizeof(address), "unix:%s/web.sock", path);
    struct conf_listener conf = make_conf(address);
    assert_int_equal(listener_open(&before, &conf, SLOTS, NULL, NULL), 0);
    pass_on(&before, &after, &conf);
    assert_int_equal(after.kind, LISTENER_SHARED);
    assert_string_equal(listener_get_address(&after), address);
    int peer = connect_to(&after);
    assert_int_equal(count_waiting(listener_get_fd(&after, 3)), 1);
    (void)close(peer);
    assert_int_equal(stat(address + 5, &info), 0);
    listener_close(&after);
    assert_int_equal(stat(address + 5, &info), -1);
    assert_int_equal(rmdir(path), 0);
}

static void a_socket_of_systemd_stays_foreign(void **state)
{
    (void)state;
    struct conf_listener conf = make_conf("127.0.0.1:0");
    struct listener before;
    struct listener after;
    assert_int_equal(listener_open(&before, &conf, 1, NULL, NULL), 0);
    before.is_foreign = true;
    pass_on(&before, &after, &conf);
    assert_true(after.is_foreign);
    assert_int_equal(after.kind, LISTENER_SHARED);
    assert_int_equal(listener_get_fd(&after, 0), listener_get_fd(&after, 5));
    listener_close(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_queues_and_the_port_are_kept),
        cmocka_unit_test(an_exclusion_goes_on),
        cmocka_unit_test(the_file_of_a_unix_socket_is_removed_by_the_heir),
        cmocka_unit_test(a_socket_of_systemd_stays_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
