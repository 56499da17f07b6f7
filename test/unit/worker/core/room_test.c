/* Long strings in memory that has been got before: where they end up, who runs meanwhile, and what is freed. */
#include "worker/core/room.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "test/support/lua_aside.h"
#include "worker/core/collector.h"
#include "worker/core/heap.h"
#include "worker/core/stdlib/breath.h"

enum { LEN = 8 * 1024 * 1024 };

static struct heap heap;
static char *bytes; /* LEN of them */
static unsigned lent;

static void on_tight(struct heap *tight)
{
    (void)tight;
}

/* The context is the length; the room is on the top. */
static int push_text(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    room_lend(L, -1);
    char **block = heap.lent;
    const char *prepared = block == NULL ? NULL : *block;
    size_t owed_kb = collector_push_text(L, bytes, (size_t)context);
    if (prepared != NULL) {
        uintptr_t distance = (uintptr_t)lua_tostring(L, -1) - (uintptr_t)prepared;
        assert_true(distance < HEAP_LENT_SPARE);
        assert_null(*block); /* it is the string's now */
        assert_null(heap.lent);
        lent++;
    }
    return collector_settle(L, owed_kb, 1);
}

/* text(len) -> string */
static int text(lua_State *L)
{
    return room_prepare(L, (size_t)luaL_checkinteger(L, 1), luaL_checkinteger(L, 1), push_text);
}

static int raise_lent(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    room_lend(L, -1);
    return luaL_error(L, "raised");
}

/* fail(len): raises an error with its room lent */
static int refuse(lua_State *L)
{
    return room_prepare(L, (size_t)luaL_checkinteger(L, 1), 0, raise_lent);
}

static int join(lua_State *L)
{
    return room_join(L, lua_gettop(L));
}

static void open_into(lua_State *L)
{
    luaL_openlibs(L);
    breath_open(L);
    lua_register(L, "text", text);
    lua_register(L, "fail", refuse);
    lua_register(L, "join", join);
    bytes = malloc(LEN);
    assert_non_null(bytes);
    for (size_t i = 0; i < LEN; i++) {
        bytes[i] = (char)('a' + i % 23);
    }
    lent = 0;
}

static lua_State *open_state(void)
{
    heap_init(&heap, on_tight);
    lua_State *L = lua_newstate(heap_allocate, &heap);
    assert_non_null(L);
    open_into(L);
    return L;
}

static void close_state(lua_State *L)
{
    lua_close(L);
    heap_fini(&heap); /* asserts that nothing is left */
    free(bytes);
}

static void a_long_string_is_made_in_the_memory_that_was_prepared(void **state)
{
    (void)state;
    lua_State *L = open_state();
    assert_int_equal(luaL_dostring(L, "return text(8 * 1024 * 1024)"), LUA_OK);
    assert_int_equal(lent, 1);
    assert_int_equal(lua_rawlen(L, -1), LEN);
    assert_memory_equal(lua_tostring(L, -1), bytes, LEN);
    assert_true(heap.used_bytes > LEN && heap.used_bytes < LEN + LEN / 2);
    close_state(L);
}

static void nothing_is_prepared_for_a_short_one(void **state)
{
    (void)state;
    lua_State *L = open_state();
    (void)aside_run(L, "assert(text(0) == '' and text(3) == 'abc' and #text(100000) == 100000)");
    assert_int_equal(lent, 0);
    close_state(L);
}

static void others_run_while_memory_is_got(void **state)
{
    (void)state;
    lua_State *L = open_state();
    (void)lua_gc(L, LUA_GCSTOP); /* nothing is paid */
    unsigned little = aside_run(L, "text(100000)");
    assert_true(aside_run(L, "text(8 * 1024 * 1024)") >= little + 15);
    close_state(L);
}

