/* Sockets that systemd hands over: which listener gets which, what becomes of the others, the fd store. */
#include "daemon/listen/activation.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/un.h>

#include <cmocka.h>

#include "common/err.h"
#include "common/fd.h"
#include "daemon/log/log.h"
#include "test/support/listening.h"

enum { FIRST = 3, LAST = 19, LISTENERS = 3 };

struct fixture {
    struct log log;
    int log_fd;
    struct activation activation;
    struct conf_listener listeners[LISTENERS]; /* web, api, jobs */
    char names[512];                           /* LISTEN_FDNAMES so far */
    int count;
};

/* Nothing else may get the numbers that systemd would use. */
static void occupy(void)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(null >= 0);
    for (int fd = FIRST; fd <= LAST; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            assert_int_equal(dup3(null, fd, O_CLOEXEC), fd);
        }
    }
    if (null > LAST) {
        fd_close(&null);
    }
}

static int set_up(void **state)
{
    static struct fixture fixture;
    static char names[LISTENERS][8] = {"web", "api", "jobs"};
    occupy();
    fixture = (struct fixture){.log_fd = memfd_create("log", MFD_CLOEXEC)};
    log_init(&fixture.log, fixture.log_fd, CONF_LOG_TEXT, LOG_LEVEL_DEBUG);
    for (int i = 0; i < LISTENERS; i++) {
        fixture.listeners[i] = make_conf("127.0.0.1:0");
        fixture.listeners[i].name = names[i];
    }
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    activation_close(&fixture->activation);
    log_fini(&fixture->log);
    fd_close(&fixture->log_fd);
    return 0;
}

/* A listening socket on a free port. */
static int make_socket(int family, int type)
{
    struct sockaddr_in address = {.sin_family = (sa_family_t)family,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(family, type, 0);
    if (family == AF_INET) {
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    }
    if (type == SOCK_STREAM && family == AF_INET) {
        assert_int_equal(listen(fd, 16), 0);
    }
    assert_true(fd >= 0);
    return fd;
}

/* Takes fd: the next number that systemd hands over. */
static void hand_over(struct fixture *fixture, const char *name, int fd)
{
    size_t len = strlen(fixture->names);
    (void)snprintf(fixture->names + len, sizeof(fixture->names) - len, "%s%s", len == 0 ? "" : ":",
                   name);
    assert_int_equal(dup2(fd, FIRST + fixture->count), FIRST + fixture->count); /* NOLINT */
    fd_close(&fd);
    fixture->count++;
}

static void set_number(const char *name, int number)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", number);
    assert_int_equal(setenv(name, text, 1), 0);
}

static int open_activation(struct fixture *fixture, struct fsd_err *err)
{
    set_number("LISTEN_PID", (int)getpid());
    set_number("LISTEN_FDS", fixture->count);
    assert_int_equal(setenv("LISTEN_FDNAMES", fixture->names, 1), 0);
    return activation_open(&fixture->activation, fixture->listeners, LISTENERS, &fixture->log, err);
}

/* The listener now wants what the socket is bound to. */
static void configure(struct conf_listener *conf, int fd)
{
    char text[PARSE_ADDRESS_TEXT_MAX];
    struct parse_address address;
    assert_int_equal(listener_bind_get_address(fd, &address), 0);
    parse_address_format(&address, text);
    assert_int_equal(parse_address(text, &conf->address), 0);
}

