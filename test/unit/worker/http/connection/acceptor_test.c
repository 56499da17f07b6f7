#include "worker/http/connection/acceptor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/un.h>

#include <cmocka.h>

#include "test/support/worker_child.h"

enum { WAITING = 300 }; /* more than one look takes */

static void assert_served(struct sockaddr_in address)
{
    int client = connect_to(address);
    assert_asked(client, "/", "hello");
    fd_close(&client);
}

static void tell_return(uint64_t slot)
{
    struct proto_return body = {.slot = slot};
    tell(PROTO_RETURN, &body, sizeof(body));
}

static void tell_drain_of_queues(uint64_t idle_ms)
{
    struct proto_drain body = {.idle_ms = idle_ms, .empties_queues = 1};
    tell(PROTO_DRAIN, &body, sizeof(body));
}

/* Messages are obeyed in order: what was said before this has been done when a lent listener answers. */
static void assert_obeyed(void)
{
    assert_served(tell_listener(99));
}

static void assert_not_accepted(int listening, struct sockaddr_in address)
{
    int client = connect_to(address);
    int accepted = accept(listening, NULL, NULL); /* had the worker taken it, this would fail */
    assert_true(accepted >= 0);
    fd_close(&accepted);
    fd_close(&client);
}

static int listen_without_waiting(struct sockaddr_in *ret_address)
{
    struct timeval limit = {.tv_sec = WAIT_S};
    int fd = listen_somewhere(ret_address);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    return fd;
}

static void end_in_order(void)
{
    tell_drain(0);
    assert_exit(FSD_EXIT_OK);
}

static void a_listener_that_is_lent_is_accepted_from_until_it_is_returned(void **state)
{
    (void)state;
    struct sockaddr_in own = serve();
    struct sockaddr_in lent;
    int listening = listen_without_waiting(&lent);
    tell_listener_fd(5, listening);
    int kept = connect_to(lent);
    assert_asked(kept, "/", "hello");
    tell_return(5);
    assert_obeyed();
    assert_not_accepted(listening, lent);
    assert_asked(kept, "/", "hello"); /* what was accepted stays */
    assert_served(own);
    fd_close(&kept);
    fd_close(&listening);
    end_in_order();
}

static void only_the_sockets_of_that_slot_are_returned(void **state)
{
    (void)state;
    struct sockaddr_in own = serve();
    struct sockaddr_in fifth[2];
    int listening[2];
    for (int i = 0; i < 2; i++) {
        listening[i] = listen_without_waiting(&fifth[i]);
        tell_listener_fd(5, listening[i]);
    }
    struct sockaddr_in sixth = tell_listener(6);
    assert_served(fifth[0]);
    assert_served(fifth[1]);
    tell_return(7); /* lends nothing */
    tell_return(5);
    assert_obeyed();
    assert_not_accepted(listening[0], fifth[0]);
    assert_not_accepted(listening[1], fifth[1]);
    assert_served(sixth);
    assert_served(own);
    tell_listener_fd(5, listening[0]); /* once more */
    assert_served(fifth[0]);
    fd_close(&listening[0]);
    fd_close(&listening[1]);
    end_in_order();
}

static void sockets_may_be_lent_to_a_worker_that_waits_and_taken_back(void **state)
{
    (void)state;
    boot();
    struct sockaddr_in lent;
    int listening = listen_without_waiting(&lent);
    tell_listener_fd(5, listening);
    tell_return(5);
    struct sockaddr_in own = tell_listener(0);
    tell_activate(3);
    expect(PROTO_ACTIVE);
    assert_served(own);
    assert_not_accepted(listening, lent);
    fd_close(&listening);
    end_in_order();
}

