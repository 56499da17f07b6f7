/* Following the log and the events: a real hub, real sockets and a real event loop in one thread. */
#include "daemon/method/stream.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fd.h"
#include "common/proto.h"
#include "daemon/control/control.h"
#include "daemon/log/log_hub.h"
#include "daemon/log/log_record.h"
#include "test/support/control_client.h"

enum { HEARD_MAX = 8 * 1024 * 1024 };

struct fixture {
    char folder[32];
    char path[64];
    sd_event *loop;
    struct control *control;
    struct log_hub *hub;
    struct stream_table *streams;
    uint64_t id;
    char heard[HEARD_MAX];
};

static void run_logs(void *owner, struct control_call *call, const json_t *params)
{
    struct fixture *fixture = owner;
    stream_run_logs(fixture->streams, call, params);
}

static void run_events(void *owner, struct control_call *call, const json_t *params)
{
    struct fixture *fixture = owner;
    stream_run_events(fixture->streams, call, params);
}

static const struct control_method methods[] = {
    {"logs", "of the log", run_logs},
    {"events", "of what happened", run_events},
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    int stale = 0;
    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/fsd-stream-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/c.sock", fixture->folder);
    assert_true(sd_event_new(&fixture->loop) >= 0);
    fixture->hub = log_hub_new();
    assert_non_null(fixture->hub);
    assert_int_equal(stream_open(&fixture->streams, fixture->loop, fixture->hub), 0);
    assert_int_equal(control_open(&fixture->control, fixture->loop, fixture->path, methods, 2,
                                  fixture, &stale, NULL),
                     0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    stream_close(fixture->streams);
    control_close(fixture->control);
    log_hub_free(fixture->hub);
    sd_event_unref(fixture->loop);
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

static void turn(struct fixture *fixture)
{
    control_client_turn(fixture->loop);
}

static int connect_peer(struct fixture *fixture)
{
    return control_client_connect(fixture->loop, fixture->path);
}

/* All that comes until nothing more does. */
static const char *hear(struct fixture *fixture, int fd)
{
    size_t len = 0;
    ssize_t n;
    turn(fixture);
    while ((n = recv(fd, fixture->heard + len, HEARD_MAX - 1 - len, 0)) > 0) {
        len += (size_t)n;
        turn(fixture);
    }
    fixture->heard[len] = '\0';
    return fixture->heard;
}

static const char *ask(struct fixture *fixture, int fd, const char *method, const char *params)
{
    char request[256];
    int len = snprintf(request, sizeof(request),
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}\n", method,
                       params);
    assert_int_equal(send(fd, request, (size_t)len, MSG_NOSIGNAL), len);
    return hear(fixture, fd);
}

static void put(struct fixture *fixture, const char *pool, enum log_level level,
                const char *message, const char *event)
{
    struct log_record record = {.level = level,
                                .wall_us = 5000,
                                .subject = {pool, 0, pool == NULL ? 0 : 7},
                                .message = message,
                                .message_len = strlen(message),
                                .event = event,
                                .event_id = event == NULL ? 0 : ++fixture->id};
    log_hub_put(fixture->hub, &record, true);
}

#define LOG(fields) "{\"jsonrpc\":\"2.0\",\"method\":\"log\",\"params\":{\"time\":5," fields "}}\n"
#define EVENT(fields)                                                                              \
    "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"at\":5," fields "}}\n"

static void the_log_is_answered_and_then_followed(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    put(fixture, NULL, LOG_LEVEL_INFO, "before", NULL);
    assert_string_equal(ask(fixture, fd, "logs", "{\"follow\":true}"),
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"schema\":\"fsd.logs/1\","
                        "\"records\":[{\"time\":5,\"level\":\"info\",\"msg\":\"before\"}],"
                        "\"lost\":0}}\n");
    put(fixture, "web", LOG_LEVEL_ERROR, "after", NULL);
    put(fixture, NULL, LOG_LEVEL_INFO, "this too", NULL);
    assert_string_equal(
        hear(fixture, fd),
        LOG("\"level\":\"error\",\"msg\":\"after\",\"pool\":\"web\",\"slot\":0,\"pid\":7")
            LOG("\"level\":\"info\",\"msg\":\"this too\""));
    fd_close(&fd);
    turn(fixture);
    put(fixture, NULL, LOG_LEVEL_INFO, "nobody is there", NULL);
    turn(fixture);
}

static void what_is_not_followed_ends_with_the_answer(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    assert_non_null(strstr(ask(fixture, fd, "logs", "{}"), "\"records\":[]"));
    put(fixture, NULL, LOG_LEVEL_INFO, "later", NULL);
    assert_string_equal(hear(fixture, fd), "");
    fd_close(&fd);
}

static void the_filters_hold_for_what_comes_too(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    (void)ask(fixture, fd, "logs",
              "{\"follow\":true,\"pool\":\"web\",\"level\":\"warning\",\"since_ms\":9}");
    put(fixture, "web", LOG_LEVEL_INFO, "not severe", NULL);
    put(fixture, "jobs", LOG_LEVEL_ERROR, "not of the pool", NULL);
    put(fixture, NULL, LOG_LEVEL_ERROR, "not of the pool", NULL);
    put(fixture, "web", LOG_LEVEL_WARNING, "this",
        NULL); /* its clock is late; it is new all the same */
    assert_string_equal(
        hear(fixture, fd),
        LOG("\"level\":\"warning\",\"msg\":\"this\",\"pool\":\"web\",\"slot\":0,\"pid\":7"));
    fd_close(&fd);
}

static void events_are_followed_from_an_id(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    put(fixture, NULL, LOG_LEVEL_NOTICE, "one", "a.one");
    put(fixture, NULL, LOG_LEVEL_NOTICE, "two", "a.two");
    const char *answer = ask(fixture, fd, "events", "{\"since_id\":1,\"follow\":true}");
    assert_null(strstr(answer, "a.one"));
    assert_non_null(strstr(answer, "\"event\":\"a.two\",\"id\":2}],\"lost\":0}"));
    put(fixture, NULL, LOG_LEVEL_NOTICE, "no event", NULL);
    put(fixture, NULL, LOG_LEVEL_NOTICE, "three", "a.three");
    assert_string_equal(
        hear(fixture, fd),
        EVENT("\"level\":\"notice\",\"message\":\"three\",\"event\":\"a.three\",\"id\":3"));
    fd_close(&fd);
}

static void a_mistake_is_told(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    assert_non_null(strstr(ask(fixture, fd, "logs", "{\"folow\":true}"), "\"code\":-32602"));
    assert_non_null(strstr(ask(fixture, fd, "logs", "{\"follow\":true}"), "\"result\""));
    assert_non_null(strstr(ask(fixture, fd, "events", "{\"follow\":true}"),
                           "this connection follows something already"));
    int fds[CONTROL_STREAMS_MAX];
    for (int i = 1; i < CONTROL_STREAMS_MAX; i++) {
        fds[i] = connect_peer(fixture);
        assert_non_null(strstr(ask(fixture, fds[i], "events", "{\"follow\":true}"), "\"result\""));
    }
    int late = connect_peer(fixture);
    assert_non_null(strstr(ask(fixture, late, "events", "{\"follow\":true}"), "too many"));
    assert_non_null(strstr(ask(fixture, late, "events", "{}"), "\"result\""));
    for (int i = 1; i < CONTROL_STREAMS_MAX; i++) {
        fd_close(&fds[i]);
    }
    fd_close(&late);
    fd_close(&fd);
}

/* As strstr, which under the address sanitizer measures the whole text each time: that took a minute. */
static const char *find(const char *text, const char *wanted)
{
    size_t len = strlen(wanted);
    text = strchr(text, wanted[0]);
    while (text != NULL && strncmp(text, wanted, len) != 0) {
        text = strchr(text + 1, wanted[0]);
    }
    return text;
}

static unsigned count(const char *text, const char *wanted)
{
    unsigned found = 0;
    while ((text = find(text, wanted)) != NULL) {
        found++;
        text++;
    }
    return found;
}

/* The sum of all "lost" notifications. */
static unsigned count_lost(const char *text)
{
    static const char wanted[] = "\"lost\",\"params\":{\"records\":";
    unsigned lost = 0;
    while ((text = find(text, wanted)) != NULL) {
        text += sizeof(wanted) - 1;
        lost += (unsigned)strtoul(text, NULL, 10);
    }
    return lost;
}

static void a_reader_that_stalls_is_told_what_it_lost_and_goes_on(void **state)
{
    enum { PUTS = 20000 };
    struct fixture *fixture = *state;
    int slow = connect_peer(fixture);
    int other = connect_peer(fixture);
    (void)ask(fixture, slow, "logs", "{\"follow\":true,\"pool\":\"web\"}");
    (void)ask(fixture, other, "logs", "{\"follow\":true,\"pool\":\"jobs\"}");
    for (int i = 0; i < PUTS; i++) {
        put(fixture, "web", LOG_LEVEL_INFO, "a line of the flood", NULL);
        put(fixture, "api", LOG_LEVEL_INFO, "not for it, so not lost", NULL);
        turn(fixture);
    }
    put(fixture, "jobs", LOG_LEVEL_INFO, "quick", NULL);
    assert_non_null(strstr(hear(fixture, other), "quick"));
    assert_int_equal(count_lost(fixture->heard), 0);
    const char *heard = hear(fixture, slow);
    unsigned got = count(heard, "a line of the flood");
    assert_true(got > LOG_HUB_RECORDS_MAX / 2); /* what was sent, and what the ring still had */
    assert_in_range(count(heard, "\"lost\""), 1, 10);
    assert_int_equal(got + count_lost(heard), PUTS);
    put(fixture, "web", LOG_LEVEL_INFO, "the end", NULL);
    assert_string_equal(
        hear(fixture, slow),
        LOG("\"level\":\"info\",\"msg\":\"the end\",\"pool\":\"web\",\"slot\":0,\"pid\":7"));
    fd_close(&slow);
    fd_close(&other);
}

static void long_records_arrive_whole(void **state)
{
    struct fixture *fixture = *state;
    char *message = malloc(PROTO_LOG_MAX);
    assert_non_null(message);
    memset(message, 1, PROTO_LOG_MAX - 1); /* six bytes for each */
    message[PROTO_LOG_MAX - 1] = '\0';
    int fd = connect_peer(fixture);
    (void)ask(fixture, fd, "logs", "{\"follow\":true}");
    for (int i = 0; i < 10; i++) {
        put(fixture, NULL, LOG_LEVEL_INFO, message, NULL);
    }
    const char *heard = hear(fixture, fd);
    assert_int_equal(count(heard, "\"method\":\"log\""), 10);
    assert_int_equal(count_lost(heard), 0);
    assert_int_equal(count(heard, "\\u0001"), 10 * (PROTO_LOG_MAX - 1));
    free(message);
    fd_close(&fd);
}

static void the_last_words_are_sent_at_the_end(void **state)
{
    struct fixture *fixture = *state;
    int fd = connect_peer(fixture);
    (void)ask(fixture, fd, "events", "{\"follow\":true}");
    put(fixture, NULL, LOG_LEVEL_NOTICE, "stopped", "fsd.stopped");
    stream_close(fixture->streams);
    fixture->streams = NULL;
    control_close(fixture->control);
    fixture->control = NULL;
    assert_non_null(strstr(hear(fixture, fd), "fsd.stopped"));
    fd_close(&fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_log_is_answered_and_then_followed),
        TEST(what_is_not_followed_ends_with_the_answer),
        TEST(the_filters_hold_for_what_comes_too),
        TEST(events_are_followed_from_an_id),
        TEST(a_mistake_is_told),
        TEST(a_reader_that_stalls_is_told_what_it_lost_and_goes_on),
        TEST(long_records_arrive_whole),
        TEST(the_last_words_are_sent_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