static void assert_logged(struct fixture *fixture, const char *text, int times)
{
    char all[4096] = "";
    int count = 0;
    assert_true(pread(fixture->log_fd, all, sizeof(all) - 1, 0) >= 0);
    for (const char *at = all; (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    assert_int_equal(count, times);
}

static void assert_foreign(struct fixture *fixture, int which, int fd)
{
    struct listener_inherited got =
        activation_take(&fixture->activation, &fixture->listeners[which]);
    assert_int_equal(got.count, 1);
    assert_true(got.is_foreign);
    assert_int_equal(got.fds[0], fd);
    fd_close(&got.fds[0]);
}

static void assert_nothing(struct fixture *fixture, int which)
{
    assert_int_equal(activation_take(&fixture->activation, &fixture->listeners[which]).count, 0);
}

static void a_socket_belongs_to_the_listener_of_its_name(void **state)
{
    struct fixture *fixture = *state;
    hand_over(fixture, "api", make_socket(AF_INET, SOCK_STREAM));
    hand_over(fixture, "web", make_socket(AF_INET, SOCK_STREAM));
    assert_int_equal(open_activation(fixture, NULL), 0);
    assert_foreign(fixture, 0, FIRST + 1);
    assert_foreign(fixture, 1, FIRST);
    assert_nothing(fixture, 1); /* it has been taken */
    assert_nothing(fixture, 2);
    assert_logged(fixture, "closed a socket", 0);
}

static void without_a_name_its_address_decides(void **state)
{
    struct fixture *fixture = *state;
    int fd = make_socket(AF_INET, SOCK_STREAM);
    configure(&fixture->listeners[2], fd);
    hand_over(fixture, "fsd.socket", fd);
    assert_int_equal(open_activation(fixture, NULL), 0);
    assert_nothing(fixture, 0); /* port 0 is no reason to take it */
    assert_foreign(fixture, 2, FIRST);
}

static void a_name_says_more_than_an_address(void **state)
{
    struct fixture *fixture = *state;
    int fd = make_socket(AF_INET, SOCK_STREAM);
    configure(&fixture->listeners[0], fd);
    hand_over(fixture, "jobs", fd);
    assert_int_equal(open_activation(fixture, NULL), 0);
    assert_nothing(fixture, 0);
    assert_foreign(fixture, 2, FIRST);
}

static void of_several_with_a_name_the_address_chooses(void **state)
{
    struct fixture *fixture = *state;
    hand_over(fixture, "web", make_socket(AF_INET, SOCK_STREAM));
    int fd = make_socket(AF_INET, SOCK_STREAM);
    configure(&fixture->listeners[0], fd);
    hand_over(fixture, "web", fd);
    assert_int_equal(open_activation(fixture, NULL), 0);
    assert_foreign(fixture, 0, FIRST + 1);
    assert_logged(fixture, "closed a socket", 1); /* the other one */
}

static void a_unix_socket_is_found_by_its_path(void **state)
{
    struct fixture *fixture = *state;
    char folder[] = "/tmp/fsd-activation-XXXXXX";
    char text[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(text, sizeof(text), "unix:%s/web.sock", folder);
    assert_int_equal(parse_address(text, &fixture->listeners[1].address), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&fixture->listeners[1].address.storage,
                          fixture->listeners[1].address.len),
                     0);
    assert_int_equal(listen(fd, 16), 0);
    hand_over(fixture, "unknown", fd);
    assert_int_equal(open_activation(fixture, NULL), 0);
    assert_foreign(fixture, 1, FIRST);
    assert_int_equal(unlink(strchr(text, '/')), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void what_nobody_wants_is_closed_and_named_once(void **state)
{
    struct fixture *fixture = *state;
    char expected[256];
    char address[PARSE_ADDRESS_TEXT_MAX];
    struct parse_address bound;
    int fd = make_socket(AF_INET, SOCK_STREAM);
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, LAST + 1);
    assert_int_equal(listener_bind_get_address(fd, &bound), 0);
    parse_address_format(&bound, address);
    hand_over(fixture, "admin", fd);
    assert_int_equal(open_activation(fixture, NULL), 0);
    assert_int_equal(fcntl(FIRST, F_GETFD), -1);
    (void)snprintf(
        expected, sizeof(expected),
        "closed a socket from systemd name=admin address=%s reason=\"no listener has its "
        "name or address\"",
        address);
    assert_logged(fixture, expected, 1);
    assert_logged(fixture, " warning ", 1);
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* systemd's copy still listens */
    assert_int_equal(connect(peer, (struct sockaddr *)&bound.storage, bound.len), 0);
    fd_close(&peer);
    fd_close(&copy);
}

static void a_listener_that_nobody_opens_loses_its_socket(void **state)
{
    struct fixture *fixture = *state;
    hand_over(fixture, "web", make_socket(AF_INET, SOCK_STREAM));
    assert_int_equal(open_activation(fixture, NULL), 0);
    activation_close(&fixture->activation);
    assert_logged(fixture, "reason=\"its listener is in no pool\"", 1);
    assert_int_equal(fcntl(FIRST, F_GETFD), -1);
}

static void what_is_no_listening_stream_socket_is_closed_and_named(void **state)
{
    struct fixture *fixture = *state;
    int pair[2];
    assert_int_equal(pipe(pair), 0); /* NOLINT: as systemd hands it over */
    hand_over(fixture, "pipe", pair[0]);
    hand_over(fixture, "pipe", pair[1]);
    hand_over(fixture, "web", make_socket(AF_INET, SOCK_DGRAM));
    hand_over(fixture, "web", make_socket(AF_UNIX, SOCK_STREAM)); /* does not listen */
    hand_over(fixture, "web/0", make_socket(AF_INET, SOCK_DGRAM));
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    assert_true(netlink >= 0);
    hand_over(fixture, "web", netlink);
    hand_over(fixture, "api", make_socket(AF_INET, SOCK_STREAM));
    assert_int_equal(open_activation(fixture, NULL), 0);
    assert_logged(fixture, "reason=\"it is no socket\"", 2);
    assert_logged(fixture, "reason=\"it is no listening stream socket\"", 4);
    for (int fd = FIRST; fd < FIRST + 6; fd++) {
        assert_int_equal(fcntl(fd, F_GETFD), -1);
    }
    assert_nothing(fixture, 0);
    assert_foreign(fixture, 1, FIRST + 6);
}

static void sockets_meant_for_another_process_are_not_touched(void **state)
{
    struct fixture *fixture = *state;
    set_number("LISTEN_PID", (int)getppid());
    set_number("LISTEN_FDS", 2);
    assert_int_equal(setenv("LISTEN_FDNAMES", "web:api", 1), 0);
    assert_int_equal(
        activation_open(&fixture->activation, fixture->listeners, LISTENERS, &fixture->log, NULL),
        0);
    assert_nothing(fixture, 0);
    assert_true(fcntl(FIRST, F_GETFD) >= 0);
    assert_null(getenv("LISTEN_PID")); /* children must not believe it either */
    assert_null(getenv("LISTEN_FDS"));
    assert_null(getenv("LISTEN_FDNAMES"));
}

static void without_systemd_there_is_nothing(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(unsetenv("LISTEN_PID"), 0);
    assert_int_equal(unsetenv("LISTEN_FDS"), 0);
    assert_int_equal(
        activation_open(&fixture->activation, fixture->listeners, LISTENERS, &fixture->log, NULL),
        0);
    assert_nothing(fixture, 0);
}

static void numbers_that_make_no_sense_are_an_error_with_a_sentence(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        const char *fds;
        const char *names;
        int error;
    } rows[] = {{"many", "web", EINVAL}, {"-1", "web", EINVAL},    {"0", "", EINVAL},
                {"2", "web", EINVAL},    {"100000", "web", EBADF}, {"2147483647", "web", EINVAL}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fsd_err err = {""};
        char expected[256];
        set_number("LISTEN_PID", (int)getpid());
        assert_int_equal(setenv("LISTEN_FDS", rows[i].fds, 1), 0);
        assert_int_equal(setenv("LISTEN_FDNAMES", rows[i].names, 1), 0);
        assert_int_equal(activation_open(&fixture->activation, fixture->listeners, LISTENERS,
                                         &fixture->log, &err),
                         -rows[i].error);
        (void)snprintf(expected, sizeof(expected),
                       "cannot take the sockets of systemd: %s (LISTEN_FDS, LISTEN_FDNAMES)",
                       strerror(rows[i].error));
        assert_string_equal(err.text, expected);
        assert_null(getenv("LISTEN_FDS"));
    }
}

/* What a daemon before us left in the fd store: its sockets, of slots from first on. */
static void hand_over_stored(struct fixture *fixture, const struct listener *listener,
                             unsigned first)
{
    for (unsigned i = first; i < listener->count; i++) {
        char name[80];
        (void)snprintf(name, sizeof(name), "%s/%u", listener->name, i);
        hand_over(fixture, name, fcntl(listener_get_fd(listener, i), F_DUPFD_CLOEXEC, LAST + 1));
    }
}

static void stored_sockets_come_back_in_the_order_of_their_slots(void **state)
{
    struct fixture *fixture = *state;
    struct listener before;
    struct listener after;
    assert_int_equal(listener_open(&before, &fixture->listeners[0], 3, NULL, NULL), 0);
    for (unsigned i = 3; i > 0; i--) { /* handed over the other way round */
        char name[16];
        (void)snprintf(name, sizeof(name), "web/%u", i - 1);
        hand_over(fixture, name, fcntl(listener_get_fd(&before, i - 1), F_DUPFD_CLOEXEC, LAST + 1));
    }
    char address[PARSE_ADDRESS_TEXT_MAX];
    memcpy(address, before.address, sizeof(address));
    int peer = connect_to(&before);
    listener_close(&before);
    assert_int_equal(open_activation(fixture, NULL), 0);
    struct listener_inherited inherited =
        activation_take(&fixture->activation, &fixture->listeners[0]);
    assert_int_equal(inherited.count, 3);
    assert_false(inherited.is_foreign);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(inherited.fds[i], FIRST + 2 - i);
    }
    assert_int_equal(listener_open(&after, &fixture->listeners[0], 4, &inherited, NULL), 0);
    assert_string_equal(listener_get_address(&after), address); /* port 0 keeps its port */
    int waiting = 0;
    for (unsigned i = 0; i < 4; i++) {
        waiting += count_waiting(listener_get_fd(&after, i));
    }
    assert_int_equal(waiting, 1);
    fd_close(&peer);
    listener_close(&after);
    assert_logged(fixture, "closed a socket", 0);
}

static void stored_sockets_behind_a_gap_are_ended(void **state)
{
    struct fixture *fixture = *state;
    struct listener before;
    assert_int_equal(listener_open(&before, &fixture->listeners[0], 4, NULL, NULL), 0);
    hand_over(fixture, "web/0", fcntl(listener_get_fd(&before, 0), F_DUPFD_CLOEXEC, LAST + 1));
    hand_over_stored(fixture, &before, 2);
    listener_close(&before);
    assert_int_equal(open_activation(fixture, NULL), 0);
    struct listener_inherited inherited =
        activation_take(&fixture->activation, &fixture->listeners[0]);
    assert_int_equal(inherited.count, 1);
    fd_close(&inherited.fds[0]);
    assert_logged(fixture, "reason=\"no listener continues it\"", 2);
    assert_logged(fixture, " notice ", 2);
}

/* Although the store, whose part the first listener plays, still has them. */
static void an_address_of_stored_sockets_can_be_bound_by_another_listener(void **state)
{
    struct fixture *fixture = *state;
    struct listener before;
    struct listener after;
    assert_int_equal(listener_open(&before, &fixture->listeners[0], 2, NULL, NULL), 0);
    hand_over_stored(fixture, &before, 0);
    configure(&fixture->listeners[1], listener_get_fd(&before, 0));
    fixture->listeners[0].name = fixture->listeners[2].name; /* "web" has left the configuration */
    assert_int_equal(open_activation(fixture, NULL), 0);
    assert_nothing(fixture, 1);
    assert_int_equal(listener_open(&after, &fixture->listeners[1], 2, NULL, NULL), 0);
    listener_close(&after);
    listener_close(&before);
    assert_logged(fixture, "reason=\"no listener continues it\"", 2);
}

static void stored_sockets_of_another_address_or_life_are_ended(void **state)
{
    struct fixture *fixture = *state;
    struct listener first;
    struct listener second;
    assert_int_equal(listener_open(&first, &fixture->listeners[0], 1, NULL, NULL), 0);
    assert_int_equal(listener_open(&second, &fixture->listeners[0], 2, NULL, NULL), 0);
    hand_over_stored(fixture, &first, 0);
    hand_over_stored(fixture, &second, 1); /* port 0, but another one */
    hand_over(fixture, "api/0", fcntl(listener_get_fd(&second, 0), F_DUPFD_CLOEXEC, LAST + 1));
    assert_int_equal(parse_address("127.0.0.1:1", &fixture->listeners[1].address), 0);
    listener_close(&first);
    listener_close(&second);
    assert_int_equal(open_activation(fixture, NULL), 0);
    struct listener_inherited inherited =
        activation_take(&fixture->activation, &fixture->listeners[0]);
    assert_int_equal(inherited.count, 1);
    fd_close(&inherited.fds[0]);
    assert_nothing(fixture, 1);
    assert_logged(fixture, "reason=\"no listener continues it\"", 2);
}

static void names_that_only_look_stored_are_not(void **state)
{
    struct fixture *fixture = *state;
    const char *names[] = {"web/", "/0", "web/x", "web/70000", "web/a/0", "web/-1", "webs/0"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        hand_over(fixture, names[i], make_socket(AF_INET, SOCK_STREAM));
    }
    assert_int_equal(open_activation(fixture, NULL), 0);
    assert_nothing(fixture, 0);
    assert_logged(fixture, "closed a socket", 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_socket_belongs_to_the_listener_of_its_name),
        TEST(without_a_name_its_address_decides),
        TEST(a_name_says_more_than_an_address),
        TEST(of_several_with_a_name_the_address_chooses),
        TEST(a_unix_socket_is_found_by_its_path),
        TEST(what_nobody_wants_is_closed_and_named_once),
        TEST(a_listener_that_nobody_opens_loses_its_socket),
        TEST(what_is_no_listening_stream_socket_is_closed_and_named),
        TEST(sockets_meant_for_another_process_are_not_touched),
        TEST(without_systemd_there_is_nothing),
        TEST(numbers_that_make_no_sense_are_an_error_with_a_sentence),
        TEST(stored_sockets_come_back_in_the_order_of_their_slots),
        TEST(stored_sockets_behind_a_gap_are_ended),
        TEST(an_address_of_stored_sockets_can_be_bound_by_another_listener),
        TEST(stored_sockets_of_another_address_or_life_are_ended),
        TEST(names_that_only_look_stored_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
