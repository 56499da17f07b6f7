/* What the service manager is told, and that telling it never waits. */
#include "daemon/host/notify.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "common/clock.h"
#include "common/err.h"
#include "test/support/notified.h"

static void each_call_says_its_words(void **state)
{
    struct fixture *fixture = *state;
    notify_ready(&fixture->notify, "running: web 1/1");
    service_manager_expect(&fixture->manager, "READY=1\nSTATUS=running: web 1/1");
    notify_status(&fixture->notify, "running: web %d/%d", 0, 1);
    service_manager_expect(&fixture->manager, "STATUS=running: web 0/1");
    notify_extend(&fixture->notify, 5000000);
    service_manager_expect(&fixture->manager, "EXTEND_TIMEOUT_USEC=5000000");
    notify_watchdog(&fixture->notify);
    service_manager_expect(&fixture->manager, "WATCHDOG=1");
    notify_stopping(&fixture->notify, "stopping");
    service_manager_expect(&fixture->manager, "STOPPING=1\nSTATUS=stopping");
    assert_null(service_manager_read(&fixture->manager));
}

static void a_reload_says_since_when(void **state)
{
    struct fixture *fixture = *state;
    unsigned long long at = 0;
    char end[16] = "";
    uint64_t before = clock_monotonic_us();
    notify_reloading(&fixture->notify, "reloading");
    const char *text = service_manager_read(&fixture->manager);
    assert_non_null(text);
    /* NOLINTNEXTLINE(cert-err34-c): a wrong number fails the range */
    assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=%15s", &at, end), 2);
    assert_in_range(at, before, clock_monotonic_us());
    assert_string_equal(end, "reloading");
}

static void a_status_that_has_not_changed_is_not_sent(void **state)
{
    struct fixture *fixture = *state;
    notify_ready(&fixture->notify, "running");
    service_manager_expect(&fixture->manager, "READY=1\nSTATUS=running");
    notify_status(&fixture->notify, "running");
    assert_null(service_manager_read(&fixture->manager));
}

static void a_line_break_in_a_status_says_nothing_else(void **state)
{
    struct fixture *fixture = *state;
    notify_status(&fixture->notify, "held: %s", "boom\nWATCHDOG=trigger");
    service_manager_expect(&fixture->manager, "STATUS=held: boom WATCHDOG=trigger");
}

/* Fills the manager's queue; every send of the daemon then finds it full. */
static void fill(struct fixture *fixture)
{
    int count = 0;
    while (notify_flush(&fixture->notify)) {
        notify_status(&fixture->notify, "filler %d", count++);
        assert_true(count < 10000);
    }
}

static void empty(struct fixture *fixture)
{
    while (service_manager_read(&fixture->manager) != NULL) {
    }
}

static void what_a_full_queue_refuses_is_said_later_in_order(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    notify_reloading(&fixture->notify, "reloading");
    notify_ready(&fixture->notify, "running: web 1/1");
    notify_watchdog(&fixture->notify); /* repeats itself */
    assert_false(notify_flush(&fixture->notify));
    empty(fixture);
    assert_true(notify_flush(&fixture->notify));
    const char *text = service_manager_read(&fixture->manager);
    assert_non_null(text);
    assert_memory_equal(text, "RELOADING=1\nMONOTONIC_USEC=", 27);
    service_manager_expect(&fixture->manager, "READY=1\nSTATUS=running: web 1/1");
    assert_null(service_manager_read(&fixture->manager));
}

static void a_state_ends_those_that_it_outdates(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    notify_ready(&fixture->notify, "running");
    notify_reloading(&fixture->notify, "reloading");
    notify_stopping(&fixture->notify, "stopping");
    empty(fixture);
    assert_true(notify_flush(&fixture->notify));
    service_manager_expect(&fixture->manager, "STOPPING=1\nSTATUS=stopping");
    assert_null(service_manager_read(&fixture->manager));
}

static void a_manager_that_comes_back_is_told(void **state)
{
    struct fixture *fixture = *state;
    service_manager_close(&fixture->manager);
    notify_ready(&fixture->notify, "running");
    assert_false(notify_flush(&fixture->notify));
    service_manager_open(&fixture->manager, "notify");
    assert_true(notify_flush(&fixture->notify));
    service_manager_expect(&fixture->manager, "READY=1\nSTATUS=running");
}

