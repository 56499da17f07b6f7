/* Records to a journal that is played by the test: short ones, long ones, and a journal that hangs or is gone. */
#include "daemon/log/log_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fd.h"
#include "daemon/log/log.h"

enum { LONG_LEN = 8 * 1024 * 1024 };

struct fixture {
    char folder[32];
    char path[64];
    int journal; /* the end that listens */
    struct log_socket out;
};

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/fsd-journal-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/socket", fixture->folder);
    fixture->journal = listen_at(fixture->path);
    assert_int_equal(log_socket_open(&fixture->out, fixture->path), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    fd_close(&fixture->journal);
    log_socket_fini(&fixture->out);
    (void)unlink(fixture->path);
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

/* Reads one record as the journal does; returns its length. */
static size_t receive(const struct fixture *fixture, char *text, size_t size, int *ret_fd)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {.iov_base = text, .iov_len = size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t len = recvmsg(fixture->journal, &message, MSG_CMSG_CLOEXEC);
    assert_true(len >= 0);
    *ret_fd = -1;
    const struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    if (head != NULL) {
        memcpy(ret_fd, CMSG_DATA(head), sizeof(*ret_fd));
    }
    return (size_t)len;
}

static void a_record_is_one_datagram(void **state)
{
    struct fixture *fixture = *state;
    char text[64];
    int fd;
    assert_int_equal(log_socket_send(&fixture->out, "A=1\nB=2\n", 8), 0);
    assert_int_equal(receive(fixture, text, sizeof(text), &fd), 8);
    assert_memory_equal(text, "A=1\nB=2\n", 8);
    assert_int_equal(fd, -1);
}

static void a_long_record_comes_as_a_sealed_file(void **state)
{
    struct fixture *fixture = *state;
    char *text = calloc(1, LONG_LEN);
    assert_non_null(text);
    memset(text, 'x', LONG_LEN);
    assert_int_equal(log_socket_send(&fixture->out, text, LONG_LEN), 0);
    char nothing[8];
    int fd;
    struct stat info;
    assert_int_equal(receive(fixture, nothing, sizeof(nothing), &fd), 0);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &info), 0);
    assert_int_equal(info.st_size, LONG_LEN);
    int seals = fcntl(fd, F_GET_SEALS); /* the journal reads no other memfd */
    assert_int_equal(seals, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    fd_close(&fd);
    free(text);
}

static void a_journal_that_hangs_costs_records_and_no_time(void **state)
{
    struct fixture *fixture = *state;
    int error = 0;
    int sent = 0;
    while (error == 0 && sent < 100000) {
        error = log_socket_send(&fixture->out, "A=1\n", 4);
        sent++;
    }
    assert_int_equal(error, -EAGAIN);
    char text[8];
    int fd;
    (void)receive(fixture, text, sizeof(text), &fd);
    assert_int_equal(log_socket_send(&fixture->out, "A=1\n", 4), 0);
}

static void a_journal_that_is_gone_and_comes_back_is_found(void **state)
{
    struct fixture *fixture = *state;
    char text[8];
    int fd;
    fd_close(&fixture->journal);
    assert_int_equal(log_socket_send(&fixture->out, "A=1\n", 4), -ECONNREFUSED);
    assert_int_equal(unlink(fixture->path), 0);
    assert_int_equal(log_socket_send(&fixture->out, "A=1\n", 4), -ENOENT);
    fixture->journal = listen_at(fixture->path);
    assert_int_equal(log_socket_send(&fixture->out, "A=2\n", 4), 0);
    assert_int_equal(receive(fixture, text, sizeof(text), &fd), 4);
    assert_memory_equal(text, "A=2\n", 4);
}

static void a_path_that_is_no_socket_address_is_refused(void **state)
{
    (void)state;
    char path[200];
    struct log_socket out = {.fd = -1};
    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(log_socket_open(&out, path), -ENAMETOOLONG);
}

static struct log *open_log(const struct fixture *fixture, int fd)
{
    struct log *log = calloc(1, sizeof(*log));
    assert_non_null(log);
    log_init(log, fd, CONF_LOG_TEXT, LOG_LEVEL_INFO);
    assert_int_equal(log_open_journal(log, fixture->path), 0);
    return log;
}

