/* Two phases: all or none, exactly one end, every event in every state. */
#include "daemon/change/phase.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TOTAL = 5, ORDERS_MAX = 64 };

/* Takes every order and keeps what was ordered. */
struct world {
    struct phase phase;
    unsigned char members[TOTAL];
    bool is_asked[TOTAL];
    bool is_killed[TOTAL];
    unsigned commits, aborts, dones;
    bool is_committed;
    char orders[ORDERS_MAX]; /* a letter each: p0 p1 C A k3 D+ D- */
};

static void write_order(struct world *world, char letter, char detail)
{
    size_t len = strlen(world->orders);
    assert_true(len + 3 < ORDERS_MAX);
    world->orders[len] = letter;
    world->orders[len + 1] = detail;
    world->orders[len + 2] = '\0';
}

static void take(struct world *world)
{
    for (;;) {
        struct phase_order order = phase_next(&world->phase);
        switch (order.action) {
        case PHASE_DO_NOTHING:
            return;
        case PHASE_PREPARE:
            assert_false(world->is_asked[order.participant]);
            world->is_asked[order.participant] = true;
            write_order(world, 'p', (char)('0' + order.participant));
            break;
        case PHASE_COMMIT_ALL:
            world->commits++;
            write_order(world, 'C', '!');
            break;
        case PHASE_ABORT_ALL:
            world->aborts++;
            write_order(world, 'A', '!');
            break;
        case PHASE_KILL:
            assert_false(world->is_killed[order.participant]);
            world->is_killed[order.participant] = true;
            write_order(world, 'k', (char)('0' + order.participant));
            break;
        case PHASE_DONE:
            world->dones++;
            world->is_committed = order.is_committed;
            write_order(world, 'D', order.is_committed ? '+' : '-');
            break;
        }
    }
}

static void begin(struct world *world, size_t parallel)
{
    *world = (struct world){.commits = 0};
    assert_int_equal(phase_begin(&world->phase, world->members, TOTAL, parallel), 0);
    take(world);
}

static void feed(struct world *world, enum phase_event event, size_t participant)
{
    phase_feed(&world->phase, event, participant);
    take(world);
}

static void feed_all(struct world *world, enum phase_event event)
{
    for (size_t i = 0; i < TOTAL; i++) {
        feed(world, event, i);
    }
}

static void assert_orders(struct world *world, const char *expected)
{
    assert_string_equal(world->orders, expected);
    world->orders[0] = '\0';
}

/* To the middle of a phase: 0 and 1 have answered, 2 and 3 are asked, 4 waits. */
static void bring_to(struct world *world, enum phase_state state)
{
    *world = (struct world){.commits = 0};
    if (state == PHASE_IDLE) {
        return;
    }
    begin(world, 2);
    if (state == PHASE_COMMITTING) {
        feed_all(world, PHASE_ON_PREPARED);
        feed(world, PHASE_ON_COMMITTED, 0);
        feed(world, PHASE_ON_COMMITTED, 1);
    } else {
        feed(world, PHASE_ON_PREPARED, 0);
        feed(world, PHASE_ON_PREPARED, 1);
    }
    if (state == PHASE_ABORTING || state == PHASE_ENDING) {
        phase_feed(&world->phase, PHASE_ON_TIMEOUT, 0);
    }
    if (state == PHASE_ENDING) {
        assert_int_equal(phase_next(&world->phase).action, PHASE_ABORT_ALL);
    }
    world->orders[0] = '\0';
    assert_int_equal(world->phase.state, state);
}

static void all_say_yes_and_all_commit(void **state)
{
    (void)state;
    struct world world;
    begin(&world, TOTAL);
    assert_orders(&world, "p0p1p2p3p4");
    feed(&world, PHASE_ON_PREPARED, 4);
    feed(&world, PHASE_ON_PREPARED, 0);
    feed(&world, PHASE_ON_PREPARED, 2);
    feed(&world, PHASE_ON_PREPARED, 1);
    assert_orders(&world, "");
    feed(&world, PHASE_ON_PREPARED, 3);
    assert_orders(&world, "C!");
    feed_all(&world, PHASE_ON_COMMITTED);
    assert_orders(&world, "D+");
    assert_int_equal(world.phase.state, PHASE_IDLE);
    assert_false(world.phase.is_cut_short);
}

