#include "worker/life_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/worker_child.h"

enum { RUNNING = 3 }; /* the generation that boot() loads */

static void tell_code(uint64_t number, uint64_t generation, const char *source)
{
    const struct lua_file files[] = {{"app.lua", source}, {NULL, NULL}};
    struct proto_transaction body = {
        .number = number, .what = PROTO_CHANGE_CODE, .generation = generation};
    tell_fd(PROTO_PREPARE, &body, sizeof(body), lua_bundle_make("app.lua", files));
}

/* An application that answers with a word; more runs before it is returned. */
static void tell_answering(uint64_t number, uint64_t generation, const char *word, const char *more)
{
    char source[512];
    (void)snprintf(source, sizeof(source),
                   "local fsd = require 'fsd' local app = fsd.app()\n"
                   "app:get('/', function() return '%s' end) %s return app",
                   word, more);
    tell_code(number, generation, source);
}

static void tell_change(enum proto_kind kind, uint64_t number)
{
    struct proto_transaction body = {.number = number};
    tell(kind, &body, sizeof(body));
}

/* What still runs on replaced code is told at any time. */
static void skip_laggards(void)
{
    struct proto_head head;
    while (recv(master, &head, sizeof(head), MSG_PEEK) == sizeof(head) &&
           head.kind == PROTO_LAGGARDS) {
        expect(PROTO_LAGGARDS);
    }
}

static void expect_change(enum proto_kind kind, uint64_t number, uint64_t generation)
{
    struct proto_transaction body;
    skip_laggards();
    expect(kind);
    memcpy(&body, message.payload, sizeof(body));
    assert_int_equal(body.number, number);
    assert_int_equal(body.generation, generation);
}

static void expect_rejected(uint64_t number, const char *why)
{
    expect_change(PROTO_REJECTED, number, 0);
    message.payload[message.head.size] = '\0';
    const char *text = (const char *)message.payload + sizeof(struct proto_transaction);
    if (strstr(text, why) == NULL) {
        fail_msg("%s", text);
    }
}

static void assert_serves(struct sockaddr_in address, const char *word)
{
    int client = connect_to(address);
    assert_asked(client, "/", word);
    fd_close(&client);
}

static void leave(void)
{
    tell_drain(0);
    skip_laggards();
    expect(PROTO_DRAINING);
    assert_exit(FSD_EXIT_OK);
}

static void put(uint64_t number, uint64_t generation, const char *word)
{
    tell_answering(number, generation, word, "");
    expect_change(PROTO_PREPARED, number, 0);
    tell_change(PROTO_COMMIT, number);
    expect_change(PROTO_COMMITTED, number, generation);
}

static void code_is_put_in_place_at_its_commit_and_not_before(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    tell_answering(1, 4, "second", "");
    expect_change(PROTO_PREPARED, 1, 0);
    assert_serves(address, "hello");
    tell_change(PROTO_COMMIT, 1);
    expect_change(PROTO_COMMITTED, 1, 4);
    assert_serves(address, "second");
    put(2, 9, "third");
    assert_serves(address, "third");
    leave();
}

static void a_commit_of_nothing_is_ignored(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    tell_change(PROTO_COMMIT, 1);
    put(2, 4, "second");
    tell_change(PROTO_COMMIT, 2); /* once more */
    tell_change(PROTO_ABORT, 2);
    assert_serves(address, "second");
    put(3, 5, "third"); /* the next answer is to this */
    leave();
}

static void a_commit_or_abort_of_another_number_is_ignored(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    tell_answering(1, 4, "second", "");
    expect_change(PROTO_PREPARED, 1, 0);
    tell_change(PROTO_COMMIT, 2);
    tell_change(PROTO_ABORT, 2);
    assert_serves(address, "hello");
    tell_change(PROTO_COMMIT, 1);
    expect_change(PROTO_COMMITTED, 1, 4);
    assert_serves(address, "second");
    leave();
}

#define WAITING_CHECK "app:on_check(function() fsd.task.sleep(1e6) end)"
#define ENDLESS       "while true do end"

static void a_commit_before_it_is_prepared_is_ignored(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    tell_answering(1, 4, "second", WAITING_CHECK);
    tell_change(PROTO_COMMIT, 1);
    assert_serves(address, "hello");
    tell_change(PROTO_ABORT, 1);
    put(2, 5, "third");
    assert_serves(address, "third");
    leave();
}

static void an_abort_ends_it_wherever_it_is(void **state)
{
    static const char *const where[] = {"", WAITING_CHECK, ENDLESS,
                                        "app:on_check(function() " ENDLESS " end)"};
    (void)state;
    struct sockaddr_in address = serve();
    for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
        uint64_t number = i + 1;
        tell_answering(number, 4 + i, "second", where[i]);
        if (where[i][0] == '\0') {
            expect_change(PROTO_PREPARED, number, 0);
        }
        assert_serves(address, "hello");
        tell_change(PROTO_ABORT, number);
        tell_change(PROTO_COMMIT, number);
        assert_serves(address, "hello");
    }
    put(10, 20, "third");
    assert_serves(address, "third");
    leave();
}

