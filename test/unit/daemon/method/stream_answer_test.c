/* The answer of `logs` and `events`: which records are in it, and how many it says are gone. */
#include "daemon/method/stream_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/method/stream_params.h"

enum { CAPACITY = 4 };

static int set_up(void **state)
{
    struct log_ring *ring = calloc(1, sizeof(*ring));
    assert_non_null(ring);
    assert_int_equal(log_ring_init(ring, CAPACITY, 1000), 0);
    *state = ring;
    return 0;
}

static int tear_down(void **state)
{
    log_ring_fini(*state);
    free(*state);
    return 0;
}

/* Record number n has the text n, the id 100 + n and the time of n ms. */
static void add(struct log_ring *ring, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[32];
        int len = snprintf(text, sizeof(text), "%llu", (unsigned long long)ring->next);
        struct log_ring_entry entry = {.id = 100 + ring->next,
                                       .wall_us = ring->next * 1000,
                                       .level = LOG_LEVEL_INFO,
                                       .text_len = (size_t)len};
        while (!log_ring_has_room(ring, (size_t)len)) {
            log_ring_drop(ring);
        }
        log_ring_add(ring, &entry, NULL, text);
    }
}

static void expect(const struct log_ring *ring, enum log_hub_kind kind,
                   const struct stream_params *params, const char *expected)
{
    size_t len = 0;
    char *answer = stream_answer_make(ring, kind, params, &len);
    assert_non_null(answer);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(answer, expected, len);
    free(answer);
}

static const struct stream_params all = {.level = LOG_LEVEL_DEBUG, .lines = UINT64_MAX};

static void what_is_kept_comes_oldest_first(void **state)
{
    expect(*state, LOG_HUB_EVENTS, &all, "{\"schema\":\"fsd.events/1\",\"events\":[],\"lost\":0}");
    add(*state, 3);
    expect(*state, LOG_HUB_RECORDS, &all,
           "{\"schema\":\"fsd.logs/1\",\"records\":[0,1,2],\"lost\":0}");
}

static void what_is_gone_is_told(void **state)
{
    add(*state, 6);
    expect(*state, LOG_HUB_RECORDS, &all,
           "{\"schema\":\"fsd.logs/1\",\"records\":[2,3,4,5],\"lost\":2}");
}

static void the_last_lines_miss_nothing(void **state)
{
    struct stream_params params = all;
    add(*state, 6);
    params.lines = 2;
    expect(*state, LOG_HUB_RECORDS, &params,
           "{\"schema\":\"fsd.logs/1\",\"records\":[4,5],\"lost\":0}");
    params.lines = 4;
    expect(*state, LOG_HUB_RECORDS, &params,
           "{\"schema\":\"fsd.logs/1\",\"records\":[2,3,4,5],\"lost\":0}");
    params.lines = 5;
    expect(*state, LOG_HUB_RECORDS, &params,
           "{\"schema\":\"fsd.logs/1\",\"records\":[2,3,4,5],\"lost\":2}");
    params.lines = 0;
    expect(*state, LOG_HUB_RECORDS, &params,
           "{\"schema\":\"fsd.logs/1\",\"records\":[],\"lost\":0}");
}

static void a_time_that_is_still_in_memory_misses_nothing(void **state)
{
    struct stream_params params = all;
    add(*state, 6);
    params.since_us = 3000;
    expect(*state, LOG_HUB_RECORDS, &params,
           "{\"schema\":\"fsd.logs/1\",\"records\":[3,4,5],\"lost\":0}");
    params.since_us = 1000;
    expect(*state, LOG_HUB_RECORDS, &params,
           "{\"schema\":\"fsd.logs/1\",\"records\":[2,3,4,5],\"lost\":2}");
}

static void events_between_the_last_one_seen_and_the_oldest_kept_are_lost(void **state)
{
    static const struct {
        uint64_t since_id;
        const char *events;
    } rows[] = {
        {105, "[],\"lost\":0}"},        {103, "[4,5],\"lost\":0}"},
        {101, "[2,3,4,5],\"lost\":0}"}, {100, "[2,3,4,5],\"lost\":1}"},
        {99, "[2,3,4,5],\"lost\":2}"},  {1, "[2,3,4,5],\"lost\":2}"}, /* of an earlier run */
    };
    add(*state, 6);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct stream_params params = all;
        char expected[128];
        params.since_id = rows[i].since_id;
        (void)snprintf(expected, sizeof(expected), "{\"schema\":\"fsd.events/1\",\"events\":%s",
                       rows[i].events);
        expect(*state, LOG_HUB_EVENTS, &params, expected);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_kept_comes_oldest_first),
        TEST(what_is_gone_is_told),
        TEST(the_last_lines_miss_nothing),
        TEST(a_time_that_is_still_in_memory_misses_nothing),
        TEST(events_between_the_last_one_seen_and_the_oldest_kept_are_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