static void only_so_many_prepare_at_a_time(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 2);
    assert_orders(&world, "p0p1");
    feed(&world, PHASE_ON_PREPARED, 1);
    assert_orders(&world, "p2");
    feed(&world, PHASE_ON_PREPARED, 0);
    assert_orders(&world, "p3");
    feed(&world, PHASE_ON_PREPARED, 2);
    assert_orders(&world, "p4");
    feed(&world, PHASE_ON_PREPARED, 4);
    assert_orders(&world, "");
    feed(&world, PHASE_ON_PREPARED, 3);
    assert_orders(&world, "C!");
}

static void half_of_the_cpus_prepare_but_at_least_one(void **state)
{
    (void)state;
    static const size_t rows[][2] = {{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 2}, {7, 3}, {64, 32}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(phase_get_parallel(rows[i][0]), rows[i][1]);
    }
}

static void nobody_at_all_is_all_of_them(void **state)
{
    (void)state;
    struct world world = {.commits = 0};
    assert_int_equal(phase_begin(&world.phase, NULL, 0, 1), 0);
    take(&world);
    assert_orders(&world, "C!D+");
}

static void a_second_begin_is_refused_until_the_end_was_taken(void **state)
{
    (void)state;
    for (int s = PHASE_PREPARING; s < PHASE_STATES; s++) {
        struct world world;
        bring_to(&world, (enum phase_state)s);
        struct phase before = world.phase;
        assert_int_equal(phase_begin(&world.phase, world.members, 1, 1), -EBUSY);
        assert_memory_equal(&before, &world.phase, sizeof(before));
    }
}

static void one_no_in_time_changes_nothing(void **state)
{
    (void)state;
    for (size_t bad = 0; bad < TOTAL; bad++) {
        struct world world;
        begin(&world, TOTAL);
        world.orders[0] = '\0';
        for (size_t i = 0; i < TOTAL; i++) {
            if (i != bad) {
                feed(&world, PHASE_ON_PREPARED, i);
            }
        }
        feed(&world, PHASE_ON_REFUSED, bad);
        assert_orders(&world, "A!D-");
        assert_true(world.phase.is_cut_short);
        assert_int_equal(world.phase.cause, PHASE_ON_REFUSED);
        assert_int_equal(world.phase.culprit, bad);
    }
}

static void a_loss_before_the_commit_ends_it_even_after_a_yes_or_unasked(void **state)
{
    (void)state;
    for (size_t lost = 0; lost < TOTAL; lost++) {
        struct world world;
        bring_to(&world, PHASE_PREPARING);
        feed(&world, PHASE_ON_LOST, lost);
        assert_orders(&world, "A!D-");
        assert_int_equal(world.phase.cause, PHASE_ON_LOST);
    }
}

static void who_was_asked_is_known_after_an_abort(void **state)
{
    (void)state;
    struct world world;
    bring_to(&world, PHASE_PREPARING);
    feed(&world, PHASE_ON_TIMEOUT, 0);
    for (size_t i = 0; i < TOTAL; i++) {
        assert_int_equal(phase_is_asked(&world.phase, i), world.is_asked[i]);
    }
    assert_true(world.is_asked[3]);
    assert_false(world.is_asked[4]);
    assert_false(phase_is_asked(&world.phase, TOTAL));
}

static void who_is_late_can_be_named(void **state)
{
    (void)state;
    struct world world;
    bring_to(&world, PHASE_PREPARING);
    assert_int_equal(phase_find_awaited(&world.phase, 0), 2);
    assert_int_equal(phase_find_awaited(&world.phase, 3), 3);
    assert_int_equal(phase_find_awaited(&world.phase, 4), TOTAL);
    bring_to(&world, PHASE_COMMITTING);
    assert_int_equal(phase_find_awaited(&world.phase, 0), 2);
}

static void whoever_does_not_commit_in_time_is_killed_and_it_is_done(void **state)
{
    (void)state;
    struct world world;
    bring_to(&world, PHASE_COMMITTING);
    feed(&world, PHASE_ON_COMMITTED, 3);
    feed(&world, PHASE_ON_TIMEOUT, 0);
    assert_orders(&world, "k2k4D+");
}

