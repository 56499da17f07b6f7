/* The life of a supervised child: every state with every event, and the lists that a child is in. */
#include "common/supervise_child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/supervise.h"

/* One letter an event, in the order of enum supervise_event: '.' must not happen, otherwise the next state. */
static const char letters[] = "AISLRGFDTOK";
static const char *const expected[SUPERVISE_STATES] = {
    /* add, remove, start, stop, kill, settle, retry, delayed, started, ignored, failed, exited */
    [SUPERVISE_ABSENT] = "I...........",   [SUPERVISE_IDLE] = ".AS..I......",
    [SUPERVISE_STARTING] = "...OK..LRGFF", [SUPERVISE_DELAYED] = "...OK..LRGFF",
    [SUPERVISE_RUNNING] = "...OK......D",  [SUPERVISE_IGNORED] = ".....I......",
    [SUPERVISE_FAILED] = ".....IT.....",   [SUPERVISE_DIED] = ".....I......",
    [SUPERVISE_RETRYING] = ".....I......", [SUPERVISE_STOPPING] = "....K..OOIII",
    [SUPERVISE_KILLING] = ".......KKIII",
};

static void every_pair_goes_where_it_should(void **state)
{
    (void)state;
    for (int s = 0; s < SUPERVISE_STATES; s++) {
        for (int e = 0; e < SUPERVISE_EVENTS; e++) {
            const struct supervise_row *row =
                supervise_child_find((enum supervise_state)s, (enum supervise_event)e);
            char found = '.';
            if (row != NULL) {
                found = letters[row->next];
            }
            if (found != expected[s][e]) {
                print_error(
                    "%s + %s: %c, not %c\n", supervise_child_state_name((enum supervise_state)s),
                    supervise_child_event_name((enum supervise_event)e), found, expected[s][e]);
            }
            assert_int_equal(found, expected[s][e]);
        }
    }
}

static bool is_specified(enum supervise_state state)
{
    return state != SUPERVISE_ABSENT;
}

static bool is_queued(enum supervise_state state)
{
    return state == SUPERVISE_DIED || state == SUPERVISE_RETRYING;
}

static void a_child_is_in_the_lists_of_its_state(void **state)
{
    (void)state;
    for (int s = 0; s < SUPERVISE_STATES; s++) {
        for (int e = 0; e < SUPERVISE_EVENTS; e++) {
            const struct supervise_row *row =
                supervise_child_find((enum supervise_state)s, (enum supervise_event)e);
            if (row == NULL) {
                continue;
            }
            assert_int_equal(is_specified(row->next) - is_specified(row->state),
                             (row->effect == SUPERVISE_DO_JOIN) -
                                 (row->effect == SUPERVISE_DO_LEAVE));
            assert_int_equal(is_queued(row->next) - is_queued(row->state),
                             (row->effect == SUPERVISE_DO_QUEUE) -
                                 (row->effect == SUPERVISE_DO_UNQUEUE));
        }
    }
}

enum { CHILDREN = 4 };

static void set_up(struct supervise *supervise, struct supervise_child children[CHILDREN])
{
    const struct supervise_flags flags = {.period_ms = 1,
                                          .auto_shutdown = SUPERVISE_ANY_SIGNIFICANT};
    supervise_init(supervise, &flags, children, CHILDREN, NULL);
    for (uint32_t id = 0; id < CHILDREN; id++) {
        const struct supervise_spec spec = {.restart = SUPERVISE_TRANSIENT,
                                            .is_significant = id % 2 == 0};
        assert_int_equal(supervise_add(supervise, id, &spec), 0);
    }
}

static void step(struct supervise *supervise, uint32_t id, enum supervise_event event)
{
    assert_true(supervise_child_step(supervise, id, event));
}

static void a_pair_without_a_row_changes_nothing(void **state)
{
    (void)state;
    struct supervise_child children[CHILDREN] = {0};
    struct supervise supervise;
    set_up(&supervise, children);
    assert_false(supervise_child_step(&supervise, 0, SUPERVISE_ON_STARTED));
    assert_int_equal(children[0].state, SUPERVISE_IDLE);
    assert_int_equal(supervise.active, 0);
}

static void those_that_are_not_idle_are_counted(void **state)
{
    (void)state;
    struct supervise_child children[CHILDREN] = {0};
    struct supervise supervise;
    set_up(&supervise, children);
    for (uint32_t id = 0; id < CHILDREN; id++) {
        step(&supervise, id, SUPERVISE_START);
        step(&supervise, id, SUPERVISE_ON_STARTED);
    }
    assert_int_equal(supervise.active, CHILDREN);
    assert_int_equal(supervise.significant, CHILDREN / 2);
    step(&supervise, 0, SUPERVISE_ON_EXITED);
    assert_int_equal(supervise.significant, CHILDREN / 2);
    step(&supervise, 0, SUPERVISE_SETTLE);
    step(&supervise, 1, SUPERVISE_STOP);
    step(&supervise, 1, SUPERVISE_ON_EXITED);
    assert_int_equal(supervise.active, CHILDREN - 2);
    assert_int_equal(supervise.significant, CHILDREN / 2 - 1);
}

/* The ids of a list, first to last, and back, as a number of decimal digits each way. */
static void check_list(const struct supervise_list *list, const struct supervise_child *children,
                       unsigned forwards)
{
    unsigned found = 0;
    for (uint32_t id = list->first; id != SUPERVISE_NONE;
         id = children[id].links[list->kind].next) {
        found = found * 10 + id + 1;
    }
    assert_int_equal(found, forwards);
    for (uint32_t id = list->last; id != SUPERVISE_NONE;
         id = children[id].links[list->kind].previous) {
        assert_int_equal(found % 10, id + 1);
        found /= 10;
    }
    assert_int_equal(found, 0);
}

static void lists_keep_their_order(void **state)
{
    (void)state;
    struct supervise_child children[CHILDREN] = {0};
    struct supervise_list list;
    supervise_list_init(&list, SUPERVISE_QUEUE);
    check_list(&list, children, 0);
    supervise_list_append(&list, children, 2);
    check_list(&list, children, 3);
    supervise_list_append(&list, children, 0);
    supervise_list_append(&list, children, 3);
    supervise_list_append(&list, children, 1);
    check_list(&list, children, 3142);
    supervise_list_remove(&list, children, 0);
    check_list(&list, children, 342);
    supervise_list_remove(&list, children, 2);
    check_list(&list, children, 42);
    supervise_list_remove(&list, children, 1);
    check_list(&list, children, 4);
    supervise_list_remove(&list, children, 3);
    check_list(&list, children, 0);
}

static void every_state_and_event_has_a_name(void **state)
{
    (void)state;
    for (int s = 0; s < SUPERVISE_STATES; s++) {
        assert_true(supervise_child_state_name((enum supervise_state)s)[0] != '\0');
    }
    for (int e = 0; e < SUPERVISE_EVENTS; e++) {
        assert_true(supervise_child_event_name((enum supervise_event)e)[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_goes_where_it_should),
        cmocka_unit_test(a_child_is_in_the_lists_of_its_state),
        cmocka_unit_test(a_pair_without_a_row_changes_nothing),
        cmocka_unit_test(those_that_are_not_idle_are_counted),
        cmocka_unit_test(lists_keep_their_order),
        cmocka_unit_test(every_state_and_event_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
