/* holding.c - memory of malloc's that counts as if Lua had taken it.
 * Owns nothing: how much it is, and who is charged for it, stands with whoever has the memory.
 * Called by C functions that make long texts outside of Lua, which could otherwise pass any limit.  Must not know what is in them. */
#include "worker/core/holding.h"

#include <lauxlib.h>

#include "worker/core/heap.h"

/* NULL in a test that has Lua's own. */
static struct heap *find_heap(lua_State *L)
{
    void *heap;
    return lua_getallocf(L, &heap) == heap_allocate ? heap : NULL;
}

void holding_set(lua_State *L, struct holding *holding, size_t bytes)
{
    struct heap *heap = find_heap(L);
    if (heap == NULL || heap_hold(heap, holding, bytes)) {
        return;
    }
    (void)lua_gc(L, LUA_GCCOLLECT); /* as Lua does when it is refused */
    if (!heap_hold(heap, holding, bytes)) {
        lua_pushliteral(L, "not enough memory"); /* without a place, as Lua says it */
        (void)lua_error(L);
    }
}

void holding_clear(lua_State *L, struct holding *holding)
{
    struct heap *heap = find_heap(L);
    if (heap != NULL) {
        (void)heap_hold(heap, holding, 0);
    }
}
