/* Messages with descriptors over a real socketpair, and what a hostile peer may send. */
#include "common/wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/err.h"

struct fixture {
    int master;
    int worker;
};

static int open_pair(void **state)
{
    static struct fixture fixture;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    fixture = (struct fixture){ends[0], ends[1]};
    *state = &fixture;
    return 0;
}

static int close_pair(void **state)
{
    struct fixture *fixture = *state;
    (void)close(fixture->master);
    (void)close(fixture->worker);
    return 0;
}

static size_t count_fds(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count;
}

static int receive(int sock, struct wire_message *message, struct fsd_err *err)
{
    *err = (struct fsd_err){""};
    return wire_recv(sock, PROTO_TO_MASTER, message, err);
}

static void a_message_arrives_as_it_was_sent(void **state)
{
    const struct fixture *fixture = *state;
    struct proto_generation body = {42};
    struct wire_message message;
    struct fsd_err err;
    assert_int_equal(wire_send(fixture->worker, PROTO_ACTIVE, &body, sizeof(body), -1), 0);
    assert_int_equal(receive(fixture->master, &message, &err), 1);
    assert_int_equal(message.head.kind, PROTO_ACTIVE);
    assert_int_equal(message.head.size, sizeof(body));
    assert_memory_equal(message.payload, &body, sizeof(body));
    assert_int_equal(message.fd, -1);
    assert_int_equal(receive(fixture->master, &message, &err), -EAGAIN);
}

static void a_descriptor_arrives_close_on_exec_and_the_sender_keeps_its_own(void **state)
{
    const struct fixture *fixture = *state;
    struct wire_message message;
    struct stat sent;
    struct stat got;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(wire_send(fixture->master, PROTO_CONFIG, NULL, 0, null), 0);
    assert_int_equal(wire_recv(fixture->worker, PROTO_TO_WORKER, &message, NULL), 1);
    assert_true(message.fd >= 0 && message.fd != null);
    assert_int_equal(fcntl(message.fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fstat(null, &sent), 0);
    assert_int_equal(fstat(message.fd, &got), 0);
    assert_int_equal(sent.st_rdev, got.st_rdev);
    (void)close(message.fd);
    (void)close(null);
}

static void text_is_cut_at_its_limit(void **state)
{
    const struct fixture *fixture = *state;
    static char text[PROTO_TEXT_MAX + 100];
    struct proto_generation body = {7};
    struct wire_message message;
    struct fsd_err err;
    memset(text, 'x', sizeof(text) - 1);
    assert_int_equal(
        wire_send_text(fixture->worker, PROTO_REFUSED, &body, sizeof(body), "app.lua:3: no"), 0);
    assert_int_equal(receive(fixture->master, &message, &err), 1);
    assert_int_equal(message.head.size, sizeof(body) + 13);
    assert_memory_equal(message.payload + sizeof(body), "app.lua:3: no", 13);
    assert_int_equal(wire_send_text(fixture->worker, PROTO_REFUSED, &body, sizeof(body), text), 0);
    assert_int_equal(receive(fixture->master, &message, &err), 1);
    assert_int_equal(message.head.size, sizeof(body) + PROTO_TEXT_MAX);
}

static void the_end_of_the_peer_is_seen_on_both_ways(void **state)
{
    struct fixture *fixture = *state;
    struct wire_message message;
    struct fsd_err err;
    (void)close(fixture->worker);
    fixture->worker = -1;
    assert_int_equal(receive(fixture->master, &message, &err), 0);
    assert_int_equal(wire_send(fixture->master, PROTO_LOG, NULL, 0, 0), -EPIPE);
}

static void a_full_socket_says_so_instead_of_blocking(void **state)
{
    const struct fixture *fixture = *state;
    struct proto_drain body = {.idle_ms = 1};
    int error = 0;
    int sent = 0;
    while (error == 0 && sent < 1000000) {
        error = wire_send(fixture->master, PROTO_DRAIN, &body, sizeof(body), -1);
        sent++;
    }
    assert_int_equal(error, -EAGAIN);
}

/* Sends any bytes with any number of descriptors, as no honest peer would. */
static void send_raw(int sock, const void *data, size_t len, unsigned nfds)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(64 * sizeof(int))] = {0};
    union {
        const void *in;
        void *out;
    } body = {.in = data};
    struct iovec part = {body.out, len};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
    if (nfds > 0) {
        packet.msg_control = control;
        packet.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&packet);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(nfds * sizeof(int));
        for (unsigned i = 0; i < nfds; i++) {
            int fd = STDERR_FILENO;
            memcpy(CMSG_DATA(head) + i * sizeof(int), &fd, sizeof(fd));
        }
    }
    assert_int_equal(sendmsg(sock, &packet, MSG_DONTWAIT | MSG_NOSIGNAL), (ssize_t)len);
}

static void surplus_descriptors_are_refused_and_closed(void **state)
{
    const struct fixture *fixture = *state;
    static const unsigned counts[] = {1, 2, 3, 4, 5, 8, 64};
    struct {
        struct proto_head head;
        struct proto_generation body;
    } packet = {{PROTO_ACTIVE, sizeof(struct proto_generation)}, {1}};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct wire_message message;
        struct fsd_err err;
        size_t before = count_fds();
        send_raw(fixture->worker, &packet, sizeof(packet), counts[i]);
        assert_int_equal(receive(fixture->master, &message, &err), -EPROTO);
        assert_string_not_equal(err.text, "");
        assert_int_equal(count_fds(), before);
    }
}

static void a_packet_larger_than_any_message_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    static unsigned char packet[sizeof(struct proto_head) + PROTO_PAYLOAD_MAX + 1];
    struct proto_head head = {PROTO_REFUSED, PROTO_PAYLOAD_MAX + 1};
    struct wire_message message;
    struct fsd_err err;
    memcpy(packet, &head, sizeof(head));
    send_raw(fixture->worker, packet, sizeof(packet), 0);
    assert_int_equal(receive(fixture->master, &message, &err), -EPROTO);
    assert_string_equal(err.text, "message is larger than any of the contract");
}

static void garbage_is_refused_and_the_next_message_is_read(void **state)
{
    const struct fixture *fixture = *state;
    struct proto_generation body = {9};
    struct wire_message message;
    struct fsd_err err;
    send_raw(fixture->worker, "\xff\xff\xff\xff\xff", 5, 0);
    assert_int_equal(wire_send(fixture->worker, PROTO_LOADED, &body, sizeof(body), -1), 0);
    assert_int_equal(receive(fixture->master, &message, &err), -EPROTO);
    assert_int_equal(receive(fixture->master, &message, &err), 1);
    assert_int_equal(message.head.kind, PROTO_LOADED);
}

int main(void)
{
#define WIRE_TEST(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)
    const struct CMUnitTest tests[] = {
        WIRE_TEST(a_message_arrives_as_it_was_sent),
        WIRE_TEST(a_descriptor_arrives_close_on_exec_and_the_sender_keeps_its_own),
        WIRE_TEST(text_is_cut_at_its_limit),
        WIRE_TEST(the_end_of_the_peer_is_seen_on_both_ways),
        WIRE_TEST(a_full_socket_says_so_instead_of_blocking),
        WIRE_TEST(surplus_descriptors_are_refused_and_closed),
        WIRE_TEST(a_packet_larger_than_any_message_is_refused),
        WIRE_TEST(garbage_is_refused_and_the_next_message_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
