/* When a connection has taken too long: each phase, each limit, and clocks and counters that wrap. */
#include "worker/http/connection/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct pace_limits limits = {
    .idle_ms = 1000, .head_ms = 2000, .body_ms = 3000, .write_ms = 4000};
static const struct pace_limits none;

struct run {
    struct pace pace;
    struct pace_sight sight;
    uint64_t now_ms;
};

static enum pace_verdict look(struct run *run, enum pace_phase phase, uint32_t moved,
                              uint64_t later_ms)
{
    run->now_ms += later_ms;
    run->sight.phase = phase;
    run->sight.moved += moved;
    return pace_look(&run->pace, &run->sight, &limits, run->now_ms);
}

static void each_phase_has_its_own_limit(void **state)
{
    (void)state;
    static const struct {
        enum pace_phase phase;
        uint64_t limit_ms;
    } rows[] = {{PACE_IDLE, 1000}, {PACE_HEAD, 2000}, {PACE_BODY, 3000}, {PACE_WRITING, 4000}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct run run = {.now_ms = 77};
        assert_int_equal(look(&run, rows[i].phase, 5, 0), PACE_GOES_ON);
        assert_int_equal(look(&run, rows[i].phase, 0, rows[i].limit_ms - 1), PACE_GOES_ON);
        assert_int_equal(look(&run, rows[i].phase, 0, 1), PACE_TOO_LONG);
    }
}

static void a_limit_of_zero_is_none_and_a_busy_connection_has_none(void **state)
{
    (void)state;
    for (int phase = PACE_BUSY; phase <= PACE_WRITING; phase++) {
        struct pace pace = {0};
        struct pace_sight sight = {.phase = (enum pace_phase)phase};
        assert_int_equal(pace_look(&pace, &sight, &none, 0), PACE_GOES_ON);
        assert_int_equal(pace_look(&pace, &sight, &none, UINT32_MAX), PACE_GOES_ON);
    }
    struct run run = {.now_ms = 0};
    assert_int_equal(look(&run, PACE_BUSY, 0, 0), PACE_GOES_ON);
    assert_int_equal(look(&run, PACE_BUSY, 0, 1000000), PACE_GOES_ON);
}

static void another_request_or_phase_begins_anew(void **state)
{
    (void)state;
    struct run run = {.now_ms = 0};
    (void)look(&run, PACE_IDLE, 0, 0);
    assert_int_equal(look(&run, PACE_IDLE, 0, 900), PACE_GOES_ON);
    run.sight.requests++;
    assert_int_equal(look(&run, PACE_IDLE, 0, 900), PACE_GOES_ON);
    assert_int_equal(look(&run, PACE_HEAD, 1, 900), PACE_GOES_ON);
    assert_int_equal(look(&run, PACE_IDLE, 0, 900), PACE_GOES_ON);
    assert_int_equal(look(&run, PACE_IDLE, 0, 999), PACE_GOES_ON);
    assert_int_equal(look(&run, PACE_IDLE, 0, 1), PACE_TOO_LONG);
}

static void a_head_gets_no_more_time_for_what_trickles_in(void **state)
{
    (void)state;
    struct run run = {.now_ms = 0};
    (void)look(&run, PACE_HEAD, 1, 0);
    for (int i = 0; i < 19; i++) {
        assert_int_equal(look(&run, PACE_HEAD, 1000, 100), PACE_GOES_ON);
    }
    assert_int_equal(look(&run, PACE_HEAD, 1000, 100), PACE_TOO_LONG);
}

static void a_body_may_take_for_ever_at_a_hundred_bytes_a_second(void **state)
{
    (void)state;
    struct run run = {.now_ms = 0};
    (void)look(&run, PACE_BODY, 0, 0);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(look(&run, PACE_BODY, 50, 500), PACE_GOES_ON);
    }
}

static void what_came_fast_at_first_pays_for_nothing(void **state)
{
    (void)state;
    struct run run = {.now_ms = 0};
    (void)look(&run, PACE_WRITING, 0, 0);
    assert_int_equal(look(&run, PACE_WRITING, 1000000, 500), PACE_GOES_ON);
    for (int i = 0; i < 7; i++) { /* it pays for the span of 4 s in which it came */
        assert_int_equal(look(&run, PACE_WRITING, 49, 500), PACE_GOES_ON);
    }
    for (int i = 0; i < 7; i++) {
        assert_int_equal(look(&run, PACE_WRITING, 49, 500), PACE_GOES_ON);
    }
    assert_int_equal(look(&run, PACE_WRITING, 49, 500), PACE_TOO_LONG);
}

static void clocks_and_counters_may_wrap(void **state)
{
    (void)state;
    struct run run = {.now_ms = UINT32_MAX - 10, .sight = {.moved = UINT32_MAX - 10}};
    (void)look(&run, PACE_BODY, 0, 0);
    assert_int_equal(look(&run, PACE_BODY, 299, 2999), PACE_GOES_ON);
    assert_int_equal(look(&run, PACE_BODY, 1, 1), PACE_GOES_ON);
    assert_int_equal(look(&run, PACE_BODY, 299, 3000), PACE_TOO_LONG);
}

static void looks_are_as_far_apart_as_the_limits_allow(void **state)
{
    (void)state;
    static const struct {
        struct pace_limits limits;
        uint32_t interval_ms;
    } rows[] = {
        {{0}, 1000},           {{.idle_ms = 60000}, 1000}, {{.idle_ms = 4000}, 500},
        {{.head_ms = 80}, 10}, {{.body_ms = 1}, 1},        {{.head_ms = 800, .write_ms = 160}, 20},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(pace_interval_ms(&rows[i].limits), rows[i].interval_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_has_its_own_limit),
        cmocka_unit_test(a_limit_of_zero_is_none_and_a_busy_connection_has_none),
        cmocka_unit_test(another_request_or_phase_begins_anew),
        cmocka_unit_test(a_head_gets_no_more_time_for_what_trickles_in),
        cmocka_unit_test(a_body_may_take_for_ever_at_a_hundred_bytes_a_second),
        cmocka_unit_test(what_came_fast_at_first_pays_for_nothing),
        cmocka_unit_test(clocks_and_counters_may_wrap),
        cmocka_unit_test(looks_are_as_far_apart_as_the_limits_allow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
