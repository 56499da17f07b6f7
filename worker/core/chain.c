/* chain.c - which coroutines of the application's own a task is inside of.
 * Owns the array.  A task that waits or is preempted inside of such a coroutine suspends all of the chain, one by one outwards; going
 * on, each resumes the next one inwards again, and meanwhile depth is smaller than count.  Lua closes a coroutine without those
 * that it has resumed, so whoever closes a task asks for the chain first.
 * Called by coroutine.c (enter, leave) and task.c.  Must not know why a task is suspended. */
#include "worker/core/chain.h"

#include <assert.h>
#include <stdlib.h>

#include "worker/core/runtime.h"
#include "worker/core/slice.h"

enum { CAPACITY_FIRST = 4 };

void chain_fini(struct chain *chain)
{
    free(chain->threads);
    *chain = (struct chain){0};
}

static void grow(struct chain *chain)
{
    size_t capacity = chain->capacity == 0 ? CAPACITY_FIRST : chain->capacity * 2;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is stored */
    lua_State **threads = realloc(chain->threads, capacity * sizeof(*threads));
    if (threads == NULL) {
        abort();
    }
    chain->threads = threads;
    chain->capacity = capacity;
}

void chain_enter(struct chain *chain, lua_State *L)
{
    if (chain->depth < chain->count) { /* on the way inwards */
        assert(chain->threads[chain->depth] == L);
        runtime_unmark(L, RUNTIME_THREAD_HELD);
    } else {
        if (chain->count == chain->capacity) {
            grow(chain);
        }
        chain->threads[chain->count++] = L;
    }
    chain->depth++;
}

void chain_leave(struct chain *chain)
{
    chain->depth--;
    assert(chain->depth + 1 == chain->count);
    chain->count = chain->depth;
}

void chain_hold(struct chain *chain)
{
    chain->depth = 0;
    for (size_t i = 0; i < chain->count; i++) {
        runtime_mark(chain->threads[i], RUNTIME_THREAD_HELD);
    }
}

void chain_close(struct chain *chain, struct slice *slice)
{
    while (chain->count > 0) {
        lua_State *L = chain->threads[--chain->count];
        runtime_unmark(L, RUNTIME_THREAD_HELD);
        lua_State *before = slice_switch(slice, L);
        (void)lua_resetthread(L); /* an error of a <close> variable has nobody to go to */
        lua_settop(L, 0);
        (void)slice_switch(slice, before);
    }
    chain->depth = 0;
}
