#include "daemon/proc/asks.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/fd.h"
#include "common/wire.h"
#include "daemon/proc/channel.h"

enum { WORKERS = 3 };

/* A worker, with the other end of its channel. */
static struct worker {
    struct ask ask;
    struct channel channel;
    int sock;
    int failed;
} workers[WORKERS];
static struct asks asks;
static int asked;

static void on_asked(struct asks *which, struct ask *ask)
{
    assert_ptr_equal(which, &asks);
    assert_ptr_equal(ask->asks, &asks);
    asked++;
}

static void on_failed(struct ask *ask, int error)
{
    ((struct worker *)ask)->failed = error; /* its first member */
}

static int set_up(void **state)
{
    (void)state;
    asks = (struct asks){.on_asked = on_asked};
    asked = 0;
    for (int i = 0; i < WORKERS; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
            return -1;
        }
        workers[i] = (struct worker){.channel.sock = pair[0], .sock = pair[1]};
        workers[i].ask.channel = &workers[i].channel;
        workers[i].ask.on_failed = on_failed;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < WORKERS; i++) {
        asks_leave(&workers[i].ask);
        (void)close(workers[i].channel.sock);
        (void)close(workers[i].sock);
    }
    return 0;
}

static bool add(int which, const char *text)
{
    struct proto_ask body = {.number = 10 + (uint64_t)which, .what = PROTO_ASK_START};
    (void)snprintf(body.name, sizeof(body.name), "pool%d", which);
    return asks_add(&asks, &workers[which].ask, &body, text, strlen(text));
}

static void expect_answer(int which, uint64_t code, const char *text)
{
    struct wire_message message;
    struct proto_answer body;
    assert_int_equal(wire_recv(workers[which].sock, PROTO_TO_WORKER, &message, NULL), 1);
    assert_int_equal(message.head.kind, PROTO_ANSWER);
    memcpy(&body, message.payload, sizeof(body));
    assert_int_equal(body.number, 10 + which);
    assert_int_equal(body.code, code);
    assert_int_equal(message.head.size, sizeof(body) + strlen(text));
    assert_memory_equal(message.payload + sizeof(body), text, strlen(text));
}

static void questions_are_answered_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    assert_true(asks_is_empty(&asks));
    assert_null(asks_next(&asks));
    for (int i = 0; i < WORKERS; i++) {
        assert_true(add(i, "text"));
    }
    assert_int_equal(asked, WORKERS);
    for (int i = 0; i < WORKERS; i++) {
        struct ask *ask = asks_next(&asks);
        assert_ptr_equal(ask, &workers[i].ask);
        assert_ptr_equal(asks.current, ask);
        assert_string_equal(ask->text, "text");
        assert_false(asks_is_empty(&asks));
        asks_answer(ask, PROTO_ANSWER_INVALID, "no");
        assert_null(asks.current);
        expect_answer(i, PROTO_ANSWER_INVALID, "no");
    }
    assert_true(asks_is_empty(&asks));
}

static void a_worker_asks_again_only_when_it_has_its_answer(void **state)
{
    (void)state;
    assert_true(add(0, ""));
    assert_false(add(0, ""));
    assert_ptr_equal(asks_next(&asks), &workers[0].ask);
    assert_false(add(0, ""));
    asks_answer(&workers[0].ask, PROTO_ANSWER_OK, "");
    assert_true(add(0, ""));
}

static void who_goes_takes_its_question_along(void **state)
{
    (void)state;
    for (int i = 0; i < WORKERS; i++) {
        assert_true(add(i, "text"));
    }
    asks_leave(&workers[2].ask); /* the last one */
    asks_leave(&workers[0].ask);
    asks_leave(&workers[0].ask);
    assert_true(add(2, "again"));
    assert_ptr_equal(asks_next(&asks), &workers[1].ask);
    asks_leave(&workers[1].ask); /* the current one */
    assert_null(asks.current);
    assert_ptr_equal(asks_next(&asks), &workers[2].ask);
    assert_null(asks_next(&asks));
    asks_leave(&workers[2].ask);
    assert_true(asks_is_empty(&asks));
}

static void one_that_waits_may_be_answered_out_of_its_turn(void **state)
{
    (void)state;
    assert_true(add(0, ""));
    assert_true(add(1, ""));
    asks_answer(&workers[1].ask, PROTO_ANSWER_BUSY, "");
    expect_answer(1, PROTO_ANSWER_BUSY, "");
    assert_true(add(2, ""));
    assert_ptr_equal(asks_next(&asks), &workers[0].ask);
    asks_answer(&workers[0].ask, PROTO_ANSWER_OK, "");
    assert_ptr_equal(asks_next(&asks), &workers[2].ask);
}

static void a_name_without_an_end_is_cut_and_a_long_sentence_too(void **state)
{
    static char sentence[PROTO_TEXT_MAX + 100];
    (void)state;
    struct proto_ask body = {.number = 10};
    struct wire_message message;
    memset(body.name, 'x', sizeof(body.name));
    memset(sentence, 'y', sizeof(sentence) - 1);
    assert_true(asks_add(&asks, &workers[0].ask, &body, "", 0));
    assert_int_equal(strlen(workers[0].ask.body.name), PROTO_NAME_MAX - 1);
    asks_answer(&workers[0].ask, PROTO_ANSWER_REFUSED, sentence);
    assert_int_equal(wire_recv(workers[0].sock, PROTO_TO_WORKER, &message, NULL), 1);
    assert_int_equal(message.head.size, sizeof(struct proto_answer) + PROTO_TEXT_MAX);
}

static void a_list_comes_with_a_descriptor(void **state)
{
    (void)state;
    struct wire_message message;
    int fd = fd_sealed_from("test", "x", 1);
    assert_true(fd >= 0);
    assert_true(add(0, ""));
    asks_answer_list(&workers[0].ask, fd);
    assert_int_equal(wire_recv(workers[0].sock, PROTO_TO_WORKER, &message, NULL), 1);
    assert_int_equal(message.head.kind, PROTO_POOLS);
    assert_true(message.fd >= 0);
    fd_close(&message.fd);
    fd_close(&fd);
    assert_true(asks_is_empty(&asks));
}

static void a_channel_that_is_gone_is_reported_when_nothing_is_asked_any_more(void **state)
{
    (void)state;
    struct channel gone = {.sock = -1};
    assert_true(add(0, ""));
    workers[0].ask.channel = &gone;
    asks_answer(&workers[0].ask, PROTO_ANSWER_OK, "");
    assert_int_equal(workers[0].failed, -EPIPE);
    assert_true(asks_is_empty(&asks));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(questions_are_answered_in_the_order_in_which_they_came,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_worker_asks_again_only_when_it_has_its_answer, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(who_goes_takes_its_question_along, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_waits_may_be_answered_out_of_its_turn, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_name_without_an_end_is_cut_and_a_long_sentence_too,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_comes_with_a_descriptor, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_channel_that_is_gone_is_reported_when_nothing_is_asked_any_more, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