static void one_listener_too_many_is_only_not_lent(void **state)
{
    (void)state;
    char record[PROTO_LOG_MAX];
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    struct sockaddr_in own = serve();
    tell_fd(PROTO_LOG, NULL, 0, pair[1]);
    struct sockaddr_in last = own;
    for (uint64_t i = 1; i < ACCEPTOR_MAX; i++) {
        last = tell_listener(1 + i / ACCEPTOR_OWN_MAX);
    }
    struct sockaddr_in lent;
    int listening = listen_without_waiting(&lent);
    tell_listener_fd(12, listening);
    assert_served(last);
    assert_served(own);
    assert_not_accepted(listening, lent);
    ssize_t len = recv(pair[0], record, sizeof(record), 0);
    assert_true(len > 0);
    assert_non_null(memmem(record, (size_t)len, "slot 12 lends", 13));
    assert_int_equal(recv(pair[0], record, sizeof(record), MSG_DONTWAIT), -1);
    fd_close(&pair[0]);
    fd_close(&listening);
    end_in_order();
}

static void a_pool_cannot_have_more_than_its_own(void **state)
{
    (void)state;
    expect(PROTO_HELLO);
    tell_config();
    for (int i = 0; i <= ACCEPTOR_OWN_MAX; i++) {
        (void)tell_listener(0);
    }
    assert_exit(FSD_EXIT_INTERNAL);
}

/* How many descriptors the worker polls with EPOLLEXCLUSIVE, as the kernel tells it. */
static unsigned count_exclusive(void)
{
    char path[64];
    char line[256];
    unsigned count = 0;
    for (int fd = 0; fd < 64; fd++) {
        (void)snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", worker, fd);
        FILE *file = fopen(path, "r");
        while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
            unsigned events;
            count +=
                sscanf(line, "tfd: %*d events: %x", &events) == 1 && (events & EPOLLEXCLUSIVE) != 0;
        }
        if (file != NULL) {
            (void)fclose(file);
        }
    }
    return count;
}

static void workers_take_turns_at_a_unix_socket(void **state)
{
    (void)state;
    boot();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "fsd-acceptor-%d", getpid());
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listening, QUEUE), 0);
    tell_listener_fd(0, listening);
    tell_activate(3);
    expect(PROTO_ACTIVE);
    for (int i = 0; i < 3; i++) {
        int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_asked(client, "/", "hello");
        assert_int_equal(count_exclusive(), 1);
        fd_close(&client);
    }
    fd_close(&listening);
    end_in_order();
}

static void the_socket_of_one_slot_is_its_own(void **state)
{
    (void)state;
    assert_served(serve());
    assert_int_equal(count_exclusive(), 0);
    end_in_order();
}

/* Connections that nobody has accepted, each with a request; the worker is loaded and has the listener. */
static struct sockaddr_in wait_in_queue(int *listening, int clients[static WAITING])
{
    struct sockaddr_in address;
    boot();
    *listening = listen_without_waiting(&address);
    tell_listener_fd(0, *listening);
    for (int i = 0; i < WAITING; i++) {
        clients[i] = connect_to(address);
        ask(clients[i], "/");
    }
    return address;
}

/* In one burst, so that nothing is accepted in between. */
static void activate_and_drain(uint64_t empties_queues)
{
    struct proto_drain body = {.idle_ms = 5000, .empties_queues = empties_queues};
    int status;
    assert_int_equal(kill(worker, SIGSTOP), 0);
    assert_int_equal(waitpid(worker, &status, WUNTRACED), worker);
    tell_activate(3);
    tell(PROTO_DRAIN, &body, sizeof(body));
    assert_int_equal(kill(worker, SIGCONT), 0);
    expect(PROTO_ACTIVE);
    expect(PROTO_DRAINING);
}

static void a_drain_that_empties_the_queues_answers_all_that_waits(void **state)
{
    (void)state;
    int listening;
    int clients[WAITING];
    struct sockaddr_in address = wait_in_queue(&listening, clients);
    activate_and_drain(1);
    for (int i = 0; i < WAITING; i++) {
        assert_answered(clients[i], "Connection: close");
        fd_close(&clients[i]);
    }
    assert_exit(FSD_EXIT_OK);
    assert_not_accepted(listening, address);
    fd_close(&listening);
}

static void one_that_does_not_leaves_them_to_the_successor(void **state)
{
    (void)state;
    int listening;
    int clients[WAITING];
    (void)wait_in_queue(&listening, clients);
    activate_and_drain(0);
    assert_exit(FSD_EXIT_OK);
    for (int i = 0; i < WAITING; i++) {
        int accepted = accept(listening, NULL, NULL);
        assert_true(accepted >= 0);
        fd_close(&accepted);
        fd_close(&clients[i]);
    }
    fd_close(&listening);
}