static void what_the_journal_does_not_take_at_once_waits_in_order(void **state)
{
    enum { SENT = 300 };
    struct fixture *fixture = *state;
    char text[16];
    int fd;
    for (int i = 0; i < SENT; i++) {
        int len = snprintf(text, sizeof(text), "A=%d\n", i);
        assert_int_equal(log_socket_send(&fixture->out, text, (size_t)len), 0);
    }
    for (int i = 0; i < SENT; i++) {
        char wanted[16];
        int len = snprintf(wanted, sizeof(wanted), "A=%d\n", i);
        assert_int_equal(receive(fixture, text, sizeof(text), &fd), len);
        assert_memory_equal(text, wanted, (size_t)len);
        log_socket_flush(&fixture->out);
    }
    assert_false(log_socket_is_waiting(&fixture->out));
}

static void the_log_sends_fields_and_tells_what_it_had_to_drop(void **state)
{
    struct fixture *fixture = *state;
    char text[4096];
    int fd;
    int devnull = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct log *log = open_log(fixture, devnull);
    while (log->dropped < 3) {
        log_event(log, LOG_LEVEL_NOTICE, &(struct log_subject){"web", 1, 7}, "worker.ready",
                  "ready", NULL);
    }
    size_t len = receive(fixture, text, sizeof(text), &fd);
    static const char wanted[] = "FSD_EVENT\n\x0c\0\0\0\0\0\0\0worker.ready\n";
    assert_non_null(memmem(text, len, wanted, sizeof(wanted) - 1));
    for (int i = 0; i < 10000 && log_socket_is_waiting(&log->journal); i++) {
        (void)receive(fixture, text, sizeof(text), &fd);
        log_socket_flush(&log->journal);
    }
    while (recv(fixture->journal, text, sizeof(text), 0) > 0) {
    }
    log_write(log, LOG_LEVEL_INFO, NULL, "healed", NULL);
    len = receive(fixture, text, sizeof(text), &fd);
    assert_non_null(memmem(text, len, "log lines were dropped lines=3", 30));
    len = receive(fixture, text, sizeof(text), &fd);
    assert_non_null(memmem(text, len, "healed", 6));
    log_fini(log);
    free(log);
    (void)close(devnull);
}

static void the_loop_sends_what_waits(void **state)
{
    enum { SENT = 100 };
    struct fixture *fixture = *state;
    char text[4096];
    sd_event *loop = NULL;
    int heard = 0;
    int devnull = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct log *log = open_log(fixture, devnull);
    assert_true(sd_event_new(&loop) >= 0);
    assert_true(log_attach(log, loop) >= 0);
    for (int i = 0; i < SENT; i++) {
        log_write(log, LOG_LEVEL_INFO, NULL, "hello", NULL);
    }
    assert_int_equal(log->dropped, 0);
    while (heard < SENT) {
        while (recv(fixture->journal, text, sizeof(text), 0) > 0) {
            heard++;
        }
        assert_true(heard == SENT || sd_event_run(loop, 5000 * 1000) > 0);
    }
    log_fini(log);
    free(log);
    (void)sd_event_unref(loop);
    (void)close(devnull);
}

static void without_the_journals_socket_the_log_writes_plain_lines(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    char text[256] = "";
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct log *log = open_log(fixture, ends[1]);
    fd_close(&fixture->journal);
    log_write(log, LOG_LEVEL_INFO, NULL, "hello", NULL);
    assert_int_equal(log->dropped, 0);
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    assert_non_null(strstr(text, "hello\n"));
    log_fini(log);
    free(log);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

#define WITH_JOURNAL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_JOURNAL(a_record_is_one_datagram),
        WITH_JOURNAL(a_long_record_comes_as_a_sealed_file),
        WITH_JOURNAL(a_journal_that_hangs_costs_records_and_no_time),
        WITH_JOURNAL(a_journal_that_is_gone_and_comes_back_is_found),
        cmocka_unit_test(a_path_that_is_no_socket_address_is_refused),
        WITH_JOURNAL(what_the_journal_does_not_take_at_once_waits_in_order),
        WITH_JOURNAL(the_loop_sends_what_waits),
        WITH_JOURNAL(the_log_sends_fields_and_tells_what_it_had_to_drop),
        WITH_JOURNAL(without_the_journals_socket_the_log_writes_plain_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
