/* The fd store of systemd: what is put into it and taken out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "daemon/listen/activation.h"
#include "test/support/listening.h"
#include "test/support/notified.h"

static void a_listener_is_stored_slot_by_slot(void **state)
{
    struct fixture *fixture = *state;
    struct listener listener;
    struct conf_listener conf = make_conf("127.0.0.1:0");
    assert_int_equal(listener_open(&listener, &conf, 2, NULL, NULL), 0);
    assert_int_equal(activation_store(&fixture->notify, &listener), 0);
    service_manager_expect(&fixture->manager, "FDSTORE=1\nFDNAME=web/0");
    assert_true(fixture->manager.received >= 0);
    int peer = connect_to(&listener);
    service_manager_expect(&fixture->manager, "FDSTORE=1\nFDNAME=web/1");
    assert_int_equal(activation_store(&fixture->notify, &listener), 0); /* nothing new */
    assert_null(service_manager_read(&fixture->manager));
    assert_int_equal(listener_grow(&listener, 3, NULL), 0);
    assert_int_equal(activation_store(&fixture->notify, &listener), 0);
    service_manager_expect(&fixture->manager, "FDSTORE=1\nFDNAME=web/2");
    assert_int_equal(activation_unstore(&fixture->notify, &listener, 1), 0);
    service_manager_expect(&fixture->manager, "FDSTOREREMOVE=1\nFDNAME=web/2");
    service_manager_expect(&fixture->manager, "FDSTOREREMOVE=1\nFDNAME=web/1");
    listener_shrink(&listener, 1);
    assert_int_equal(listener_grow(&listener, 2, NULL), 0);
    assert_int_equal(activation_store(&fixture->notify, &listener), 0);
    service_manager_expect(&fixture->manager, "FDSTORE=1\nFDNAME=web/1");
    listener_shrink(&listener, 1); /* the store sees the hang-up */
    assert_int_equal(listener_grow(&listener, 2, NULL), 0);
    assert_int_equal(activation_store(&fixture->notify, &listener), 0);
    service_manager_expect(&fixture->manager, "FDSTORE=1\nFDNAME=web/1");
    fd_close(&peer);
    listener_close(&listener);
}

static void storing_goes_on_where_a_full_queue_stopped_it(void **state)
{
    struct fixture *fixture = *state;
    enum { SLOTS = 600 }; /* longer than the queue of a datagram socket usually is */
    struct listener listener;
    struct conf_listener conf = make_conf("127.0.0.1:0");
    unsigned received = 0;
    unsigned refused = 0;
    assert_int_equal(listener_open(&listener, &conf, SLOTS, NULL, NULL), 0);
    for (int error = -EAGAIN; error != 0;) {
        error = activation_store(&fixture->notify, &listener);
        assert_true(error == 0 || error == -EAGAIN);
        refused += error == 0 ? 0 : 1;
        while (service_manager_read(&fixture->manager) != NULL) {
            char expected[64];
            (void)snprintf(expected, sizeof(expected), "FDSTORE=1\nFDNAME=web/%u", received++);
            assert_string_equal(fixture->manager.text, expected);
        }
    }
    assert_int_equal(received, SLOTS);
    assert_true(refused > 0);
    listener_close(&listener);
}

static void sockets_of_others_and_unix_sockets_are_not_stored(void **state)
{
    struct fixture *fixture = *state;
    struct listener listener;
    struct conf_listener conf = make_conf("127.0.0.1:0");
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&conf.address.storage, conf.address.len), 0);
    assert_int_equal(listen(fd, 16), 0);
    struct listener_inherited inherited = {.fds = &fd, .count = 1, .is_foreign = true};
    assert_int_equal(listener_open(&listener, &conf, 2, &inherited, NULL), 0);
    assert_int_equal(activation_store(&fixture->notify, &listener), 0);
    assert_int_equal(activation_unstore(&fixture->notify, &listener, 0), 0);
    assert_null(service_manager_read(&fixture->manager));
    listener_close(&listener);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_listener_is_stored_slot_by_slot),
        TEST(storing_goes_on_where_a_full_queue_stopped_it),
        TEST(sockets_of_others_and_unix_sockets_are_not_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