static void a_second_prepare_takes_the_place_of_the_first(void **state)
{
    static const char *const where[] = {"", WAITING_CHECK, ENDLESS};
    (void)state;
    struct sockaddr_in address = serve();
    for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
        uint64_t number = 10 * i + 1;
        tell_answering(number, 10 * i + 10, "first", where[i]);
        if (where[i][0] == '\0') {
            expect_change(PROTO_PREPARED, number, 0);
        }
        tell_answering(number + 1, 10 * i + 11, "another", "");
        expect_change(PROTO_PREPARED, number + 1, 0);
        tell_change(PROTO_COMMIT, number);
        tell_change(PROTO_COMMIT, number + 1);
        expect_change(PROTO_COMMITTED, number + 1, 10 * i + 11);
        assert_serves(address, "another");
    }
    leave();
}

static void a_generation_that_does_not_rise_is_rejected(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    for (uint64_t generation = RUNNING - 1; generation <= RUNNING; generation++) {
        tell_answering(generation, generation, "second", "");
        expect_rejected(generation, "the generation is not newer than the running one");
    }
    put(8, 10, "third");
    tell_answering(9, 9, "fourth", "");
    expect_rejected(9, "the generation is not newer than the running one");
    assert_serves(address, "third");
    leave();
}

static void what_is_rejected_takes_the_place_of_what_was_prepared(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    tell_answering(1, 4, "second", "");
    expect_change(PROTO_PREPARED, 1, 0);
    tell_code(2, 5, "\nerror('boom')");
    expect_rejected(2, "app.lua:2: boom");
    tell_change(PROTO_COMMIT, 1);
    tell_change(PROTO_COMMIT, 2);
    assert_serves(address, "hello");
    put(3, 6, "third");
    leave();
}

static void what_is_no_bundle_is_rejected(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    struct proto_transaction body = {.number = 1, .what = PROTO_CHANGE_CODE, .generation = 4};
    tell_fd(PROTO_PREPARE, &body, sizeof(body), fd_sealed_from("bundle", "words", 5));
    expect_rejected(1, "bundle");
    assert_serves(address, "hello");
    leave();
}

static void what_is_no_application_is_rejected(void **state)
{
    (void)state;
    struct sockaddr_in address = serve();
    tell_code(1, 4, "return 5");
    expect_rejected(1, "app.lua must end with `return app`");
    assert_serves(address, "hello");
    leave();
}

static void a_worker_in_reserve_takes_part_and_activates_the_new_code(void **state)
{
    (void)state;
    boot();
    put(1, 4, "second");
    struct sockaddr_in address = tell_listener(0);
    tell_activate(4);
    expect(PROTO_ACTIVE);
    assert_serves(address, "second");
    put(2, 5, "third");
    assert_serves(address, "third");
    leave();
}

static void a_worker_without_code_rejects(void **state)
{
    struct proto_unavailable body = {.retry_after_s = 30};
    (void)state;
    expect(PROTO_HELLO);
    tell_config();
    tell(PROTO_UNAVAILABLE, &body, sizeof(body));
    expect(PROTO_LOADED);
    tell_answering(1, 4, "second", "");
    expect_rejected(1, "the worker has no code that could be changed");
    tell_drain(0);
    assert_exit(FSD_EXIT_OK);
}

static void a_drain_in_the_middle_of_it_leaves_in_order(void **state)
{
    static const char *const where[] = {"", WAITING_CHECK, ENDLESS};
    const char *more = where[*(const size_t *)*state];
    struct sockaddr_in address = serve();
    tell_answering(1, 4, "second", more);
    if (more[0] == '\0') {
        expect_change(PROTO_PREPARED, 1, 0);
    }
    assert_serves(address, "hello");
    leave();
}

int main(void)
{
    static size_t places[] = {0, 1, 2};
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(code_is_put_in_place_at_its_commit_and_not_before),
        TEST(a_commit_of_nothing_is_ignored),
        TEST(a_commit_or_abort_of_another_number_is_ignored),
        TEST(a_commit_before_it_is_prepared_is_ignored),
        TEST(an_abort_ends_it_wherever_it_is),
        TEST(a_second_prepare_takes_the_place_of_the_first),
        TEST(a_generation_that_does_not_rise_is_rejected),
        TEST(what_is_rejected_takes_the_place_of_what_was_prepared),
        TEST(what_is_no_bundle_is_rejected),
        TEST(what_is_no_application_is_rejected),
        TEST(a_worker_in_reserve_takes_part_and_activates_the_new_code),
        TEST(a_worker_without_code_rejects),
        {"a_drain_beside_code_that_is_ready", a_drain_in_the_middle_of_it_leaves_in_order, set_up,
         tear_down, &places[0]},
        {"a_drain_beside_a_check_that_waits", a_drain_in_the_middle_of_it_leaves_in_order, set_up,
         tear_down, &places[1]},
        {"a_drain_beside_code_that_loops", a_drain_in_the_middle_of_it_leaves_in_order, set_up,
         tear_down, &places[2]},
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
