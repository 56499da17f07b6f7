/* collector.c - what C functions that allocate much owe to Lua's collector.
 * Owns nothing: what is owed stands in a continuation's context.  A step for each STEP_KB makes a whole cycle for about each
 * doubling of a heap, as Lua itself does; and a large table that is being made meets no collector that would look at all of it at once, in
 * the step that ends its marking.
 * Called by core/json and by what hands large bodies to Lua.  Must not know what is allocated. */
#include "worker/core/collector.h"

#include <lauxlib.h>
#include <stdint.h>

#include "worker/core/heap.h"
#include "worker/core/stdlib/breath.h"

enum {
    STEP_KB = 512, /* for which one step is done: a third of a millisecond */
    SMALL_KB = 8,  /* for which Lua itself does one; for 500 at once a whole cycle of 20 MB */
    LONG_TEXT = 64 * 1024, /* bytes */
    CONCAT_KB = 64 * 1024, /* more than nearly all that is joined */
    COUNT_BITS = 3,        /* of a context, for the number of results */
};

/* What Lua allocates in between is one long string; the heap may not be ours in a test. */
static void expect_text(lua_State *L, bool is_expected)
{
    void *heap;
    if (lua_getallocf(L, &heap) == heap_allocate) {
        heap_expect_filled(heap, is_expected);
    }
}

int collector_begin_credit(lua_State *L, int max_kb)
{
    int before_kb = lua_gc(L, LUA_GCCOUNT);
    (void)lua_gc(L, LUA_GCSTEP, -max_kb); /* less debt; does no step */
    return before_kb;
}

size_t collector_end_credit(lua_State *L, int max_kb, int before_kb)
{
    int used_kb = lua_gc(L, LUA_GCCOUNT) - before_kb;
    if (used_kb != max_kb) { /* 0 would be a step */
        (void)lua_gc(L, LUA_GCSTEP, max_kb - used_kb);
    }
    return used_kb > 0 ? (size_t)used_kb : 0;
}

size_t collector_push_text(lua_State *L, const char *bytes, size_t len)
{
    if (len < LONG_TEXT || len / 1024 > INT32_MAX / 2) {
        lua_pushlstring(L, bytes, len);
        return 0;
    }
    int max_kb = (int)(len / 1024) + 64;
    int before_kb = collector_begin_credit(L, max_kb);
    expect_text(L, true);
    lua_pushlstring(L, bytes, len);
    expect_text(L, false);
    return collector_end_credit(L, max_kb, before_kb);
}

size_t collector_concat(lua_State *L, int count)
{
    size_t len = 0;
    for (int i = 1; i <= count && len < LONG_TEXT; i++) {
        len += lua_rawlen(L, -i); /* of what is no string: any number */
    }
    if (len < LONG_TEXT) {
        lua_concat(L, count);
        return 0;
    }
    int before_kb = collector_begin_credit(L, CONCAT_KB);
    expect_text(L, true);
    lua_concat(L, count);
    expect_text(L, false);
    return collector_end_credit(L, CONCAT_KB, before_kb);
}

bool collector_pay(lua_State *L, size_t *owed_kb)
{
    size_t owed = *owed_kb;
    *owed_kb = 0;
    if (owed == 0 || !lua_gc(L, LUA_GCISRUNNING)) {
        return false;
    }
    if (owed < SMALL_KB) {
        (void)lua_gc(L, LUA_GCSTEP, (int)owed); /* as if it had not been on credit */
        return false;
    }
    if (lua_gc(L, LUA_GCSTEP, 0) == 0 && owed > STEP_KB) { /* else nothing, or a cycle is over */
        *owed_kb = owed - STEP_KB;
    }
    return *owed_kb > 0;
}

/* The context is what is owed and the number of results. */
static int go_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    size_t owed_kb = (size_t)context >> COUNT_BITS;
    int count = (int)((size_t)context & ((1U << COUNT_BITS) - 1));
    while (collector_pay(L, &owed_kb)) {
        breath_take(L, (lua_KContext)(owed_kb << COUNT_BITS | (size_t)count), go_on);
    }
    return count;
}

int collector_settle(lua_State *L, size_t owed_kb, int count)
{
    if (owed_kb < STEP_KB) {
        (void)collector_pay(L, &owed_kb);
        return count;
    }
    luaL_checkstack(L, LUA_MINSTACK, "no room to settle");
    lua_KContext context = (lua_KContext)(owed_kb << COUNT_BITS | (size_t)count);
    breath_take(L, context, go_on); /* what is owed was just written: that took long enough */
    return go_on(L, LUA_OK, context);
}
