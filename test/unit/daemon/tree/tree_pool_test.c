/* The life of a pool in the tree: every state with every event. */
#include "daemon/tree/tree_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Two letters an event: the next state, and what is done (small letters: an order; T: somebody is told; '-': nothing). */
static const char *const expected[TREE_POOL_STATES][TREE_POOL_EVENTS] = {
    /*                      wait  start  hold  stop  up    gave up  down */
    [TREE_POOL_DOWN] = {"WT", "Ss", "Hh", "DT", NULL, NULL, NULL},
    [TREE_POOL_WAITING] = {NULL, "Ss", "Hh", "DT", NULL, NULL, NULL},
    [TREE_POOL_STARTING] = {NULL, "S-", NULL, "Ex", "UT", "HT", NULL},
    [TREE_POOL_UP] = {NULL, "UT", NULL, "Ex", "U-", "HT", NULL},
    [TREE_POOL_HELD] = {NULL, "HT", "HT", "Ex", "UT", "H-", NULL},
    [TREE_POOL_STOPPING] = {NULL, NULL, NULL, "E-", "E-", "ER", "DT"},
};
static const char states[] = "DWSUHE";
static const char actions[] = "-shxTTTTTR";

static void every_pair_goes_where_it_should(void **state)
{
    (void)state;
    for (int s = 0; s < TREE_POOL_STATES; s++) {
        for (int e = 0; e < TREE_POOL_EVENTS; e++) {
            const struct tree_pool_row *row =
                tree_pool_find((enum tree_pool_state)s, (enum tree_pool_event)e);
            const char *wanted = expected[s][e];
            if ((row == NULL) != (wanted == NULL)) {
                print_error("%s + %s\n", tree_pool_state_name((enum tree_pool_state)s),
                            tree_pool_event_name((enum tree_pool_event)e));
            }
            assert_int_equal(row == NULL, wanted == NULL);
            if (row != NULL) {
                assert_int_equal(states[row->next], wanted[0]);
                assert_int_equal(actions[row->action], wanted[1]);
            }
        }
    }
}

static void news_never_order_anything(void **state)
{
    (void)state;
    for (int s = 0; s < TREE_POOL_STATES; s++) {
        for (int e = TREE_POOL_ON_UP; e < TREE_POOL_EVENTS; e++) {
            const struct tree_pool_row *row =
                tree_pool_find((enum tree_pool_state)s, (enum tree_pool_event)e);
            if (row != NULL) {
                assert_true(row->action != TREE_POOL_ORDER_START &&
                            row->action != TREE_POOL_ORDER_HOLD &&
                            row->action != TREE_POOL_ORDER_STOP);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_goes_where_it_should),
        cmocka_unit_test(news_never_order_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
