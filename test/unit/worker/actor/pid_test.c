#include "worker/actor/pid.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/actor/ref.h"
#include "worker/core/runtime.h"

enum { OWN = 7 };

static struct runtime runtime;

static int set_up(void **state)
{
    (void)state;
    runtime_init(&runtime);
    runtime.incarnation = OWN;
    pid_init(runtime.L);
    ref_init(runtime.L);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    runtime_fini(&runtime);
    return 0;
}

static struct pid pid_of(uint64_t incarnation, uint32_t index, uint64_t serial)
{
    return (struct pid){.incarnation = incarnation, .index = index, .serial = serial};
}

static const void *push(struct pid pid)
{
    pid_push(runtime.L, &pid);
    return lua_topointer(runtime.L, -1);
}

static void the_same_actor_is_the_same_value(void **state)
{
    (void)state;
    const void *own = push(pid_of(OWN, 3, 30));
    const void *other = push(pid_of(OWN + 1, 3, 30));
    assert_ptr_not_equal(own, other);
    assert_ptr_equal(push(pid_of(OWN, 3, 30)), own);
    assert_ptr_equal(push(pid_of(OWN + 1, 3, 30)), other);
    assert_ptr_not_equal(push(pid_of(OWN + 1, 3, 31)), other);
    assert_ptr_equal(push((struct pid){.incarnation = OWN + 1, .index = 3, .serial = 30}), other);
    assert_ptr_not_equal(push((struct pid){OWN, 30, 1, 3}), own); /* another node */
}

static void a_pid_of_old_stays_the_same_value_when_its_place_is_used_again(void **state)
{
    (void)state;
    const void *first = push(pid_of(OWN, 1, 10));
    const void *second = push(pid_of(OWN, 1, 11));
    const void *third = push(pid_of(OWN, 1, 12));
    assert_ptr_equal(push(pid_of(OWN, 1, 10)), first);
    assert_ptr_equal(push(pid_of(OWN, 1, 11)), second);
    assert_ptr_equal(push(pid_of(OWN, 1, 12)), third);
}

static void a_pid_of_old_is_found_after_the_later_one_is_forgotten(void **state)
{
    (void)state;
    lua_State *L = runtime.L;
    const void *first = push(pid_of(OWN, 1, 10));
    (void)push(pid_of(OWN, 1, 11));
    lua_pop(L, 1);
    lua_gc(L, LUA_GCCOLLECT);
    assert_ptr_equal(push(pid_of(OWN, 1, 10)), first);
    (void)push(pid_of(OWN, 1, 11));
    assert_ptr_equal(push(pid_of(OWN, 1, 10)), first);
}

static void pids_that_nobody_holds_are_collected(void **state)
{
    (void)state;
    lua_State *L = runtime.L;
    for (uint32_t i = 1; i <= 5000; i++) {
        (void)push(pid_of(OWN, i, i));
        (void)push(pid_of(OWN + 1, i, i));
        lua_settop(L, 0);
    }
    lua_gc(L, LUA_GCCOLLECT);
    int with_tables_kb = lua_gc(L, LUA_GCCOUNT);
    assert_true(with_tables_kb < 1000); /* 10,000 userdata alone are more than 600 KB */
}

static void only_pids_pass_the_test(void **state)
{
    (void)state;
    lua_State *L = runtime.L;
    struct pid pid = pid_of(OWN, 2, 20);
    pid_push(L, &pid);
    assert_true(pid_equal(pid_test(L, -1), &pid));
    struct ref ref = {.incarnation = OWN, .number = 20};
    (void)ref_push(L, &ref);
    memset(lua_newuserdatauv(L, lua_rawlen(L, 1), 0), 0, lua_rawlen(L, 1));
    lua_pushlightuserdata(L, &pid);
    lua_pushnil(L);
    lua_pushliteral(L, "<0.7.2.20>");
    for (int i = 2; i <= lua_gettop(L); i++) {
        assert_null(pid_test(L, i));
    }
    assert_null(pid_test(L, lua_gettop(L) + 1));
}

static void a_pid_says_in_words_what_it_is(void **state)
{
    (void)state;
    lua_State *L = runtime.L;
    (void)push(pid_of(OWN, 2, 20));
    assert_string_equal(luaL_tolstring(L, -1, NULL), "<0.7.2.20>");
    struct pid largest = {UINT64_MAX, UINT64_MAX, UINT32_MAX, UINT32_MAX};
    (void)push(largest);
    assert_string_equal(luaL_tolstring(L, -1, NULL),
                        "<4294967295.18446744073709551615.4294967295.18446744073709551615>");
}

static void refs_of_the_same_number_are_equal_though_not_the_same_value(void **state)
{
    (void)state;
    lua_State *L = runtime.L;
    struct ref ref = {.incarnation = OWN, .number = 5};
    struct ref other = {.incarnation = OWN + 1, .number = 5};
    (void)ref_push(L, &ref);
    (void)ref_push(L, &ref);
    (void)ref_push(L, &other);
    assert_false(lua_rawequal(L, 1, 2));
    assert_true(lua_compare(L, 1, 2, LUA_OPEQ));
    assert_false(lua_compare(L, 1, 3, LUA_OPEQ));
    assert_string_equal(luaL_tolstring(L, 1, NULL), "#ref<0.7.5>");
    const void *mark = ref_mark(L);
    assert_int_equal(ref_test(L, 1, mark)->ref.number, 5);
    assert_null(ref_test(L, -1, mark));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_actor_is_the_same_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_pid_of_old_stays_the_same_value_when_its_place_is_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pid_of_old_is_found_after_the_later_one_is_forgotten,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(pids_that_nobody_holds_are_collected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_pids_pass_the_test, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pid_says_in_words_what_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refs_of_the_same_number_are_equal_though_not_the_same_value,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