static void a_no_after_the_yes_is_killed_at_once(void **state)
{
    (void)state;
    struct world world;
    bring_to(&world, PHASE_COMMITTING);
    feed(&world, PHASE_ON_REFUSED, 4);
    assert_orders(&world, "k4");
    feed(&world, PHASE_ON_REFUSED, 2); /* before the last one that was late */
    assert_orders(&world, "k2");
    feed(&world, PHASE_ON_REFUSED, 1); /* has committed: nonsense */
    assert_orders(&world, "");
    feed(&world, PHASE_ON_COMMITTED, 3);
    assert_orders(&world, "D+");
}

static void a_loss_after_the_commit_counts_as_committed(void **state)
{
    (void)state;
    struct world world;
    bring_to(&world, PHASE_COMMITTING);
    feed(&world, PHASE_ON_LOST, 0); /* had committed */
    feed(&world, PHASE_ON_LOST, 2);
    feed(&world, PHASE_ON_LOST, 2);
    feed(&world, PHASE_ON_LOST, 3);
    assert_orders(&world, "");
    feed(&world, PHASE_ON_LOST, 4);
    assert_orders(&world, "D+");
}

static void one_that_is_gone_before_it_is_killed_is_not_killed(void **state)
{
    (void)state;
    struct world world;
    bring_to(&world, PHASE_COMMITTING);
    phase_feed(&world.phase, PHASE_ON_TIMEOUT, 0);
    phase_feed(&world.phase, PHASE_ON_LOST, 2);
    phase_feed(&world.phase, PHASE_ON_COMMITTED, 3);
    take(&world);
    assert_orders(&world, "k4D+");
}

static void an_answer_that_cannot_be_meant_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        enum phase_state state;
        enum phase_event event;
        size_t participant;
    } rows[] = {
        {PHASE_PREPARING, PHASE_ON_PREPARED, 0},      /* twice */
        {PHASE_PREPARING, PHASE_ON_PREPARED, 4},      /* not asked */
        {PHASE_PREPARING, PHASE_ON_PREPARED, TOTAL},  /* does not exist */
        {PHASE_PREPARING, PHASE_ON_REFUSED, TOTAL},   /* ... */
        {PHASE_PREPARING, PHASE_ON_LOST, SIZE_MAX},   /* ... */
        {PHASE_PREPARING, PHASE_ON_COMMITTED, 2},     /* not told */
        {PHASE_COMMITTING, PHASE_ON_PREPARED, 2},     /* again */
        {PHASE_COMMITTING, PHASE_ON_COMMITTED, 0},    /* twice */
        {PHASE_COMMITTING, PHASE_ON_COMMITTED, TOTAL} /* does not exist */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world world;
        bring_to(&world, rows[i].state);
        struct world before = world;
        feed(&world, rows[i].event, rows[i].participant);
        assert_memory_equal(&before.phase, &world.phase, sizeof(before.phase));
        assert_memory_equal(before.members, world.members, sizeof(before.members));
        assert_orders(&world, "");
    }
}

/* The orders after one event of participant 2, which is asked or told. */
static void every_event_in_every_state(void **state)
{
    (void)state;
    static const char *const expected[PHASE_STATES][PHASE_EVENTS] = {
        [PHASE_IDLE] = {"", "", "", "", "", ""},
        [PHASE_PREPARING] = {"p4", "A!D-", "A!D-", "", "A!D-", "A!D-"},
        [PHASE_COMMITTING] = {"", "k2", "", "", "k2k3k4D+", "D+"},
        [PHASE_ABORTING] = {"A!D-", "A!D-", "A!D-", "A!D-", "A!D-", "A!D-"},
        [PHASE_ENDING] = {"D-", "D-", "D-", "D-", "D-", "D-"},
    };
    static const bool ends[PHASE_STATES][PHASE_EVENTS] = {
        [PHASE_PREPARING] = {false, true, true, false, true, true},
        [PHASE_COMMITTING] = {false, false, false, false, true, true},
        [PHASE_ABORTING] = {true, true, true, true, true, true},
        [PHASE_ENDING] = {true, true, true, true, true, true},
    };
    for (int s = 0; s < PHASE_STATES; s++) {
        for (int e = 0; e < PHASE_EVENTS; e++) {
            struct world world;
            bring_to(&world, (enum phase_state)s);
            feed(&world, (enum phase_event)e, 2);
            assert_orders(&world, expected[s][e]);
            assert_int_equal(world.dones, ends[s][e]);
            assert_int_equal(world.phase.state,
                             world.dones > 0 || s == PHASE_IDLE ? PHASE_IDLE : s);
        }
    }
}

