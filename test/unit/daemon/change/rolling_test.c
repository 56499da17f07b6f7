/* A rolling restart: to the end, back from every place, and through random misfortune. */
#include "daemon/change/rolling.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { TOTAL = 5, OLD = 1, NEW = 2 };

/* What the orders have made of the slots. */
struct world {
    struct rolling rolling;
    int generation[TOTAL];
    bool is_done;
    bool is_committed;
    struct rolling_order order;
};

static void world_init(struct world *world)
{
    *world = (struct world){.rolling = {.total = TOTAL}};
    for (size_t i = 0; i < TOTAL; i++) {
        world->generation[i] = OLD;
    }
}

static void feed(struct world *world, enum rolling_event event, size_t slot)
{
    struct rolling_order order = rolling_step(&world->rolling, event, slot);
    if (order.action == ROLLING_DO_NOTHING) {
        return;
    }
    world->order = order;
    world->is_done = order.action == ROLLING_COMMIT || order.action == ROLLING_ABORT;
    world->is_committed = order.action == ROLLING_COMMIT;
}

/* The slot that is on its way gets there. */
static void arrive(struct world *world)
{
    size_t slot = world->order.slot;
    world->generation[slot] = world->order.action == ROLLING_MOVE ? NEW : OLD;
    feed(world, ROLLING_ON_SLOT_READY, slot);
}

static void begin(struct world *world)
{
    world_init(world);
    feed(world, ROLLING_ON_START, 0);
    assert_int_equal(world->order.action, ROLLING_LOAD);
    feed(world, ROLLING_ON_LOADED, 0);
}

static void assert_all(const struct world *world, int generation)
{
    for (size_t i = 0; i < TOTAL; i++) {
        assert_int_equal(world->generation[i], generation);
    }
}

static void all_slots_move_one_after_another(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    for (size_t i = 0; i < TOTAL; i++) {
        assert_int_equal(world.order.action, ROLLING_MOVE);
        assert_int_equal(world.order.slot, i);
        arrive(&world);
    }
    assert_true(world.is_committed);
    assert_int_equal(world.rolling.state, ROLLING_IDLE);
    assert_all(&world, NEW);
}

static void code_that_cannot_be_bundled_changes_nothing(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    feed(&world, ROLLING_ON_START, 0);
    feed(&world, ROLLING_ON_LOAD_FAILED, 0);
    assert_int_equal(world.order.action, ROLLING_ABORT);
    assert_all(&world, OLD);
}

static void a_failure_at_any_slot_moves_all_back(void **state)
{
    (void)state;
    for (size_t bad = 0; bad < TOTAL; bad++) {
        struct world world;
        begin(&world);
        for (size_t i = 0; i < bad; i++) {
            arrive(&world);
        }
        feed(&world, ROLLING_ON_SLOT_FAILED, bad);
        size_t moved = bad;
        while (!world.is_done) {
            assert_int_equal(world.order.action, ROLLING_MOVE_BACK);
            assert_int_equal(world.order.slot, --moved);
            arrive(&world);
        }
        assert_int_equal(moved, 0);
        assert_false(world.is_committed);
        assert_all(&world, OLD);
    }
}

static void a_moved_slot_that_loses_its_new_worker_turns_it_all_back(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    arrive(&world);
    arrive(&world); /* slot 2 is on its way now */
    feed(&world, ROLLING_ON_SLOT_DIED, 1);
    assert_int_equal(world.order.action, ROLLING_MOVE_BACK);
    assert_int_equal(world.order.slot, 2);
    while (!world.is_done) {
        arrive(&world);
    }
    assert_false(world.is_committed);
    assert_all(&world, OLD);
}

static void slots_that_are_not_at_stake_may_do_what_they_like(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    arrive(&world);
    struct rolling before = world.rolling;
    for (size_t slot = 2; slot < TOTAL; slot++) {
        feed(&world, ROLLING_ON_SLOT_DIED, slot);
        feed(&world, ROLLING_ON_SLOT_READY, slot);
        feed(&world, ROLLING_ON_SLOT_FAILED, slot);
    }
    feed(&world, ROLLING_ON_SLOT_DIED, 1); /* the old worker of the one on its way */
    feed(&world, ROLLING_ON_SLOT_FAILED, 0);
    assert_memory_equal(&before, &world.rolling, sizeof(before));
}

static void a_slot_that_cannot_be_moved_back_does_not_keep_the_others(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    arrive(&world);
    arrive(&world);
    arrive(&world);
    feed(&world, ROLLING_ON_SLOT_FAILED, 3);
    feed(&world, ROLLING_ON_SLOT_FAILED, 2);
    while (!world.is_done) {
        arrive(&world);
    }
    assert_int_equal(world.generation[2], NEW);
    assert_int_equal(world.generation[1], OLD);
    assert_int_equal(world.generation[0], OLD);
}

static void a_stop_ends_it_in_every_state(void **state)
{
    (void)state;
    for (int s = 0; s < ROLLING_STATES; s++) {
        struct rolling rolling = {.state = (enum rolling_state)s, .total = TOTAL, .at = 1};
        assert_int_equal(rolling_step(&rolling, ROLLING_ON_STOP, 0).action, ROLLING_DO_NOTHING);
        assert_int_equal(rolling.state, ROLLING_IDLE);
    }
}

static void every_event_is_taken_in_every_state(void **state)
{
    (void)state;
    for (int s = 0; s < ROLLING_STATES; s++) {
        for (int e = 0; e < ROLLING_EVENTS; e++) {
            for (size_t slot = 0; slot < TOTAL; slot++) {
                struct rolling rolling = {.state = (enum rolling_state)s, .total = TOTAL, .at = 2};
                struct rolling_order order = rolling_step(&rolling, (enum rolling_event)e, slot);
                assert_true(order.slot < TOTAL);
                assert_true(rolling.at < TOTAL || rolling.state == ROLLING_IDLE);
            }
        }
    }
}

static unsigned draw(unsigned *random, unsigned limit)
{
    *random = *random * 1103515245U + 12345U;
    return *random / 65536 % limit;
}

/* Every order ends in ready or failed; anything may happen to other slots meanwhile.  A slot that dies gets the running
 * generation, which is the old one until the end. */
static void it_always_ends_with_all_slots_alike(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 2000; seed++) {
        unsigned random = seed;
        struct world world;
        begin(&world);
        int steps = 0;
        while (!world.is_done) {
            assert_true(++steps < 1000);
            size_t slot = world.order.slot;
            size_t other = draw(&random, TOTAL);
            unsigned what = draw(&random, 20);
            if (what == 0 && world.order.action == ROLLING_MOVE) {
                feed(&world, ROLLING_ON_SLOT_FAILED, slot);
            } else if (what == 1 && other != slot) {
                world.generation[other] = OLD;
                feed(&world, ROLLING_ON_SLOT_DIED, other);
            } else {
                arrive(&world);
            }
        }
        assert_all(&world, world.is_committed ? NEW : OLD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_slots_move_one_after_another),
        cmocka_unit_test(code_that_cannot_be_bundled_changes_nothing),
        cmocka_unit_test(a_failure_at_any_slot_moves_all_back),
        cmocka_unit_test(a_moved_slot_that_loses_its_new_worker_turns_it_all_back),
        cmocka_unit_test(slots_that_are_not_at_stake_may_do_what_they_like),
        cmocka_unit_test(a_slot_that_cannot_be_moved_back_does_not_keep_the_others),
        cmocka_unit_test(a_stop_ends_it_in_every_state),
        cmocka_unit_test(every_event_is_taken_in_every_state),
        cmocka_unit_test(it_always_ends_with_all_slots_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
