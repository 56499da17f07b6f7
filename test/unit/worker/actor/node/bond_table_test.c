#include "worker/actor/node/bond_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "worker/actor/actor.h"

enum { MANY = 2000 };

static struct bond_table table;
static struct actor one = {.serial = 1};
static struct actor other = {.serial = 2};
static struct bond bonds[MANY];
static struct bond_far fars[MANY];
static unsigned used;

static int set_up(void **state)
{
    (void)state;
    table = (struct bond_table){0};
    used = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    bond_table_fini(&table);
    return 0;
}

static struct pid far_pid(uint64_t serial)
{
    return (struct pid){.incarnation = 9, .index = (uint32_t)serial, .serial = serial};
}

static struct bond *add(struct actor *owner, enum bond_kind kind, uint64_t serial, uint64_t number)
{
    struct bond *bond = &bonds[used];
    fars[used] = (struct bond_far){.other = far_pid(serial), .number = number};
    *bond = (struct bond){.kind = kind, .owner = owner, .far = &fars[used]};
    used++;
    bond_table_add(&table, bond);
    return bond;
}

static struct bond *find_link(const struct actor *owner, uint64_t serial)
{
    struct pid pid = far_pid(serial);
    return bond_table_find_link(&table, owner, &pid);
}

static void an_empty_table_finds_nothing(void **state)
{
    (void)state;
    assert_null(find_link(&one, 1));
    assert_null(bond_table_find_monitor(&table, &one, BOND_WATCHES, 1));
    assert_null(bond_table_first(&table));
}

static void a_link_is_found_by_both_ends(void **state)
{
    (void)state;
    struct bond *link = add(&one, BOND_LINK, 5, 0);
    assert_ptr_equal(find_link(&one, 5), link);
    assert_null(find_link(&other, 5));
    assert_null(find_link(&one, 6));
    const struct pid successor = {.incarnation = 9, .index = 5, .serial = 6};
    assert_null(bond_table_find_link(&table, &one, &successor));
}

/* The numbers are those of whoever monitors: both workers may use the same one. */
static void a_monitor_is_found_by_its_number_its_end_and_its_actor(void **state)
{
    (void)state;
    struct bond *watches = add(&one, BOND_WATCHES, 5, 3);
    struct bond *watched = add(&one, BOND_WATCHED, 5, 3);
    struct bond *another = add(&other, BOND_WATCHED, 5, 3);
    assert_ptr_equal(bond_table_find_monitor(&table, &one, BOND_WATCHES, 3), watches);
    assert_ptr_equal(bond_table_find_monitor(&table, &one, BOND_WATCHED, 3), watched);
    assert_ptr_equal(bond_table_find_monitor(&table, &other, BOND_WATCHED, 3), another);
    assert_null(bond_table_find_monitor(&table, &other, BOND_WATCHES, 3));
    assert_null(bond_table_find_monitor(&table, &one, BOND_WATCHES, 5));
    assert_null(find_link(&one, 5));
}

static void many_are_found_however_the_table_grows(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < MANY; i++) {
        (void)add(i % 2 == 0 ? &one : &other, i % 3 == 0 ? BOND_LINK : BOND_WATCHES, i, i * 2 + 1);
    }
    assert_int_equal(table.count, MANY);
    for (uint64_t i = 0; i < MANY; i++) {
        struct actor *owner = i % 2 == 0 ? &one : &other;
        assert_ptr_equal(i % 3 == 0
                             ? find_link(owner, i)
                             : bond_table_find_monitor(&table, owner, BOND_WATCHES, i * 2 + 1),
                         &bonds[i]);
    }
}

static void what_is_removed_is_not_found_and_the_others_are(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < MANY; i++) {
        (void)add(&one, BOND_WATCHES, i, i);
    }
    for (uint64_t i = 0; i < MANY; i += 2) {
        bond_table_remove(&bonds[i]);
    }
    assert_int_equal(table.count, MANY / 2);
    for (uint64_t i = 0; i < MANY; i++) {
        assert_ptr_equal(bond_table_find_monitor(&table, &one, BOND_WATCHES, i),
                         i % 2 == 0 ? NULL : &bonds[i]);
    }
}

static void all_can_be_taken_one_after_the_other(void **state)
{
    (void)state;
    unsigned taken = 0;
    for (uint64_t i = 0; i < MANY; i++) {
        (void)add(&one, BOND_LINK, i, 0);
    }
    for (struct bond *bond = NULL; (bond = bond_table_first(&table)) != NULL; taken++) {
        bond_table_remove(bond);
    }
    assert_int_equal(taken, MANY);
    assert_int_equal(table.count, 0);
}

static void one_that_is_added_while_all_are_taken_is_taken_too(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        (void)add(&one, BOND_LINK, i, 0);
    }
    for (int i = 0; i < 99; i++) {
        bond_table_remove(bond_table_first(&table));
    }
    for (uint64_t i = 0; i < 50; i++) { /* before the place that was reached, some of them */
        (void)add(&other, BOND_LINK, i, 0);
    }
    for (int i = 0; i < 51; i++) {
        bond_table_remove(bond_table_first(&table));
    }
    assert_null(bond_table_first(&table));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_table_finds_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_is_found_by_both_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_monitor_is_found_by_its_number_its_end_and_its_actor,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_are_found_however_the_table_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_removed_is_not_found_and_the_others_are, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(all_can_be_taken_one_after_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_added_while_all_are_taken_is_taken_too, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