static unsigned draw(unsigned *random, unsigned limit)
{
    *random = *random * 1103515245U + 12345U;
    return *random / 65536 % limit;
}

/* Whatever happens, in whatever order: one DONE, committed exactly when COMMIT_ALL was ordered, which takes a yes of all. */
static void it_always_ends_once_and_whole(void **state)
{
    (void)state;
    unsigned committed = 0;
    for (unsigned seed = 0; seed < 3000; seed++) {
        unsigned random = seed;
        struct world world;
        begin(&world, 1 + draw(&random, TOTAL));
        unsigned unlucky = 2 + draw(&random, 60);
        for (int steps = 0; world.dones == 0; steps++) {
            assert_true(steps < 10000);
            world.orders[0] = '\0';
            enum phase_event event =
                draw(&random, unlucky) == 0
                    ? (enum phase_event)draw(&random, PHASE_EVENTS)
                    : (draw(&random, 2) == 0 ? PHASE_ON_PREPARED : PHASE_ON_COMMITTED);
            bool was_asked_all = world.phase.asked == TOTAL;
            feed(&world, event, draw(&random, TOTAL + 1));
            assert_true(world.commits == 0 || was_asked_all);
            assert_true(world.phase.asked - world.phase.prepared <= world.phase.parallel);
        }
        assert_int_equal(world.dones, 1);
        assert_int_equal(world.commits, world.is_committed);
        assert_int_equal(world.aborts, !world.is_committed);
        committed += world.is_committed;
    }
    assert_in_range(committed, 300, 2700); /* both ends were seen often */
}

/* 64 slots x 256 pools, all late, the orders taken one by one. */
static void the_largest_daemon_is_no_trouble(void **state)
{
    (void)state;
    enum { LARGE = 64 * 256 };
    static unsigned char members[LARGE];
    struct phase phase = {.state = PHASE_IDLE};
    assert_int_equal(phase_begin(&phase, members, LARGE, 32), 0);
    for (size_t i = 0; i < LARGE; i++) {
        assert_int_equal(phase_next(&phase).action, PHASE_PREPARE);
        phase_feed(&phase, PHASE_ON_PREPARED, i);
    }
    assert_int_equal(phase_next(&phase).action, PHASE_COMMIT_ALL);
    phase_feed(&phase, PHASE_ON_TIMEOUT, 0);
    for (size_t i = 0; i < LARGE; i++) {
        struct phase_order order = phase_next(&phase);
        assert_int_equal(order.action, PHASE_KILL);
        assert_int_equal(order.participant, i);
    }
    assert_int_equal(phase_next(&phase).action, PHASE_DONE);
    assert_int_equal(phase_next(&phase).action, PHASE_DO_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_say_yes_and_all_commit),
        cmocka_unit_test(only_so_many_prepare_at_a_time),
        cmocka_unit_test(half_of_the_cpus_prepare_but_at_least_one),
        cmocka_unit_test(nobody_at_all_is_all_of_them),
        cmocka_unit_test(a_second_begin_is_refused_until_the_end_was_taken),
        cmocka_unit_test(one_no_in_time_changes_nothing),
        cmocka_unit_test(a_loss_before_the_commit_ends_it_even_after_a_yes_or_unasked),
        cmocka_unit_test(who_was_asked_is_known_after_an_abort),
        cmocka_unit_test(who_is_late_can_be_named),
        cmocka_unit_test(whoever_does_not_commit_in_time_is_killed_and_it_is_done),
        cmocka_unit_test(a_no_after_the_yes_is_killed_at_once),
        cmocka_unit_test(a_loss_after_the_commit_counts_as_committed),
        cmocka_unit_test(one_that_is_gone_before_it_is_killed_is_not_killed),
        cmocka_unit_test(an_answer_that_cannot_be_meant_changes_nothing),
        cmocka_unit_test(every_event_in_every_state),
        cmocka_unit_test(it_always_ends_once_and_whole),
        cmocka_unit_test(the_largest_daemon_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
