#include "worker/actor/mailbox.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static lua_State *L;
static struct mailbox mailbox;

static int set_up(void **state)
{
    (void)state;
    L = luaL_newstate();
    mailbox_init(&mailbox, 100, 1000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mailbox_fini(&mailbox, L);
    assert_int_equal(lua_gettop(L), 0);
    lua_close(L);
    return 0;
}

static void push(int number)
{
    struct letter letter = {.bytes = 10, .kind = LETTER_CALL, .from = {.number = (uint64_t)number}};
    lua_pushinteger(L, number);
    mailbox_push(&mailbox, L, &letter);
}

/* The message at a position; its letter says the same. */
static int look(uint32_t position)
{
    mailbox_peek(&mailbox, L, position);
    int number = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    assert_int_equal(mailbox_letter(&mailbox, position)->from.number, number);
    return number;
}

static int take(uint32_t position)
{
    int number = look(position);
    mailbox_remove(&mailbox, L, position);
    return number;
}

static void messages_come_out_in_their_order(void **state)
{
    (void)state;
    int in = 0;
    int out = 0;
    for (int round = 0; round < 200; round++) { /* the ring turns and grows */
        for (int i = 0; i < 7; i++) {
            push(in++);
        }
        for (int i = 0; i < 6; i++) {
            assert_int_equal(take(0), out++);
        }
    }
    while (out < in) {
        assert_int_equal(take(0), out++);
    }
    assert_int_equal(mailbox.count, 0);
    assert_int_equal(mailbox.bytes, 0);
}

static void a_message_from_the_middle_leaves_the_others_in_their_order(void **state)
{
    (void)state;
    for (int turn = 0; turn < 20; turn++) { /* the head is elsewhere each time */
        for (int i = 0; i < 10; i++) {
            push(i);
        }
        assert_int_equal(take(4), 4);
        assert_int_equal(take(8), 9);
        assert_int_equal(take(0), 0);
        static const int left[] = {1, 2, 3, 5, 6, 7, 8};
        for (uint32_t i = 0; i < 7; i++) {
            assert_int_equal(look(i), left[i]);
        }
        for (uint32_t i = 0; i < 7; i++) {
            assert_int_equal(take(0), left[i]);
        }
        push(-1);
        assert_int_equal(take(0), -1);
    }
}

static void there_is_room_until_one_of_the_bounds_is_reached(void **state)
{
    (void)state;
    for (int i = 0; i < 99; i++) {
        push(i);
    }
    assert_true(mailbox_has_room(&mailbox, 10));
    assert_false(mailbox_has_room(&mailbox, 11)); /* 990 of 1000 bytes */
    push(99);
    assert_false(mailbox_has_room(&mailbox, 0)); /* 100 of 100 */
    push(100);                                   /* as a signal does */
    assert_int_equal(mailbox.count, 101);
    (void)take(0);
    (void)take(0);
    assert_true(mailbox_has_room(&mailbox, 10));
}

static void an_empty_mailbox_has_room_for_any_message(void **state)
{
    (void)state;
    assert_true(mailbox_has_room(&mailbox, 1 << 20));
    push(1);
    assert_false(mailbox_has_room(&mailbox, 1 << 20));
}

static void pass_through(int count)
{
    for (int i = 0; i < count; i++) {
        push(i);
    }
    assert_true(mailbox.capacity >= (uint32_t)count);
    for (int i = 0; i < count; i++) {
        assert_int_equal(take(0), i);
    }
}

static void a_mailbox_is_given_back_when_a_message_comes_alone(void **state)
{
    (void)state;
    assert_null(mailbox.letters);
    pass_through(1000);
    assert_int_equal(mailbox.capacity, 1024); /* as many may come again */
    pass_through(300);
    assert_int_equal(mailbox.capacity, 1024);
    pass_through(1);
    assert_null(mailbox.letters);
    assert_int_equal(mailbox.capacity, 0);
    push(5);
    assert_int_equal(take(0), 5);
    assert_int_equal(mailbox.capacity, 8); /* a small one stays */
}

static void a_very_large_mailbox_is_given_back_when_it_is_empty(void **state)
{
    (void)state;
    pass_through(5000);
    assert_null(mailbox.letters);
}

static void a_taken_message_is_not_kept_from_the_collector(void **state)
{
    (void)state;
    struct letter letter = {.bytes = 1};
    lua_newtable(L);
    const void *message = lua_topointer(L, -1);
    lua_createtable(L, 0, 1);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, 1);
    lua_rawseti(L, 2, 1);
    lua_pushvalue(L, 1);
    lua_remove(L, 1);
    mailbox_push(&mailbox, L, &letter);
    lua_gc(L, LUA_GCCOLLECT);
    lua_rawgeti(L, 1, 1);
    assert_ptr_equal(lua_topointer(L, -1), message);
    lua_pop(L, 1);
    mailbox_remove(&mailbox, L, 0);
    lua_gc(L, LUA_GCCOLLECT);
    assert_int_equal(lua_rawgeti(L, 1, 1), LUA_TNIL);
    lua_settop(L, 0);
}

/* Refuses what is as large as the ring of 16 letters, which is larger than the table of their values. */
static void *allocate_less(void *data, void *block, size_t old_bytes, size_t new_bytes)
{
    const bool *is_short = data;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    return *is_short && new_bytes == 16 * sizeof(struct letter) ? NULL : realloc(block, new_bytes);
}

static int push_nine(lua_State *state)
{
    for (int i = (int)mailbox.count; i < 9; i++) {
        struct letter letter = {.bytes = 10};
        lua_pushinteger(state, i);
        mailbox_push(&mailbox, state, &letter);
    }
    return 0;
}

static void a_ring_that_cannot_be_had_raises_and_leaves_all_as_it_was(void **state)
{
    (void)state;
    bool is_short = true;
    lua_State *other = lua_newstate(allocate_less, &is_short);
    lua_pushcfunction(other, push_nine);
    assert_int_equal(lua_pcall(other, 0, 0, 0), LUA_ERRMEM);
    assert_string_equal(lua_tostring(other, -1), "not enough memory");
    assert_int_equal(mailbox.count, 8);
    is_short = false;
    lua_pushcfunction(other, push_nine);
    assert_int_equal(lua_pcall(other, 0, 0, 0), LUA_OK);
    for (uint32_t i = 0; i < 9; i++) {
        mailbox_peek(&mailbox, other, i);
        assert_int_equal(lua_tointeger(other, -1), i);
        lua_pop(other, 1);
    }
    mailbox_fini(&mailbox, other);
    lua_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_come_out_in_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_message_from_the_middle_leaves_the_others_in_their_order,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(there_is_room_until_one_of_the_bounds_is_reached, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_empty_mailbox_has_room_for_any_message, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_mailbox_is_given_back_when_a_message_comes_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_very_large_mailbox_is_given_back_when_it_is_empty, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_taken_message_is_not_kept_from_the_collector, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_ring_that_cannot_be_had_raises_and_leaves_all_as_it_was,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