static void room_that_is_not_used_is_freed(void **state)
{
    (void)state;
    lua_State *L = open_state();
    (void)aside_run(L, "for _ = 1, 3 do assert(not pcall(fail, 8 * 1024 * 1024)) end");
    (void)lua_gc(L, LUA_GCCOLLECT);
    assert_null(heap.lent);
    (void)aside_run(L, "assert(#text(8 * 1024 * 1024) == 8 * 1024 * 1024)");
    (void)aside_run(L, "assert(not pcall(fail, 8 * 1024 * 1024))");
    close_state(L); /* the sanitizer sees what is lost */
}

static void a_coroutine_that_ends_meanwhile_loses_nothing(void **state)
{
    (void)state;
    lua_State *L = open_state();
    lua_State *thread = aside_load(L, "return text(8 * 1024 * 1024)");
    for (int i = 0; i < 10; i++) { /* amid its pieces */
        assert_true(aside_step(L, thread));
    }
    assert_int_equal(lua_resetthread(thread), LUA_OK);
    assert_int_equal(lent, 0);
    lua_settop(L, 0);
    close_state(L);
}

static void what_is_prepared_counts_as_used_and_is_refused_at_the_limit(void **state)
{
    (void)state;
    enum { THREADS = 8, LIMIT = 5 * LEN };
    lua_State *L = open_state();
    heap_set_limit(&heap, LIMIT);
    (void)heap_charge(&heap, heap_open_account(&heap, bytes));
    lua_State *threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        threads[i] = aside_load(L, "assert(#text(8 * 1024 * 1024) == 8 * 1024 * 1024)");
    }
    for (int i = 0; i < THREADS; i++) { /* each is put aside amid its pieces, if it got any */
        bool is_aside = true;
        for (int j = 0; j < 10 && is_aside; j++) {
            int count = 0;
            is_aside = lua_resume(threads[i], L, 0, &count) == LUA_YIELD;
        }
        assert_int_equal(is_aside, i < 4);
        assert_true(heap.used_bytes <= LIMIT);
        assert_true(heap.used_bytes > (size_t)LEN * (i < 4 ? (unsigned)i + 1 : 4));
    }
    for (int i = 0; i < 4; i++) { /* those that have their room need no more for the string */
        while (aside_step(L, threads[i])) {
            assert_true(heap.used_bytes <= LIMIT);
        }
    }
    assert_int_equal(lent, 4);
    (void)heap_charge(&heap, 0);
    close_state(L);
}

static void strings_are_joined(void **state)
{
    (void)state;
    lua_State *L = open_state();
    (void)aside_run(
        L, "assert(join('a', 'b') == 'ab' and join('a') == 'a' and join('a', 1, 2.5) == 'a12.5')");
    (void)aside_run(L, "local t = text(3 * 1024 * 1024) local all = join(t, 'x', t, t, 'y')\n"
                       "assert(#all == 3 * #t + 2 and all == t .. 'x' .. t .. t .. 'y')");
    (void)aside_run(L, "local t = text(3 * 1024 * 1024) assert(join(t, 42, t) == t .. '42' .. t)");
    close_state(L);
}

static void a_state_with_another_allocator_has_no_room(void **state)
{
    (void)state;
    heap = (struct heap){0};
    lua_State *L = luaL_newstate();
    open_into(L);
    (void)aside_run(L, "local t = text(8 * 1024 * 1024) assert(join(t, t) == t .. t)");
    assert_int_equal(lent, 0);
    lua_close(L);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_string_is_made_in_the_memory_that_was_prepared),
        cmocka_unit_test(nothing_is_prepared_for_a_short_one),
        cmocka_unit_test(others_run_while_memory_is_got),
        cmocka_unit_test(room_that_is_not_used_is_freed),
        cmocka_unit_test(a_coroutine_that_ends_meanwhile_loses_nothing),
        cmocka_unit_test(what_is_prepared_counts_as_used_and_is_refused_at_the_limit),
        cmocka_unit_test(strings_are_joined),
        cmocka_unit_test(a_state_with_another_allocator_has_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