static void a_stored_descriptor_arrives_under_its_name(void **state)
{
    struct fixture *fixture = *state;
    struct stat sent;
    struct stat received;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(notify_store(&fixture->notify, "web/0", fd), 0);
    service_manager_expect(&fixture->manager, "FDSTORE=1\nFDNAME=web/0");
    assert_true(fixture->manager.received >= 0);
    assert_int_equal(fstat(fd, &sent), 0);
    assert_int_equal(fstat(fixture->manager.received, &received), 0);
    assert_int_equal(sent.st_rdev, received.st_rdev);
    assert_int_equal(notify_unstore(&fixture->notify, "web/0"), 0);
    service_manager_expect(&fixture->manager, "FDSTOREREMOVE=1\nFDNAME=web/0");
    assert_int_equal(fixture->manager.received, -1);
    fill(fixture);
    assert_int_equal(notify_store(&fixture->notify, "web/0", fd), -EAGAIN);
    fd_close(&fd);
}

static void without_a_manager_nothing_happens(void **state)
{
    (void)state;
    struct notify notify;
    assert_int_equal(notify_open(&notify, NULL, NULL), 0);
    notify_ready(&notify, "running");
    notify_stopping(&notify, "stopping");
    assert_true(notify_flush(&notify));
    assert_int_equal(notify_store(&notify, "web/0", 0), 0);
    notify_close(&notify);
    notify_close(&notify);
}

static void a_name_that_is_none_is_refused_with_a_sentence(void **state)
{
    (void)state;
    char too_long[128];
    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[0] = '/';
    too_long[sizeof(too_long) - 1] = '\0';
    const char *names[] = {"", "/", "@", "run/notify", "vsock:2:1", too_long};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct notify notify;
        struct fsd_err err = {""};
        char expected[256];
        assert_int_equal(notify_open(&notify, names[i], &err), -EINVAL);
        (void)snprintf(expected, sizeof(expected),
                       "cannot notify \"%s\": NOTIFY_SOCKET is no path and no abstract name",
                       names[i]);
        assert_string_equal(err.text, expected);
        notify_ready(&notify, "running"); /* as if nobody had asked */
        assert_true(notify_flush(&notify));
        notify_close(&notify);
    }
}

static void a_path_is_as_good_as_an_abstract_name(void **state)
{
    (void)state;
    char folder[] = "/tmp/fsd-notify-XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct service_manager manager = {.received = -1};
    struct notify notify;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify", folder);
    manager.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(manager.fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(notify_open(&notify, address.sun_path, NULL), 0);
    notify_watchdog(&notify);
    service_manager_expect(&manager, "WATCHDOG=1");
    notify_close(&notify);
    service_manager_close(&manager);
    assert_int_equal(unlink(address.sun_path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void the_watchdog_is_ours_only_when_the_manager_means_us(void **state)
{
    (void)state;
    char own[16];
    char other[16];
    (void)snprintf(own, sizeof(own), "%d", (int)getpid());
    (void)snprintf(other, sizeof(other), "%d", (int)getppid());
    const struct {
        const char *interval;
        const char *pid;
        uint64_t expected;
    } rows[] = {{NULL, NULL, 0},
                {"2000000", own, 2000000},
                {"2000000", NULL, 2000000},
                {"2000000", other, 0},
                {"0", own, 0},
                {"soon", own, 0},
                {"2000000", "nobody", 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(rows[i].interval == NULL ? unsetenv("WATCHDOG_USEC")
                                                  : setenv("WATCHDOG_USEC", rows[i].interval, 1),
                         0);
        assert_int_equal(rows[i].pid == NULL ? unsetenv("WATCHDOG_PID")
                                             : setenv("WATCHDOG_PID", rows[i].pid, 1),
                         0);
        assert_int_equal(notify_get_watchdog_us(), rows[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_call_says_its_words, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_reload_says_since_when, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_status_that_has_not_changed_is_not_sent, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_line_break_in_a_status_says_nothing_else, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_a_full_queue_refuses_is_said_later_in_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_state_ends_those_that_it_outdates, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_manager_that_comes_back_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stored_descriptor_arrives_under_its_name, set_up,
                                        tear_down),
        cmocka_unit_test(without_a_manager_nothing_happens),
        cmocka_unit_test(a_name_that_is_none_is_refused_with_a_sentence),
        cmocka_unit_test(a_path_is_as_good_as_an_abstract_name),
        cmocka_unit_test(the_watchdog_is_ours_only_when_the_manager_means_us),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