static void a_standby_that_is_drained_accepts_nothing(void **state)
{
    (void)state;
    int listening;
    int clients[WAITING];
    (void)wait_in_queue(&listening, clients);
    tell_drain_of_queues(5000);
    expect(PROTO_DRAINING);
    assert_exit(FSD_EXIT_OK);
    for (int i = 0; i < WAITING; i++) {
        int accepted = accept(listening, NULL, NULL);
        assert_true(accepted >= 0);
        fd_close(&accepted);
        fd_close(&clients[i]);
    }
    fd_close(&listening);
}

static void queues_that_cannot_be_emptied_are_left_after_a_while(void **state)
{
    (void)state;
    int clients[64];
    struct sockaddr_in address = serve();
    struct rlimit few = {24, 24};
    assert_int_equal(prlimit(worker, RLIMIT_NOFILE, &few, NULL), 0);
    for (size_t i = 0; i < 64; i++) {
        clients[i] = connect_to(address); /* says nothing, and so keeps its descriptor */
    }
    tell_drain_of_queues(0);
    expect(PROTO_DRAINING);
    for (size_t i = 0; i < 64; i++) {
        fd_close(&clients[i]);
    }
    assert_exit(FSD_EXIT_OK);
}

static void flood(struct sockaddr_in address)
{
    for (;;) {
        struct linger reset = {1, 0};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)); /* no TIME_WAIT */
        (void)connect(fd, (struct sockaddr *)&address, sizeof(address));
        (void)send(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27, MSG_NOSIGNAL);
        fd_close(&fd);
    }
}

static void a_drain_ends_in_the_middle_of_a_flood(void **state)
{
    (void)state;
    pid_t flooders[2];
    struct sockaddr_in own = serve();
    struct sockaddr_in address;
    int listening = listen_somewhere(&address); /* stays open, as the master's copy does */
    tell_listener_fd(0, listening);
    for (int i = 0; i < 2; i++) {
        flooders[i] = fork();
        if (flooders[i] == 0) {
            flood(address);
        }
    }
    assert_served(own);
    tell_drain_of_queues(100);
    expect(PROTO_DRAINING);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kill(flooders[i], SIGKILL), 0);
        assert_int_equal(waitpid(flooders[i], NULL, 0), flooders[i]);
    }
    fd_close(&listening);
    assert_exit(FSD_EXIT_OK);
}

static void nothing_is_lent_to_one_that_drains(void **state)
{
    (void)state;
    struct sockaddr_in own = serve();
    int busy = connect_to(own);
    struct sockaddr_in lent;
    int listening = listen_without_waiting(&lent);
    assert_asked(busy, "/", "hello");
    tell_drain_of_queues(5000);
    tell_drain(0); /* the first one counts */
    tell_listener_fd(5, listening);
    expect(PROTO_DRAINING);
    tell_return(5);
    assert_asked(busy, "/", "Connection: close");
    assert_not_accepted(listening, lent);
    fd_close(&busy);
    fd_close(&listening);
    assert_int_equal(recv(master, &message, sizeof(message), 0), 0); /* says it once */
    assert_exit(FSD_EXIT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_listener_that_is_lent_is_accepted_from_until_it_is_returned),
        TEST(only_the_sockets_of_that_slot_are_returned),
        TEST(sockets_may_be_lent_to_a_worker_that_waits_and_taken_back),
        TEST(one_listener_too_many_is_only_not_lent),
        TEST(a_pool_cannot_have_more_than_its_own),
        TEST(workers_take_turns_at_a_unix_socket),
        TEST(the_socket_of_one_slot_is_its_own),
        TEST(a_drain_that_empties_the_queues_answers_all_that_waits),
        TEST(one_that_does_not_leaves_them_to_the_successor),
        TEST(a_standby_that_is_drained_accepts_nothing),
        TEST(queues_that_cannot_be_emptied_are_left_after_a_while),
        TEST(a_drain_ends_in_the_middle_of_a_flood),
        TEST(nothing_is_lent_to_one_that_drains),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
