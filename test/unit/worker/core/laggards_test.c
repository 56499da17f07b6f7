/* What the master is told of what still runs on replaced code. */
#include "worker/core/laggards.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct laggards laggards;

static int set_up(void **state)
{
    (void)state;
    laggards_init(&laggards);
    return 0;
}

static void each_is_a_line_and_the_oldest_generation_is_named(void **state)
{
    (void)state;
    laggards_count(&laggards, 7);
    laggards_add(&laggards, "request", "GET /", "app.lua:3", 12);
    laggards_count(&laggards, 5);
    laggards_add(&laggards, "actor", "-", "jobs.lua:9", 0);
    laggards_count(&laggards, 6);
    (void)laggards_finish(&laggards);
    assert_string_equal(laggards.text,
                        "request GET / since 12 at app.lua:3\nactor - since 0 at jobs.lua:9");
    assert_int_equal(laggards.body.count, 3);
    assert_int_equal(laggards.body.generation, 5);
}

static void nothing_is_an_empty_text(void **state)
{
    (void)state;
    (void)laggards_finish(&laggards);
    assert_string_equal(laggards.text, "");
    assert_int_equal(laggards.body.count, 0);
}

/* What one that stands there for so long comes to. */
static uint64_t hash_of(const char *what, const char *place, uint64_t age_s)
{
    laggards_init(&laggards);
    laggards_count(&laggards, 7);
    laggards_add(&laggards, "request", what, place, age_s);
    return laggards_finish(&laggards);
}

static void only_the_time_does_not_make_another_report(void **state)
{
    (void)state;
    uint64_t hash = hash_of("GET /", "app.lua:3", 1);
    assert_true(hash_of("GET /", "app.lua:3", 2) == hash);
    assert_false(hash_of("GET /", "app.lua:4", 1) == hash);
    assert_false(hash_of("GET /a", "app.lua:3", 1) == hash);
    laggards_count(&laggards, 7);
    assert_false(laggards_finish(&laggards) == hash);
}

static void a_line_that_is_too_long_is_cut_and_as_many_fit_as_there_is_room_for(void **state)
{
    (void)state;
    char what[2 * LAGGARDS_LINE_MAX];
    size_t added = 0;
    memset(what, 'x', sizeof(what) - 1);
    what[sizeof(what) - 1] = '\0';
    while (laggards_has_room(&laggards)) {
        laggards_add(&laggards, "request", what, "app.lua:3", 0);
        added++;
    }
    (void)laggards_finish(&laggards);
    assert_int_equal(strlen(laggards.text), added * (LAGGARDS_LINE_MAX - 1) - 1);
    assert_true(laggards.len < PROTO_TEXT_MAX);
    assert_true(laggards.len + LAGGARDS_LINE_MAX >= PROTO_TEXT_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
    const struct CMUnitTest tests[] = {
        TEST(each_is_a_line_and_the_oldest_generation_is_named),
        TEST(nothing_is_an_empty_text),
        TEST(only_the_time_does_not_make_another_report),
        TEST(a_line_that_is_too_long_is_cut_and_as_many_fit_as_there_is_room_for),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
