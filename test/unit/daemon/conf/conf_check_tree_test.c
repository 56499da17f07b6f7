#include "daemon/conf/conf_check_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test/support/bound.h"

#define POOLS                                                                                      \
    "apps: { a: { path: /a.lua } }\n"                                                              \
    "pools: { web: { app: a }, jobs: { app: a }, db: { app: a } }\n"

/* Binds and checks; expected is a part of the printed problems, NULL: there are none. */
static void check(const char *text, size_t errors, const char *expected)
{
    struct bound bound;

    bound_init(&bound, text);
    problems_assert_none(&bound.list);
    conf_check_tree(bound.conf, bound.root, &bound.list);
    if (expected == NULL) {
        problems_assert_none(&bound.list);
    } else {
        problems_assert_contains(&bound.list, expected);
    }
    assert_int_equal(bound.list.errors, errors);
    bound_fini(&bound);
}

static void a_tree_of_any_depth_is_good(void **state)
{
    (void)state;
    check(POOLS, 0, NULL);
    check(POOLS "supervisors: { s: { children: [web, t] }, t: { children: [u] },\n"
                "  u: { children: [db], after: [jobs] } }\n",
          0, NULL);
}

static void waiting_in_an_order_is_good(void **state)
{
    (void)state;
    check("apps: { a: { path: /a.lua } }\n"
          "pools: { web: { app: a, after: [db, s] }, db: { app: a }, jobs: { app: a, after: [db] } "
          "}\nsupervisors: { s: { children: [jobs], after: [db] } }\n",
          0, NULL);
    /* A child may wait for its sibling. */
    check("apps: { a: { path: /a.lua } }\n"
          "pools: { web: { app: a, after: [db] }, db: { app: a } }\n"
          "supervisors: { s: { children: [web, db] } }\n",
          0, NULL);
}

static void a_name_is_a_pool_or_a_supervisor(void **state)
{
    (void)state;
    check(POOLS "supervisors: { s: { children: [jobs] }, web: { children: [db] } }\n", 1,
          "t.yaml:3:41: error: supervisors.web has the name of a pool, which is at "
          "/etc/fsd/t.yaml:2:10\n");
}

static void a_child_has_one_parent(void **state)
{
    (void)state;
    check(POOLS "supervisors: { s: { children: [web, jobs] }, t: { children: [db, web] } }\n", 1,
          "t.yaml:3:66: error: supervisors.t: \"web\" is a child of supervisors.s already, at "
          "/etc/fsd/t.yaml:3:16\n");
    /* The circle that comes with it is not looked for. */
    check(POOLS "supervisors: { s: { children: [u] }, t: { children: [u] }, u: { children: [t] } "
                "}\n",
          1, "\"u\" is a child of supervisors.s already");
}

static void nothing_is_its_own_child(void **state)
{
    (void)state;
    check(POOLS "supervisors: { s: { children: [s] } }\n", 1,
          "t.yaml:3:21: error: supervisors.s is among its own children: s -> s\n");
    check(POOLS "supervisors: { x: { children: [s] }, s: { children: [t, web] },\n"
                "  t: { children: [u] }, u: { children: [v] }, v: { children: [jobs] } }\n",
          0, NULL);
    check(POOLS "supervisors: { s: { children: [t, web] },\n"
                "  t: { children: [u] }, u: { children: [s] }, v: { children: [jobs] } }\n",
          1, "t.yaml:3:21: error: supervisors.s is among its own children: s -> t -> u -> s\n");
    check(POOLS "supervisors: { s: { children: [s] }, t: { children: [u] }, u: { children: [t] } "
                "}\n",
          2, "supervisors.t is among its own children: t -> u -> t\n");
}

static void nothing_waits_for_itself(void **state)
{
    static const char *const rows[][2] = {
        {"pools: { web: { app: a, after: [web] } }\n",
         "t.yaml:2:33: error: pools.web would wait for itself: web -> web\n"},
        {"pools: { web: { app: a, after: [db] }, db: { app: a, after: [web] } }\n",
         "t.yaml:2:33: error: pools.web would wait for itself: web -> db -> web\n"},
        {"pools: { x: { app: a, after: [web] }, web: { app: a, after: [db] },\n"
         "  db: { app: a, after: [jobs] }, jobs: { app: a, after: [web] } }\n",
         "t.yaml:2:62: error: pools.web would wait for itself: web -> db -> jobs -> web\n"},
        /* A supervisor serves when its children do. */
        {"pools: { web: { app: a } }\nsupervisors: { s: { children: [web], after: [web] } }\n",
         "t.yaml:3:46: error: supervisors.s would wait for itself: s -> web -> s\n"},
        {"pools: { web: { app: a, after: [s] } }\nsupervisors: { s: { children: [web] } }\n",
         "t.yaml:2:33: error: pools.web would wait for itself: web -> s -> web\n"},
        {"pools: { web: { app: a }, db: { app: a, after: [s] } }\n"
         "supervisors: { s: { children: [web], after: [t] }, t: { children: [db] } }\n",
         "t.yaml:3:46: error: supervisors.s would wait for itself: s -> t -> db -> s\n"},
        {"pools: { web: { app: a } }\n"
         "supervisors: { s: { children: [web], after: [s] } }\n",
         "t.yaml:3:46: error: supervisors.s would wait for itself: s -> s\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), "apps: { a: { path: /a.lua } }\n%s", rows[i][0]);
        check(text, 1, rows[i][1]);
    }
}

static void nothing_at_all_is_no_problem(void **state)
{
    struct conf conf = {0};
    struct problem_list list;

    (void)state;
    problem_list_init(&list);
    conf_check_tree(&conf, NULL, &list);
    problems_assert_none(&list);
    problem_list_fini(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_of_any_depth_is_good),
        cmocka_unit_test(waiting_in_an_order_is_good),
        cmocka_unit_test(a_name_is_a_pool_or_a_supervisor),
        cmocka_unit_test(a_child_has_one_parent),
        cmocka_unit_test(nothing_is_its_own_child),
        cmocka_unit_test(nothing_waits_for_itself),
        cmocka_unit_test(nothing_at_all_is_no_problem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
